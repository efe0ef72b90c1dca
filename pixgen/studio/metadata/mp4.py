"""Reads an MP4's frame count, frame rate, audio track and tags from its boxes, without a decoder.

ffmpeg takes a process per file for this, and does not tell whether the file is complete.

Boxes: https://developer.apple.com/documentation/quicktime-file-format
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pixgen.errors import VideoError

_LARGEST_MOOV = 32 * 2**20
_LARGEST_FILE = 2**40
# Boxes that a file may begin with: old QuickTime files have no ``ftyp``.
_FIRST = (
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"junk", b"pnot", b"pict", b"udta", b"uuid",
    b"styp",
)  # fmt: skip
_TAGS = {b"\xa9cmt": "comment", b"desc": "description"}


class FrameTiming(NamedTuple):
    """The number of frames and the frame rate of the first video track."""

    frames: int
    fps: float


def is_quicktime(head: bytes) -> bool:
    """Whether a file that begins like this is an MP4 or a MOV."""
    return head[4:8] in _FIRST


def read_timing(path: Path) -> FrameTiming:
    """Read the frame count and rate of an MP4. Raises VideoError if it is not one."""
    with _opened(path) as file:
        for track in _tracks(_moov(file) or b"", b"vide"):
            scale = _child(track, b"mdia", b"mdhd")
            sizes = _child(track, b"mdia", b"minf", b"stbl", b"stsz")
            times = _child(track, b"mdia", b"minf", b"stbl", b"stts")
            if not (scale and sizes and times):
                continue
            ticks = _number(scale, 20 if scale[0] == 1 else 12)  # a second
            frames, duration = _number(sizes, 8), _number(times, 12)
            if ticks and frames and duration:
                return FrameTiming(frames, ticks / duration)
    raise VideoError("“{name}” is not a video that can be read.", name=path.name)


def has_sound(path: Path) -> bool:
    """Whether an MP4 has an audio track. Raises VideoError if it cannot be read."""
    with _opened(path) as file:
        return any(True for _ in _tracks(_moov(file) or b"", b"soun"))


def read_tags(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The stored ``(name, text)`` of an MP4's ``comment`` and ``description``."""
    meta = _child(_moov(file) or b"", b"udta", b"meta")
    for name, item in _boxes(_child(meta[4:], b"ilst") or b"" if meta else b""):  # after flags
        value = _child(item, b"data")
        if name in _TAGS and value is not None:
            yield _TAGS[name], value[8:]  # it begins with its type and locale


def is_finished(file: BinaryIO) -> bool:
    """Whether an MP4 is complete: it has its index, and its boxes fill the file."""
    end, found = file.seek(0, io.SEEK_END), False
    file.seek(0)
    for name, length in _walk(file):
        found = found or name == b"moov"
        file.seek(length, io.SEEK_CUR)
    return found and file.tell() == end


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise VideoError("“{name}” cannot be read: check that the video is there.", name=path.name) from error


def _walk(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The name and the length of each top-level box; its content follows in the file."""
    while len(head := file.read(8)) == 8:
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        length = size - 8
        if size == 1:
            length = int.from_bytes(file.read(8), "big") - 16
        if not 0 <= length < _LARGEST_FILE:
            return  # a size of 0 means up to the end of the file; others are invalid
        yield name, length


def _moov(file: BinaryIO) -> bytes | None:
    for name, length in _walk(file):
        if name == b"moov":
            return file.read(length) if 0 < length <= _LARGEST_MOOV else None
        file.seek(length, io.SEEK_CUR)
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """``(name, content)`` of the boxes side by side in ``data``."""
    start = 0
    while start + 8 <= len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8:
            return
        yield data[start + 4 : start + 8], data[start + 8 : start + size]
        start += size


def _child(data: bytes, *names: bytes) -> bytes | None:
    """The content of a nested box by its path of names."""
    for name in names:
        found = next((content for other, content in _boxes(data) if other == name), None)
        if found is None:
            return None
        data = found
    return data


def _tracks(moov: bytes, kind: bytes) -> Iterator[bytes]:
    """The tracks of a kind, ``vide`` or ``soun``."""
    for name, track in _boxes(moov):
        handler = _child(track, b"mdia", b"hdlr") if name == b"trak" else None
        if handler is not None and handler[8:12] == kind:
            yield track


def _number(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 4], "big")

"""Source videos to paint over: checked, limited in size, read frame by frame and copied into the run."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from pixgen.errors import VideoError
from pixgen.images import LARGEST_UPLOAD
from pixgen.messages import _
from pixgen.studio.metadata.mp4 import is_quicktime
from pixgen.studio.storage import atomic_write, storage_errors
from pixgen.studio.video.decoding import VideoInfo, as_shown, read_frames, read_info
from pixgen.studio.video.ffmpeg import Sound

MOST_FRAMES = 20_000  # as many as the most steps of a run
_LARGEST_SIDE = 1024  # pixels; larger videos are scaled down
# Allowed formats besides MP4 and MOV, by their first bytes. Naming the format and the protocols keeps
# ffmpeg from reading playlists, which could name other files.
_KINDS = (("matroska", b"\x1aE\xdf\xa3"), ("gif", b"GIF8"))
_BOUNDS = ("-protocol_whitelist", "file", "-max_pixels", "40000000")


@dataclass(frozen=True)
class VideoSummary:
    """The size of a video in square pixels, and its number of frames at the requested rate."""

    width: int
    height: int
    frames: int


def probe(path: Path, *, fps: float, most: int = MOST_FRAMES) -> VideoSummary:
    """Measure the size of a video and its number of frames at a rate, counting at most ``most``.

    Raises VideoError if it is not a video, or too large.
    """
    source = _source(path)
    size = read_info(path, source=source, filters=_filters(path, fps))
    # Frames are only counted, so each is read as one pixel.
    with closing(read_frames(path, source=source, filters=f"fps={fps:.6g},scale=1:1")) as pictures:
        frames = sum(1 for _number, _frame in zip(range(most), pictures, strict=False))
    if not frames:
        raise _empty(path)
    return VideoSummary(size.width, size.height, frames)


class SourceVideo:
    """The frames of a video at a rate, by index. One is in memory at a time; going back restarts the decoder.
    Raises VideoError."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._fps = path, fps
        self._pictures: Iterator[np.ndarray] = iter(())
        self._number = -1
        self._newest: np.ndarray | None = None

    def __getitem__(self, frame: int) -> Image.Image:
        """A frame as a picture; the last one for larger numbers."""
        if self._newest is None or frame < self._number:
            self._pictures, self._number = self._begin(), -1
        while self._number < frame:
            picture = next(self._pictures, None)
            if picture is None:
                break
            self._newest, self._number = picture, self._number + 1
        if self._newest is None:
            raise _empty(self._path)
        return Image.fromarray(self._newest)

    def left_out(self, frames: int) -> str:
        """A sentence about the part of the video that so many frames leave out; empty if they cover it."""
        painted, whole = frames / self._fps, _read_header(self._path).seconds
        if not whole:  # the header has no length
            found = probe(self._path, fps=self._fps, most=frames + 2).frames
            return (
                ""
                if found <= frames + 1
                else _(
                    "The first {painted} of the video are painted over, {frames} frames; the rest is left out. "
                    "Fewer frames a second cover more of it.",
                    painted=_duration(painted),
                    frames=frames,
                )
            )
        if whole - painted < 1.5 / self._fps:
            return ""
        return _(
            "Of the video's {whole}, the first {painted} are painted over, {frames} frames; the rest is left "
            "out. Fewer frames a second cover more of it.",
            whole=_duration(whole),
            painted=_duration(painted),
            frames=frames,
        )

    def _begin(self) -> Iterator[np.ndarray]:
        return read_frames(self._path, source=_source(self._path), filters=self._filters)

    @cached_property
    def _filters(self) -> str:
        return _filters(self._path, self._fps)


def keep_video(path: Path, folder: Path) -> str:
    """Copy a video into ``folder``, under the hash of its content; returns the path there. Raises
    VideoError, StorageError."""
    _kind(path)
    with storage_errors(path):
        with path.open("rb") as file:
            name = hashlib.sha256()
            while chunk := file.read(2**20):
                name.update(chunk)
    kept = f"{name.hexdigest()}/video{path.suffix.lower()[:8]}"
    with storage_errors(folder / kept):
        (folder / kept).parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / kept) as temporary:
        shutil.copyfile(path, temporary)
    return kept


def find_sound(path: Path) -> Sound | None:
    """The sound of a video; None if it has none. Raises VideoError."""
    codec = _read_header(path).sound
    return Sound(path, _source(path), codec) if codec else None


def _duration(seconds: float) -> str:
    """``4.5 s``, ``9:10`` or ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _read_header(path: Path) -> VideoInfo:
    return read_info(path, source=_source(path))


def _filters(path: Path, fps: float) -> str:
    return f"fps={fps:.6g},{as_shown(_read_header(path), side=_LARGEST_SIDE)}"


def _source(path: Path) -> tuple[str, ...]:
    return (*_BOUNDS, "-f", _kind(path))


def _empty(path: Path) -> VideoError:
    return VideoError("“{name}” has no pictures: choose another video.", name=path.name)


def _kind(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_UPLOAD:
            raise VideoError(
                "“{name}” is too large: at most {limit} MB.",
                name=path.name,
                limit=LARGEST_UPLOAD // 2**20,
            )
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError) as error:
        raise VideoError("“{name}” cannot be read: check that the video is there.", name=path.name) from error
    if is_quicktime(head):
        return "mov"
    for kind, mark in _KINDS:
        if head.startswith(mark):
            return kind
    raise VideoError("“{name}” is no video that can be read: use MP4, MOV, WebM, MKV or GIF.", name=path.name)

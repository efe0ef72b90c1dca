"""Videos that people bring: bounded, read frame by frame, and kept with the run that paints over them."""

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
from pixgen.studio.storage import storing, writing
from pixgen.studio.video.decoding import VideoInfo, as_shown, read_frames, read_info
from pixgen.studio.video.ffmpeg import Sound

MOST_FRAMES = 20_000  # as many as a run has steps
_LARGEST_SIDE = 1024  # pixels that are read of a larger one
# What a stranger's file may be besides MP4 and MOV, by its first bytes. Naming the format keeps ffmpeg
# from reading playlists, which name other files; so does the list of protocols.
_KINDS = (("matroska", b"\x1aE\xdf\xa3"), ("gif", b"GIF8"))
_BOUNDS = ("-protocol_whitelist", "file", "-max_pixels", "40000000")


@dataclass(frozen=True)
class VideoSummary:
    """A video's size in square pixels, and how many frames it has at the pace that was asked for."""

    width: int
    height: int
    frames: int


def probe(path: Path, *, fps: float, most: int = MOST_FRAMES) -> VideoSummary:
    """The size of a video as it is shown, and how many frames it has at so many a second, at most
    ``most``.

    Raises VideoError if it is none, or is too large.
    """
    source = _source(path)
    size = read_info(path, source=source, filters=_filters(path, fps))
    # Frames are only counted: each is read as one pixel.
    with closing(read_frames(path, source=source, filters=f"fps={fps:.6g},scale=1:1")) as pictures:
        frames = sum(1 for _number, _frame in zip(range(most), pictures, strict=False))
    if not frames:
        raise _empty(path)
    return VideoSummary(size.width, size.height, frames)


class SourceVideo:
    """A video as its frames, at so many a second. One is in memory at a time, and going forward is
    quick; going back begins anew. Raises VideoError."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._fps = path, fps
        self._pictures: Iterator[np.ndarray] = iter(())
        self._number = -1
        self._newest: np.ndarray | None = None

    def __getitem__(self, frame: int) -> Image.Image:
        """The picture of a frame; after the last, the last."""
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
        """What of the video so many frames do not show, as a sentence; empty if they show it all."""
        painted, whole = frames / self._fps, _read_header(self._path).seconds
        if not whole:  # it does not say
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
    """Copy a video into a folder below ``folder`` that is named by its content; the copy's path there.
    Raises VideoError, StorageError."""
    _kind(path)
    with storing(path):
        with path.open("rb") as file:
            name = hashlib.sha256()
            while chunk := file.read(2**20):
                name.update(chunk)
    kept = f"{name.hexdigest()}/video{path.suffix.lower()[:8]}"
    with storing(folder / kept):
        (folder / kept).parent.mkdir(parents=True, exist_ok=True)
    with writing(folder / kept) as temporary:
        shutil.copyfile(path, temporary)
    return kept


def find_sound(path: Path) -> Sound | None:
    """The sound of a video, None if it has none. Raises VideoError."""
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

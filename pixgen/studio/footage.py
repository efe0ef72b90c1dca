"""Videos that people bring: bounded, read frame by frame, and kept with the run that paints over them."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pixgen.errors import VideoError
from pixgen.images import LARGEST_UPLOAD
from pixgen.studio import ffmpeg
from pixgen.studio.storage import storing, writing

MOST_FRAMES = 2000
_LARGEST_SIDE = 1024  # pixels that are read of a larger one
# What a stranger's file may be, by its first bytes. Naming the format keeps ffmpeg from reading
# playlists, which name other files; so does the list of protocols.
_KINDS = (("mov", 4, b"ftyp"), ("matroska", 0, b"\x1aE\xdf\xa3"), ("gif", 0, b"GIF8"))
_BOUNDS = ("-protocol_whitelist", "file", "-max_pixels", "40000000")


@dataclass(frozen=True)
class Looked:
    """A video's size in pixels, and how many frames it has at the pace that was asked for."""

    width: int
    height: int
    frames: int


def look_at(path: Path, *, fps: float, most: int = MOST_FRAMES) -> Looked:
    """The size of a video, and how many frames it has at so many a second, at most ``most``.

    Raises VideoError if it is none, or is too large.
    """
    frames, size = 0, (0, 0)
    with closing(_frames(path, fps=fps)) as pictures:
        for picture in pictures:
            frames, size = frames + 1, picture.shape[1::-1]
            if frames == most:
                break
    if not frames:
        raise VideoError("“{name}” has no pictures: choose another video.", name=path.name)
    return Looked(*size, frames)


class Footage:
    """A video as its frames, at so many a second. One is in memory at a time, and going forward is
    quick; going back begins anew. Raises VideoError."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._fps = path, fps
        self._pictures: Iterator[np.ndarray] = iter(())
        self._number, self._newest = -1, None

    def __getitem__(self, frame: int) -> Image.Image:
        """The picture of a frame; after the last, the last."""
        if self._newest is None or frame < self._number:
            self._pictures, self._number = _frames(self._path, fps=self._fps), -1
        while self._number < frame:
            picture = next(self._pictures, None)
            if picture is None:
                break
            self._newest, self._number = picture, self._number + 1
        if self._newest is None:
            raise VideoError(
                "“{name}” has no pictures: choose another video.", name=self._path.name
            )
        return Image.fromarray(self._newest)


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


def _frames(path: Path, *, fps: float) -> Iterator[np.ndarray]:
    side = _LARGEST_SIDE
    filters = f"fps={fps:.6g},scale='min({side},iw)':'min({side},ih)':force_original_aspect_ratio=decrease"
    return ffmpeg.pictures(path, source=(*_BOUNDS, "-f", _kind(path)), filters=filters)


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
        raise VideoError(
            "“{name}” cannot be read: check that the video is there.", name=path.name
        ) from error
    for kind, place, mark in _KINDS:
        if head[place:].startswith(mark):
            return kind
    raise VideoError(
        "“{name}” is no video that can be read: use MP4, MOV, WebM, MKV or GIF.", name=path.name
    )

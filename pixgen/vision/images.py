"""Read pictures from folders and zips into batches for a perceptor, on several threads.

Folders and zips are untrusted. Links are not followed; files that cannot be opened are listed and skipped. A zip is
checked against size limits before anything is unpacked, and its members are read into memory, so that no name in it
ever becomes a path.
"""

import hashlib
import os
import stat
import zipfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from pixgen.errors import ClassifyError, PictureError, SearchError
from pixgen.images import MAX_BYTES, open_reduced
from pixgen.messages import _
from pixgen.paths import is_hidden

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".jfif",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
    ".avif",
}
READER_THREADS = max(2, min(8, os.cpu_count() or 2))  # decoding releases the GIL


@dataclass(frozen=True)
class PictureFile:
    """A file with a picture's suffix: its path, and its size and time, which show whether it has changed."""

    path: str  # relative to the folder, with /
    size: int
    modified: int  # nanoseconds since 1970


@dataclass(frozen=True)
class Skipped:
    """A file that was skipped, and the reason as a sentence."""

    path: str
    reason: str


@dataclass(frozen=True)
class Unchanged:
    """A file whose time has changed but not its bytes."""

    found: PictureFile


@dataclass(frozen=True)
class OpenedPicture:
    """A decoded picture for a perceptor: ``pixels`` are ``(side, side, 3)`` uint8."""

    found: PictureFile
    sha256: str
    width: int
    height: int
    pixels: np.ndarray


def find_pictures(folder: Path) -> Iterator[PictureFile | Skipped]:
    """Every picture in a folder and its subfolders, in the order of their paths, without hidden ones.

    Links are never followed: their targets inside the folder are found anyway, and targets outside must not be
    read. Raises SearchError if the folder cannot be read.
    """

    def refused(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise SearchError(
                "The folder “{name}” cannot be read: check its name and permissions.", name=folder.name
            )

    if not folder.is_dir():
        raise SearchError("There is no folder “{name}”: check its name.", name=folder.name)
    root = folder.resolve()
    for place, folders, files in os.walk(folder, onerror=refused):
        folders[:] = sorted(each for each in folders if not is_hidden(each))
        links = [each for each in folders if Path(place, each).is_symlink()]
        for name in [*links, *(each for each in sorted(files) if not is_hidden(each))]:
            path = Path(place, name)
            shown = path.relative_to(folder).as_posix()
            try:
                facts = path.lstat()
                if stat.S_ISLNK(facts.st_mode):
                    if not path.resolve().is_relative_to(root):
                        yield Skipped(printable_path(shown), _("It is a link to a place outside the folder."))
                    continue
            except (OSError, RuntimeError, UnicodeError):
                yield Skipped(printable_path(shown), _("It cannot be read: check its name and permissions."))
                continue
            if path.suffix.lower() not in SUFFIXES:
                continue
            if not stat.S_ISREG(facts.st_mode):
                yield Skipped(printable_path(shown), _("It is not a file."))
                continue
            yield PictureFile(shown, facts.st_size, facts.st_mtime_ns)


def open_file(found: PictureFile, folder: Path, *, side: int, known: str = "") -> OpenedPicture | Unchanged:
    """Open a picture and resize it to a square, unless the sha256 of its bytes is ``known``.

    ``folder`` is a resolved path. Raises PictureError, also if the path leads out of it.
    """
    path = folder / found.path
    try:
        if not path.resolve().is_relative_to(folder):
            raise PictureError("It is a link to a place outside the folder.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        raise PictureError("“{name}” cannot be read: check its permissions.", name=path.name) from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == known:
        return Unchanged(found)
    picture, (width, height) = open_reduced(data, side=side, name=f"“{path.name}”")
    return OpenedPicture(found, sha256, width, height, resize_square(picture, side))


def resize_square(picture: Image.Image, side: int) -> np.ndarray:
    """Resize an RGB picture bicubically to ``(side, side, 3)`` uint8, without keeping its aspect ratio.

    Equals the resizing of ``Perceptor.embed_images``, but is cheaper and runs on any thread.
    """
    # Large pictures are first reduced by a whole factor; with a gap of 3 the result is as good.
    small = picture.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(small)


def to_batch(squares: Sequence[np.ndarray], device: "torch.device | str") -> "torch.Tensor":
    """Stack N squares to ``(N, 3, side, side)`` float32 in [0, 1] on a device."""
    import torch
    from einops import rearrange

    pixels = torch.from_numpy(np.stack(squares)).to(device)
    return rearrange(pixels, "n h w c -> n c h w").float() / 255


def map_in_threads(
    work: Callable[[Item], Result], items: Iterable[Item], *, ahead: int, threads: int = READER_THREADS
) -> Generator[Result, None, None]:
    """``work(item)`` of every item, in order, on threads; at most ``ahead`` items are started and not yet
    consumed."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # also when the consumer stops early: running items finish, waiting ones are cancelled
        pool.shutdown(wait=False, cancel_futures=True)


def printable_path(path: str) -> str:
    """A path with a question mark for every byte that is not UTF-8."""
    return path.encode("utf-8", "replace").decode()


MOST_MEMBERS = 10_000
LARGEST_ARCHIVE = 2**30  # bytes of all members together, unpacked
LARGEST_RATIO = 200  # the largest compression ratio of a member; pictures are below 10
_FREE_MEMBER_BYTES = 2**16  # members up to this size may have any ratio


class PictureArchive:
    """The pictures in a zip, in the order of their names. Thread-safe.

    Raises ClassifyError if it is no zip, exceeds ``MOST_MEMBERS`` or ``LARGEST_ARCHIVE``, or has the compression
    ratio of a zip bomb.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._zip = zipfile.ZipFile(path)
            members = self._zip.infolist()
        except Exception as error:  # of a damaged file, zipfile raises whatever it meets
            raise ClassifyError(
                "“{name}” is not a zip that can be read: zip the pictures again.", name=path.name
            ) from error
        if len(members) > MOST_MEMBERS or sum(each.file_size for each in members) > LARGEST_ARCHIVE:
            raise ClassifyError(
                "“{name}” is too large: at most {limit} files and {megabytes} MB unpacked.",
                name=path.name,
                limit=MOST_MEMBERS,
                megabytes=LARGEST_ARCHIVE // 2**20,
            )
        for each in members:
            if each.file_size > _FREE_MEMBER_BYTES and each.file_size > LARGEST_RATIO * each.compress_size:
                raise ClassifyError(
                    "“{name}” is compressed too much to contain pictures: zip the pictures themselves.",
                    name=path.name,
                )
        self._members = {_display_name(each): each for each in members if _is_picture(each)}

    def names(self) -> list[str]:
        """Each picture's path in the zip, with /."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """One picture's bytes. Raises PictureError if they are broken, encrypted or too many."""
        try:
            with self._zip.open(self._members[name]) as file:
                data = file.read(MAX_BYTES + 1)  # the size in the header is not trusted
        except Exception as error:  # as does each of its decompressors
            raise PictureError(
                "“{name}” is broken or encrypted: zip the pictures again.", name=name
            ) from error
        return data


def _is_picture(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(_display_name(member))
    return not member.is_dir() and path.suffix.lower() in SUFFIXES and not is_hidden(path)


def _display_name(member: zipfile.ZipInfo) -> str:
    """A member's name for display: without root, ``..`` and unprintable characters."""
    parts = [part for part in member.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "".join(sign if sign.isprintable() else "�" for sign in "/".join(parts))

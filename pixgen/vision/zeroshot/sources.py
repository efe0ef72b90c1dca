"""Collect the pictures to classify from files, folders and zips, each with its folder's name as the label."""

import base64
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from pixgen.errors import ClassifyError, PictureError, SearchError
from pixgen.images import open_picture, open_reduced
from pixgen.paths import expand
from pixgen.vision.images import (
    PictureArchive,
    PictureFile,
    Skipped,
    find_pictures,
    printable_path,
    resize_square,
)

MOST_PICTURES = 10_000
THUMBNAIL = 160  # pixels


@dataclass(frozen=True)
class Source:
    """One picture: its name, its folder's name as the label (or empty), and how to open it."""

    name: str
    label: str
    where: Callable[[], Path | bytes]  # its path or bytes; raises PictureError

    def open(self) -> Image.Image:
        """Open the picture in full size. Raises PictureError."""
        return open_picture(self.where(), name=f"“{self.name}”")

    def open_reduced(self, side: int) -> Image.Image:
        """Open the picture at a reduced size of at least ``side`` pixels, which is faster. Raises PictureError."""
        return open_reduced(self.where(), side=side, name=f"“{self.name}”")[0]


@dataclass(frozen=True, eq=False)
class PreparedPicture:
    """A picture resized for a perceptor, ``(side, side, 3)`` uint8, or the error."""

    source: Source
    pixels: np.ndarray | None
    thumbnail: str = ""  # a data: URI
    error: str = ""


def collect_sources(paths: Sequence[Path], *, uploaded: bool = False) -> list[Source]:
    """Every picture in paths of files, folders and zips; a subfolder's name is its pictures' label.

    Names are as short as possible and unique: ``a/1.png`` and ``b/1.png``. With ``uploaded``, folders are temporary
    and mean nothing, so equal names are numbered instead, ``1 (2).png``. A zip or folder among several that cannot be
    read becomes one source, which raises the error when it is opened. Raises ClassifyError
    if there is no picture or there are too many, SearchError if a single folder cannot be read.
    """
    found: list[Source] = []
    trails: list[tuple[str, ...]] = []  # the folders above each one
    for path in map(expand, paths):
        around = () if uploaded else path.absolute().parent.parts[1:]
        try:
            below = list(_sources_in(path))
        except (ClassifyError, SearchError) as error:
            if len(paths) == 1:
                raise
            below = [Source(printable_path(path.name), "", partial(_refuse, error.message))]
        inside = path.is_dir() or path.suffix.lower() == ".zip"
        found += below
        trails += [(*around, path.name) if inside else around] * len(below)
    if not found:
        raise ClassifyError("There are no pictures: name PNG, JPEG or WebP files, folders or zips.")
    if len(found) > MOST_PICTURES:
        raise ClassifyError(
            "Too many pictures at once: {count}. The limit is {limit}.",
            limit=MOST_PICTURES,
            count=len(found),
        )
    names = _unique_names([source.name for source in found], trails)
    return [replace(source, name=name) for source, name in zip(found, names, strict=True)]


def _unique_names(names: Sequence[str], trails: Sequence[tuple[str, ...]]) -> list[str]:
    """Prefix names with as many folders as make them unique; a file that occurs several times is numbered."""
    files = list(zip(trails, names, strict=True))
    longer = {file: file[1] for file in files}
    for depth in range(1, 1 + max(map(len, trails))):
        count = Counter(longer.values())
        if len(count) == len(longer):
            break
        for (trail, name), shown in longer.items():
            if count[shown] > 1:
                longer[trail, name] = printable_path("/".join([*trail[-depth:], name]))
    times: Counter[str] = Counter()
    told = []
    for file in files:
        path = PurePosixPath(longer[file])
        times[str(path)] += 1
        again = f"{path.stem} ({times[str(path)]}){path.suffix}"
        told.append(str(path.with_name(again) if times[str(path)] > 1 else path))
    return told


def prepare_picture(source: Source, *, side: int, thumbnail: bool = False) -> PreparedPicture:
    """Open a picture and resize it to a square; an error is returned with it. Thread-safe."""
    try:
        picture = source.open_reduced(max(side, THUMBNAIL) if thumbnail else side)
    except PictureError as error:
        return PreparedPicture(source, None, error=error.message)
    small = _data_uri(picture) if thumbnail else ""
    return PreparedPicture(source, resize_square(picture, side), small)


def _sources_in(path: Path) -> Iterator[Source]:
    if path.is_dir():
        for found in find_pictures(path):
            if isinstance(found, Skipped):
                yield Source(found.path, _label(found.path), partial(_refuse, found.reason))
            else:
                name = printable_path(found.path)
                yield Source(name, _label(name), partial(_path_inside, found, path))
    elif path.suffix.lower() == ".zip":
        archive = PictureArchive(path)
        for name in archive.names():
            yield Source(name, _label(name), partial(archive.read, name))
    else:
        yield Source(printable_path(path.name), "", lambda: path)


def _label(path: str) -> str:
    """The name of the innermost folder; empty at the top."""
    return PurePosixPath(path).parent.name


def _path_inside(found: PictureFile, folder: Path) -> Path:
    path = folder / found.path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PictureError("It is a link to a place outside the folder.")
    return path


def _refuse(why: str) -> Path:
    raise PictureError(why)


def _data_uri(picture: Image.Image) -> str:
    small = picture.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

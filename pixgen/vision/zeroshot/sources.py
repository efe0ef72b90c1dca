"""The pictures to be classified, from files, folders and zips, with the label that their folder has."""

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
    """One picture: its name, the label that its folder is named by (empty: none), and where it is."""

    name: str
    label: str
    where: Callable[[], Path | bytes]  # the file, or what is in it; raises PictureError

    def open(self) -> Image.Image:
        """The whole picture. Raises PictureError."""
        return open_picture(self.where(), name=f"“{self.name}”")

    def open_reduced(self, side: int) -> Image.Image:
        """The picture, of which so many pixels a side are wanted, opened faster. Raises PictureError."""
        return open_reduced(self.where(), side=side, name=f"“{self.name}”")[0]


@dataclass(frozen=True, eq=False)
class PreparedPicture:
    """A picture as a perceptor takes it, ``(side, side, 3)`` uint8, or why there is none."""

    source: Source
    pixels: np.ndarray | None
    thumbnail: str = ""  # a data: URI
    error: str = ""


def collect_sources(paths: Sequence[Path], *, uploaded: bool = False) -> list[Source]:
    """Every picture that paths name: a file, all in a folder or in a zip; subfolders name labels.

    Names are as short as they can be and still differ: ``a/1.png`` and ``b/1.png``. ``uploaded``: the
    folders that files lie in are no person's, so that equal names are counted instead, ``1 (2).png``.
    A zip or folder among several that cannot be read is one source, which tells why. Raises ClassifyError
    if there is no picture or there are too many, SearchError if a single folder cannot be read.
    """
    found: list[Source] = []
    trails: list[tuple[str, ...]] = []  # the folders around each one's name
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
            "There may be at most {limit} pictures at once: there are {count}.",
            limit=MOST_PICTURES,
            count=len(found),
        )
    names = _unique_names([source.name for source in found], trails)
    return [replace(source, name=name) for source, name in zip(found, names, strict=True)]


def _unique_names(names: Sequence[str], trails: Sequence[tuple[str, ...]]) -> list[str]:
    """The names with as many of the folders before them as tell different files apart; a file that is there
    several times is counted."""
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
    """Open a picture and make it square; an error stays with it. For any thread."""
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
    """The name of the innermost folder; empty for a picture at the top."""
    return PurePosixPath(path).parent.name


def _path_inside(found: PictureFile, folder: Path) -> Path:
    path = folder / found.path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PictureError("It is a link that leads out of the folder.")
    return path


def _refuse(why: str) -> Path:
    raise PictureError(why)


def _data_uri(picture: Image.Image) -> str:
    small = picture.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

"""A picture or film that carries its own recipe: written into it, and read back out of it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from pixgen import __version__
from pixgen.errors import PictureError, RecipeError
from pixgen.recipe import Recipe, read_recipe
from pixgen.studio.inputs import with_kept_pictures
from pixgen.studio.storage import write_bytes

KEY = "pixgen"
SOFTWARE = f"pixgen {__version__}"
_LARGEST_JSON = 4 * 2**20
_LARGEST_MOOV = 32 * 2**20
_LARGEST_FILE = 2**40
_COMMENT = (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")  # where an MP4's comment is


def save_png(picture: np.ndarray, path: Path, recipe: Recipe) -> None:
    """Write ``(H, W, 3)`` uint8 as a PNG with the recipe's JSON in its text chunk ``pixgen``.

    Replaces what is there at once, or raises StorageError and leaves it.
    """
    text = PngImagePlugin.PngInfo()
    text.add_text(KEY, recipe.to_json())
    text.add_text("Software", SOFTWARE)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", pnginfo=text)
    write_bytes(Path(path), data.getvalue())


def read_metadata(path: Path) -> Recipe:
    """The recipe in a PNG, an MP4 or a JSON file, whatever its name ends in.

    Only headers are read, so the size of the picture doesn't matter. Raises PictureError if the file
    cannot be read or carries no recipe, RecipeError if what it carries is not allowed.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(64)
            file.seek(0)
            if head.startswith(b"\x89PNG"):
                text = _png_text(file)
            elif head[4:8] == b"ftyp":
                text = _mp4_comment(file)
            elif head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
                text = _json_text(file)
            else:
                text = None
    except (OSError, ValueError) as error:
        raise PictureError(
            f"“{path.name}” cannot be read: check that the file is there."
        ) from error
    if not text:
        raise PictureError(
            f"“{path.name}” carries no recipe: choose a PNG, MP4 or JSON file that pixgen wrote."
        )
    return with_kept_pictures(read_recipe(text), path.parent)


def _png_text(file) -> str | None:
    # Opening reads the chunks before the pixels, within PIL's limits for texts, and decodes nothing.
    try:
        with Image.open(file, formats=("PNG",)) as picture:
            return picture.info.get(KEY)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError("This PNG file is broken: choose another.") from error


def _json_text(file) -> str:
    data = file.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        raise RecipeError("This is not a recipe: it is far too long.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError("This is not a recipe: it is not text in UTF-8.") from error


def _mp4_comment(file) -> str | None:
    """The comment tag, found by walking the boxes: no decoder meets a stranger's file."""
    moov = _moov(file)
    for name in _COMMENT[1:]:
        if moov is None:
            return None
        if name == b"ilst":
            moov = moov[4:]  # ``meta`` begins with a version and flags
        moov = dict(_boxes(moov)).get(name)
    # ``data`` begins with its type and locale.
    return None if moov is None else moov[8:].decode("utf-8", "replace")


def _moov(file) -> bytes | None:
    while len(head := file.read(8)) == 8:
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        length = size - 8
        if size == 1:
            length = int.from_bytes(file.read(8), "big") - 16
        if name == _COMMENT[0]:
            return file.read(length) if 0 < length <= _LARGEST_MOOV else None
        if not 0 <= length < _LARGEST_FILE:
            return None  # a size of 0 says that the box goes to the end of the file; others are nonsense
        file.seek(length, io.SEEK_CUR)
    return None


def _boxes(data: bytes):
    """``(name, content)`` of the boxes side by side in ``data``."""
    start = 0
    while start + 8 <= len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8:
            return
        yield data[start + 4 : start + 8], data[start + 8 : start + size]
        start += size

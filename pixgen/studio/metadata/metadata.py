"""A picture or film that carries its own recipe: written into it, and read back out of it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from pixgen import __version__
from pixgen.recipe.recipe import Recipe
from pixgen.studio.metadata.picture_info import KEY, read_info
from pixgen.studio.storage import write_bytes

SOFTWARE = f"pixgen {__version__}"


def save_png(picture: np.ndarray, path: Path, recipe: Recipe | None) -> None:
    """Write ``(H, W, 3)`` uint8 as a PNG with the recipe's JSON in its text chunk ``pixgen``, or, without
    a recipe, with nothing but its pixels.

    Replaces what is there at once, or raises StorageError and leaves it.
    """
    text = PngImagePlugin.PngInfo()
    if recipe is not None:
        text.add_text(KEY, recipe.to_json())
        text.add_text("Software", SOFTWARE)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", pnginfo=text)
    write_bytes(Path(path), data.getvalue())


def read_metadata(path: Path) -> Recipe:
    """The recipe in a picture, a film or a JSON file, whatever its name ends in; what another program
    wrote, as far as it maps. ``picture_info.read_info`` says more.

    Only headers are read, so the size of the picture doesn't matter. Raises PictureError if the file
    cannot be read or carries no recipe, RecipeError if what it carries is not allowed.
    """
    return read_info(path).recipe

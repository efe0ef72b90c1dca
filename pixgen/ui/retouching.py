"""Painting a part of the picture on the page anew: from the brush in the browser to a recipe."""

import base64
import tempfile
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from pixgen.errors import PictureError, RecipeError
from pixgen.images import open_picture
from pixgen.recipe import Recipe, make_recipe
from pixgen.studio import Run

_LARGEST_MASK = 4 * 2**20  # characters
_HEAD = "data:image/png;base64,"


def part_of(
    run: Run, recipe: Recipe, mask: str, *, files: ExitStack
) -> tuple[Recipe, Collection[str]]:
    """The recipe that paints a part of a run's picture anew, and the pictures that it names.

    Args:
        recipe: what to paint there.
        mask: a PNG as a ``data:`` address, white where to paint.
        files: the mask's file lives as long as it is open.

    Raises RecipeError if the mask is none, or if there is no picture.
    """
    if not run.picture.is_file():
        raise RecipeError(
            "The picture that was being painted here is not known any more: paint it again."
        )
    path = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="pixgen-"))) / "mask.png"
    path.write_bytes(decoded(mask))
    start = {
        "kind": "picture", "picture": str(run.picture), "mask": str(path), "extend": "", "idea": (),
        "fit": "stretch",
    }  # fmt: skip
    size = {"width": run.recipe.width, "height": run.recipe.height}
    return make_recipe(recipe.model_dump(), size, {"start": start}), (str(run.picture), str(path))


def decoded(mask: str) -> bytes:
    """The bytes of a PNG that a browser sent as a ``data:`` address. Raises RecipeError."""
    try:
        if not mask.startswith(_HEAD) or len(mask) > _LARGEST_MASK:
            raise RecipeError("What was brushed over did not arrive: brush over it again.")
        data = base64.b64decode(mask[len(_HEAD) :], validate=True)
        open_picture(data)
    except (AttributeError, ValueError, PictureError) as error:
        raise RecipeError("What was brushed over did not arrive: brush over it again.") from error
    return data

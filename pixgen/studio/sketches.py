"""The sketches that a start was picked from, kept as one strip: a run's folder shows them at a glance."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.recipe import Recipe
from pixgen.studio.storage import write_bytes

if TYPE_CHECKING:
    from pixgen.synthesis.frames import Candidate

# Of a strip: the most and largest candidates make a wide one.
_MOST_PIXELS, _MOST_BYTES = 160_000_000, 2**29


def save_sketches(candidates: Sequence["Candidate"], path: Path) -> None:
    """Write the candidates' pictures side by side, the best liked first. Raises StorageError."""
    strip = np.concatenate([candidate.picture for candidate in candidates], axis=1)
    data = io.BytesIO()
    Image.fromarray(strip).save(data, "PNG")
    write_bytes(path, data.getvalue())


def read_sketches(path: Path, recipe: Recipe) -> list[np.ndarray]:
    """The pictures ``(H, W, 3)`` uint8 of a strip; none if there is no whole strip.

    They are as large as the recipe's canvas at the start.
    """
    try:
        strip = np.asarray(open_picture(path, max_pixels=_MOST_PIXELS, max_bytes=_MOST_BYTES))
    except PictureError:
        return []
    width, height = recipe.canvas(recipe.stage(0))
    if strip.shape[0] != height or strip.shape[1] % width:
        return []
    return np.split(strip, strip.shape[1] // width, axis=1)

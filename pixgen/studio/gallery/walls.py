"""Walls of tiles: a picture repeated, with every other one mirrored as it was painted for."""

from pathlib import Path

import numpy as np
from PIL import Image

from pixgen.errors import PixgenError, RecipeError
from pixgen.images import open_picture
from pixgen.recipe.effects.filters import Wall
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.storage import atomic_write

MOST_TILES = 12  # along a side
_LARGEST_SIDE = 16_384  # pixels of a wall
KINDS = ("shift", "across", "down", "both")


def lay_wall(picture: Image.Image, kind: str, *, columns: int = 3, rows: int = 3) -> Image.Image:
    """A wall of ``columns`` by ``rows`` tiles. Raises RecipeError for an unknown kind and too many tiles."""
    if kind not in KINDS:
        raise RecipeError(
            "There is no wall “{kind}”: choose {choices}.", kind=kind[:20], choices=", ".join(KINDS)
        )
    largest = max(columns * picture.width, rows * picture.height)
    if not (1 <= columns <= MOST_TILES and 1 <= rows <= MOST_TILES) or largest > _LARGEST_SIDE:
        raise RecipeError(
            "A wall has 1 to {limit} tiles along each side, and at most {side} pixels.",
            limit=MOST_TILES,
            side=_LARGEST_SIDE,
        )
    wall, tile = Wall.model_validate({"kind": kind}), np.asarray(picture.convert("RGB"))
    flipped = tile[:, ::-1] if wall.is_mirrored(-1) else tile
    row = np.concatenate([flipped if number % 2 else tile for number in range(columns)], axis=1)
    below = row[::-1] if wall.is_mirrored(-2) else row
    return Image.fromarray(np.concatenate([below if number % 2 else row for number in range(rows)], axis=0))


def wall_kind(path: Path) -> str:
    """The wall that a picture was painted for, by its recipe; “shift” if it was for none or has no recipe."""
    try:
        recipe = read_metadata(path)
    except PixgenError:
        return "shift"
    return recipe.wall.kind or "shift"


def wall_of_file(path: Path, *, kind: str | None = None, columns: int = 3, rows: int = 3) -> Image.Image:
    """The wall of a picture's file. Raises PictureError, RecipeError."""
    return lay_wall(open_picture(path), kind or wall_kind(path), columns=columns, rows=rows)


def save_wall(wall: Image.Image, path: Path) -> None:
    """Write a wall as PNG. Raises StorageError."""
    with atomic_write(path) as temporary:
        wall.save(temporary, "PNG")

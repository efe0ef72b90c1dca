"""Walls of tiles from pictures."""

import numpy as np
import pytest
from PIL import Image

import pixgen
from pixgen.cli.app import main
from pixgen.errors import RecipeError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.gallery.walls import lay_wall
from pixgen.studio.metadata.picture_info import save_png

TILE = np.random.default_rng(1).integers(0, 255, (6, 8, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "right", "below"),
    [
        ("shift", TILE, TILE),
        ("across", TILE[:, ::-1], TILE),
        ("down", TILE, TILE[::-1]),
        ("both", TILE[:, ::-1], TILE[::-1]),
    ],
)
def test_each_kind_of_wall(kind, right, below):
    wall = np.asarray(lay_wall(Image.fromarray(TILE), kind))
    assert wall.shape == (18, 24, 3)
    assert (wall[:6, :8] == TILE).all()
    assert (wall[:6, 8:16] == right).all()
    assert (wall[6:12, :8] == below).all()
    assert (wall[12:, 16:] == TILE).all()


def test_a_wall_is_what_the_picture_was_painted_for(tmp_path):
    save_png(TILE, tmp_path / "a.png", make_recipe({"prompts": "a", "wall": {"kind": "across"}}))
    wall = np.asarray(pixgen.wall(tmp_path / "a.png", columns=2, rows=1))
    assert (wall[:, 8:] == TILE[:, ::-1]).all()
    assert main(["wall", str(tmp_path / "a.png"), "--tiles", "2x1", "--out", str(tmp_path / "b.png")]) == 0
    assert (np.asarray(Image.open(tmp_path / "b.png")) == wall).all()


def test_walls_that_are_not_possible(tmp_path, capsys):
    with pytest.raises(RecipeError, match="There is no wall “round”"):
        lay_wall(Image.fromarray(TILE), "round")
    with pytest.raises(RecipeError, match="1 to 12 tiles"):
        lay_wall(Image.fromarray(TILE), "shift", columns=13)
    save_png(TILE, tmp_path / "a.png", None)
    assert main(["wall", str(tmp_path / "a.png"), "--tiles", "3x", "--out", str(tmp_path / "b.png")]) == 2
    assert "is not a number of tiles" in capsys.readouterr().err

"""Drawers without a VQGAN: each begins with a picture, paints, and goes on exactly where it stopped."""

import numpy as np
import pytest
import torch

from pixgen.errors import RecipeError
from pixgen.losses import rgb
from pixgen.recipe.init import INIT_KINDS
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.drawers.pixels import cell_map
from tests.synthesis.resuming import pictures, same, stopped_and_resumed

WAYS = {
    "pixels": {"drawer": "pixels"},
    "hexes": {"drawer": "pixels", "pixels": {"shape": "hex", "count": 4}},
    "triangles": {"drawer": "pixels", "pixels": {"shape": "triangle", "size": 6}},
    "diamonds": {"drawer": "pixels", "pixels": {"shape": "diamond", "colours": "red, white, navy"}},
    "waves": {"drawer": "fourier"},
    "wavelets": {"drawer": "fourier", "fourier": {"transform": "dwt"}},
    "multires": {"drawer": "multires"},
    "lines": {"drawer": "lines", "lines": {"count": 12}},
}


def recipe(way: str, **fields) -> Recipe:
    base = {"prompts": "a red fox", "width": 40, "height": 32, "steps": 6, "seed": 3}
    common = {"cutouts": {"count": 3}, "optimizer": {"learning_rate": 0.05}}
    return make_recipe(base, common, WAYS[way], fields)


@pytest.fixture
def paint(tiny_perceptor):
    def start(wanted: Recipe, **options) -> Optimization:
        return Optimization(wanted, make_drawer(wanted), tiny_perceptor, **options)

    return start


def clouds() -> torch.Tensor:
    return INIT_KINDS["perlin"].noise(width=40, height=32, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("way", WAYS)
def test_the_loss_falls(paint, way):
    wanted = recipe(way, steps=25, cutouts={"kind": "crowson", "count": 8})
    losses = [frame.losses["prompts"] for frame in paint(wanted)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.parametrize("way", WAYS)
def test_stopping_and_resuming_paints_the_same_pixels(paint, way):
    wanted = recipe(way, average=0.5)
    whole = pictures(paint(wanted))
    assert len(whole) == 7
    assert same(whole, stopped_and_resumed(lambda: paint(wanted), after=3))


@pytest.mark.parametrize("way", WAYS)
def test_a_seed_decides_the_initial_latent(paint, way):
    first, again, other = (next(paint(recipe(way, seed=seed))).picture for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("way", "near"), [("pixels", 0.06), ("waves", 0.01), ("wavelets", 0.01), ("multires", 0.01),
                      ("hexes", 0.15), ("lines", 0.1)],
)  # fmt: skip
def test_it_starts_from_a_given_picture(way, near):
    drawer, picture = make_drawer(recipe(way, lines={"count": 60})), clouds()
    drawer.start_from(picture)
    assert float((drawer.draw().detach() - picture).abs().mean()) < near


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [(33, 50), (64, 32)])
def test_any_size_is_drawn_as_asked(way, size):
    width, height = size
    drawer = make_drawer(recipe(way, width=width, height=height))
    drawer.start_random(torch.Generator().manual_seed(1))
    drawn = drawer.draw()
    assert drawn.shape == (1, 3, height, width)
    assert 0 <= float(drawn.detach().min()) <= float(drawn.detach().max()) <= 1
    assert float(drawn.detach().std()) > 0.01


@pytest.mark.parametrize("shape", ["square", "hex", "triangle", "diamond"])
def test_cells_are_of_about_the_same_size_and_numbered_without_gaps(shape):
    found = cell_map(shape, 8, width=96, height=96)
    sizes = found.flatten().bincount()
    assert int(sizes.min()) > 0
    inside = found[24:72, 24:72].unique()
    assert 30 < float(sizes[inside].float().median()) < 70
    assert float(sizes[inside].float().std()) < 12


def test_a_given_palette_is_all_that_is_shown(paint):
    *_, last = paint(recipe("diamonds"))
    shown = {tuple(pixel) for pixel in last.picture.reshape(-1, 3).tolist()}
    allowed = {tuple(round(255 * part) for part in rgb(name)) for name in ("red", "white", "navy")}
    assert shown <= allowed


def test_a_palette_that_is_found_has_as_many_colours_as_asked_and_moves(paint):
    frames = [frame.picture for frame in paint(recipe("hexes"))]
    assert all(len(np.unique(each.reshape(-1, 3), axis=0)) <= 4 for each in frames)
    first, last = ({tuple(c) for c in each.reshape(-1, 3).tolist()} for each in (frames[0], frames[-1]))
    assert first != last


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pixels": {"colours": "red"}}, "at least two"),
        ({"pixels": {"colours": "red, blue", "count": 3}}, "not both"),
        ({"pixels": {"colours": "red, no such colour"}}, "is not a colour"),
        ({"init": {"kind": "picture", "picture": "a.png", "mask": "b.png"}}, "only the drawing method vqgan"),
    ],
)
def test_settings_that_exclude_each_other_raise(fields, said):
    with pytest.raises(RecipeError, match=said):
        recipe("pixels", **fields)

"""The camera in 3D: homographies of a plane, parallax over a depth, and borders that are filled."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.recipe.journey import Motion
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.motion import _camera_grid, _motion_grid, inpaint, move
from tests.synthesis.resuming import pictures, same, stopped_and_resumed

STILL = {"zoom": 1.0, "x": 0.0, "y": 0.0, "turn": 0.0}


def grid(depth=None, height=40, width=60, **fields):
    return _camera_grid(Motion(**{**STILL, **fields}), height=height, width=width, depth=depth)[0]


def test_a_camera_that_only_moves_in_the_plane_is_the_flat_one():
    fields = {"zoom": 1.2, "x": 0.1, "y": -0.05, "turn": 20.0}
    flat = _motion_grid(Motion(**fields), height=40, width=60)
    assert torch.allclose(_camera_grid(Motion(**fields), height=40, width=60, depth=None), flat, atol=1e-5)


def test_a_dolly_on_a_plane_is_a_zoom():
    assert torch.allclose(grid(dolly=0.2), grid(zoom=1 / 0.8), atol=1e-5)


def test_a_pan_moves_the_centre_by_its_tangent():
    found = grid(pan=5.0, height=41, width=61)[20, 30]
    assert found.tolist() == pytest.approx([2 * math.tan(math.radians(5)) / (61 / 41), 0], abs=1e-4)


def test_a_tilt_makes_a_trapezium():
    found = grid(tilt=20.0)
    widths = (found[:, -1, 0] - found[:, 0, 0]).tolist()
    assert widths[0] > 1.1 * widths[-1]  # what is farther up is farther away, so more of it is seen
    assert float(found[20, 30, 1]) < 0


def test_a_homography_keeps_lines_straight():
    found = grid(tilt=15.0, pan=-10.0, dolly=0.1)
    line = found[12] - found[12, 0]
    cross = line[1:, 0] * line[-1, 1] - line[1:, 1] * line[-1, 0]
    assert cross.abs().max() < 1e-4


def test_what_is_near_moves_faster():
    depth = torch.zeros(1, 1, 40, 60)
    depth[..., :30] = 1  # the left half is near
    found = grid(depth=depth, dolly=0.3)
    flat = grid()
    left, right = (found[20, at, 0] / flat[20, at, 0] for at in (5, 55))
    assert float(left) == pytest.approx(0.7, abs=0.01)
    assert float(right) == pytest.approx(0.85, abs=0.01)
    moved = grid(depth=depth, x=0.1)
    assert float(moved[20, 5, 0] - flat[20, 5, 0]) == pytest.approx(0.2, abs=0.01)
    assert float(moved[20, 55, 0] - flat[20, 55, 0]) == pytest.approx(0.1, abs=0.01)


def test_holes_are_filled_with_their_surroundings():
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).clone()
    known = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    known[..., 8:16, 8:16] = False
    holed = torch.where(known, ramp, torch.full_like(ramp, 9.0))
    filled = inpaint(holed, known)
    assert torch.equal(filled[known.expand_as(filled)], ramp[known.expand_as(ramp)])
    assert (filled - ramp).abs().max() < 0.15


def test_an_inpainted_border_is_neither_mirrored_nor_an_edge():
    picture = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(3))
    moved = move(picture, Motion(1.0, 0.5, 0.0, 0.0), border="inpaint")
    assert torch.allclose(moved[..., :11], picture[..., 12:23], atol=1e-3)
    outside = moved[..., 12:]
    assert float(outside.min()) >= float(picture.min())
    assert float(outside.std()) < float(picture.std()) / 1.5


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def make(**journey):
        moves = {"every": 2, "after": 1, **journey}
        base = {"prompts": "a fox", "width": 32, "height": 32, "steps": 7, "cutouts": {"count": 2}, "seed": 4}
        recipe = make_recipe(base, {"journey": moves})
        depth = Image.fromarray(np.tile(np.linspace(0, 255, 16, dtype=np.uint8), (16, 1)))
        given = {"d.png": depth}
        return Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor, pictures=given)

    return make


@pytest.mark.parametrize(
    "journey",
    [
        {"tilt": 4, "pan": "3*sin(frame)", "border": "inpaint"},
        {"dolly": 0.1, "depth": "d.png"},
        {"dolly": 0.1, "depth": "d.png", "where": "latent", "border": "wrap"},
    ],
)
def test_a_journey_in_3d_moves_and_continues_exactly(paint, journey):
    whole = pictures(paint(**journey))
    assert same(whole, stopped_and_resumed(lambda: paint(**journey), after=4))
    assert not same(whole, pictures(paint()))

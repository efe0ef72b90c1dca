"""Journeys in the loop: frames that move, exactly again, over videos and along keyframes."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.recipe.journey import Motion
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.motion import move
from tests.synthesis.resuming import pictures, same, stopped_and_resumed

STILL = {"zoom": 1.0, "x": 0.0, "y": 0.0, "turn": 0.0}


def motion(**fields):
    return Motion(**{**STILL, **fields})


def board(height=32, width=48):
    """A picture with a bright spot right of the centre, ``(1, 3, H, W)``."""
    picture = torch.zeros(1, 3, height, width)
    picture[..., height // 2 - 2 : height // 2 + 2, width * 3 // 4 - 2 : width * 3 // 4 + 2] = 1
    return picture


def spot(picture):
    """Where the bright spot is, in parts of the width and height from the centre."""
    light = picture[0].mean(0).clamp(min=0)
    rows, columns = torch.meshgrid(
        torch.linspace(-0.5, 0.5, light.shape[0]), torch.linspace(-0.5, 0.5, light.shape[1]), indexing="ij"
    )
    return [float((light * each).sum() / light.sum()) for each in (columns, rows)]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, (0.25, 0)),
        ({"x": 0.125}, (0.125, 0)),  # the view goes to the right, so what is seen to the left
        ({"y": 0.25}, (0.25, -0.25)),
        ({"zoom": 1.5}, (0.375, 0)),
        ({"turn": 90}, (0, 0.375)),  # clockwise, and in squares: a canvas of 3:2
        ({"turn": 180}, (-0.25, 0)),
    ],
)
def test_a_motion_moves_the_view(fields, where):
    found = move(board(), motion(**fields), border="edge")
    assert found.shape == (1, 3, 32, 48)
    assert spot(found) == pytest.approx(where, abs=0.02)


@pytest.mark.parametrize("border", ["reflect", "wrap", "edge"])
def test_no_hole_comes_in_at_the_border(border):
    white = torch.ones(1, 3, 20, 32)
    found = move(white, motion(zoom=0.7, x=0.4, turn=30), border=border)
    assert found.min() > 0.99


def test_what_wraps_comes_in_on_the_other_side():
    found = move(board(), motion(x=0.5), border="wrap")
    assert spot(found)[0] == pytest.approx(-0.25, abs=0.02)
    ramp = torch.arange(32.0).repeat(1, 3, 32, 1)
    assert torch.allclose(move(ramp, motion(x=0.25), border="wrap"), ramp.roll(-8, -1), atol=1e-3)


class Video:
    """A video of even colours, as a mapping from frames."""

    def __init__(self):
        self.asked = []

    def __getitem__(self, frame):
        self.asked.append(frame)
        return Image.new("RGB", (32, 32), (min(255, 40 * frame), 80, 120))


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def start(recipe, pictures=None):
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, pictures=pictures)

    return start


def recipe(journey=(), **fields):
    base = {
        "prompts": "a red fox ^ an owl",
        "width": 32,
        "height": 32,
        "steps": 10,
        "seed": 3,
        "cutouts": {"count": 3},
        "optimizer": {"learning_rate": 0.3, "schedule": "constant"},
        "journey": {"every": 2, "after": 2, "zoom": "0:1, 4:1.2", "turn": 5, **dict(journey)},
    }
    return make_recipe(base, fields)


KINDS = [
    {},
    {"smooth": 0.6},
    {"where": "latent", "smooth": 0.5, "border": "wrap"},
]


@pytest.mark.parametrize("journey", KINDS)
@pytest.mark.parametrize("stopped_after", [1, 4, 5, 10])
def test_a_journey_stopped_anywhere_goes_on_exactly(paint, journey, stopped_after):
    wanted = recipe(journey)
    whole = pictures(paint(wanted))
    assert same(whole, stopped_and_resumed(lambda: paint(wanted), after=stopped_after))


@pytest.mark.parametrize("drawer", ["pixels", "fourier", "multires"])
def test_other_drawers_travel_too(paint, drawer):
    wanted = recipe({"smooth": 0.3}, drawer=drawer)
    assert same(pictures(paint(wanted)), pictures(paint(wanted)))


def test_before_the_first_frame_nothing_moves_and_then_all_does(paint):
    moving, still = (
        pictures(paint(recipe({"after": 4}))),
        pictures(paint(recipe({"every": 0, "after": 0}))),
    )
    assert same(moving[:5], still[:5])
    assert not np.array_equal(moving[5], still[5])


def test_a_longer_journey_starts_like_the_shorter_one(paint):
    one_scene = {"prompts": "a red fox"}
    shorter, longer = (pictures(paint(recipe(steps=steps, **one_scene))) for steps in (6, 10))
    assert same(shorter, longer[:7])


def test_smoothing_calms_the_video(paint):
    def flicker(smooth):
        still = {"zoom": 1, "turn": 0, "smooth": smooth}
        frames = pictures(paint(recipe(still, steps=16, optimizer={"learning_rate": 1})))[4::2]
        pairs = zip(frames, frames[1:], strict=False)
        return np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs])

    assert flicker(0.8) < 0.8 * flicker(0)


VIDEO = {
    "init": {"kind": "video"},
    "journey": {"zoom": 1, "turn": 0, "every": 2, "after": 2, "video": "a.mp4", "carry": 0.7},
}


@pytest.mark.parametrize("more", [{}, {"smooth": 0.5}])
def test_a_video_is_painted_over_frame_by_frame_and_goes_on_exactly(paint, more):
    wanted = recipe(VIDEO["journey"] | more, init=VIDEO["init"], losses={"start_pixels": 1})
    video = Video()
    whole = pictures(paint(wanted, {"a.mp4": video}))
    assert set(video.asked) == {0, 1, 2, 3, 4}
    for stopped_after in (2, 5):
        again = stopped_and_resumed(lambda: paint(wanted, {"a.mp4": Video()}), after=stopped_after)
        assert same(whole, again)


def test_without_carry_every_frame_starts_from_the_video(paint):
    wanted = recipe(VIDEO["journey"] | {"carry": 0}, init=VIDEO["init"])
    frames = pictures(paint(wanted, {"a.mp4": Video()}))
    again = pictures(paint(wanted, {"a.mp4": Video()}))
    assert same(frames, again)
    carried = pictures(paint(recipe(VIDEO["journey"] | {"carry": 1}, init=VIDEO["init"]), {"a.mp4": Video()}))
    assert same(frames[:3], carried[:3])
    assert not np.array_equal(frames[4], carried[4])

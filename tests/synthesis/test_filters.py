"""Filters in the loop: windows of a wall, overlays, and colours that are looked up or carried over."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.losses.layout import tiling_loss
from pixgen.recipe.effects.filters import Colouring, Wall
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.filters import carry_colours, colour_filter, look_up, wall_window
from tests.synthesis.resuming import pictures, same, stopped_and_resumed

CPU = torch.device("cpu")


def ramp(height=8, width=12):
    """A picture whose values name their places."""
    values = torch.arange(height * width, dtype=torch.float32).view(1, 1, height, width)
    return values.expand(1, 3, height, width) / (height * width)


def identity(size=5):
    steps = np.linspace(0, 1, size, dtype=np.float32)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return np.stack([red, green, blue], -1)


@pytest.mark.parametrize("kind", ["shift", "across", "down", "both"])
def test_a_window_shows_the_wall(kind):
    picture, wall = ramp(), Wall(kind=kind)
    across = torch.cat([picture, picture.flip(-1) if wall.is_mirrored(-1) else picture], -1)
    whole = torch.cat([across, across.flip(-2) if wall.is_mirrored(-2) else across], -2)
    whole = torch.cat([torch.cat([whole, whole], -1)] * 2, -2)
    generator = torch.Generator().manual_seed(5)
    for _ in range(5):
        window = wall_window(picture, wall, generator)
        assert window.shape == picture.shape
        places = [
            (y, x)
            for y in range(16)
            for x in range(24)
            if torch.equal(whole[..., y : y + 8, x : x + 12], window)
        ]
        assert places


def test_only_sides_that_are_not_mirrored_have_seams():
    assert Wall().seam_axes == ()
    assert Wall(kind="shift").seam_axes == (-1, -2)
    assert Wall(kind="across").seam_axes == (-2,)
    assert Wall(kind="both").seam_axes == ()


def test_a_table_of_no_change_changes_nothing():
    picture = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(look_up(picture, torch.tensor(identity())), picture, atol=1e-5)


def test_a_table_swaps_colours_and_passes_the_gradient():
    table = torch.tensor(identity()[..., ::-1].copy())  # red becomes blue
    picture = torch.rand(1, 3, 4, 4).requires_grad_()
    found = look_up(picture, table)
    assert torch.allclose(found, picture.flip(1), atol=1e-5)
    found[:, 2].sum().backward()
    assert picture.grad[:, 0].min() > 0.9
    assert picture.grad[:, 1:].abs().max() < 1e-4


def test_colours_are_carried_over_from_a_picture():
    chance = torch.Generator().manual_seed(2)
    picture = 0.4 + 0.1 * torch.randn(1, 3, 40, 40, generator=chance)
    other = torch.tensor([0.6, 0.5, 0.3])[:, None, None] + 0.05 * torch.randn(1, 3, 40, 40, generator=chance)
    mean, covariance = other[0].flatten(1).mean(1), torch.cov(other[0].flatten(1))
    found = carry_colours(picture, mean, covariance)[0].flatten(1)
    assert torch.allclose(found.mean(1), mean, atol=0.01)
    assert torch.allclose(torch.cov(found), covariance, atol=2e-4)


def test_half_a_colouring_is_half_way():
    table = identity()[..., ::-1].copy()
    picture = torch.rand(1, 3, 4, 4)
    half = colour_filter(Colouring(lookup="a.cube", strength=0.5), {"a.cube": table}, CPU)
    assert torch.allclose(half(picture), (picture + picture.flip(1)) / 2, atol=1e-5)
    assert colour_filter(Colouring(), {}, CPU) is None
    assert colour_filter(Colouring(lookup="a.cube", strength=0), {}, CPU) is None


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def make(pictures=None, **fields):
        base = {"prompts": "a fox", "width": 32, "height": 32, "steps": 6, "seed": 4, "cutouts": {"count": 2}}
        recipe = make_recipe(base, fields)
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, pictures=pictures or {})

    return make


def test_an_overlay_comes_in_every_so_many_steps(paint):
    overlay = Image.new("RGBA", (32, 32), (255, 0, 0, 255))
    overlay.paste((0, 0, 0, 0), (0, 0, 16, 32))  # nothing on the left
    fields = {"overlay": {"picture": "a.png", "every": 3, "alpha": 1}, "drawer": "pixels"}
    frames = [frame.picture.astype(int) for frame in paint({"a.png": overlay}, **fields)]
    plain = [frame.picture.astype(int) for frame in paint(drawer="pixels")]
    assert (frames[2] == plain[2]).all()
    assert (frames[3][:, 16:] == (255, 0, 0)).all()
    assert (frames[3][:, :16] == plain[3][:, :16]).all()
    assert (frames[6][:, 16:] == (255, 0, 0)).all()
    assert not (frames[5][:, 16:] == (255, 0, 0)).all()


def test_an_overlay_ends(paint):
    overlay = {"picture": "a.png", "every": 1, "alpha": 1, "until": 0.5}
    red = {"a.png": Image.new("RGB", (32, 32), "red")}
    frames = [frame.picture for frame in paint(red, overlay=overlay, drawer="pixels")]
    assert (frames[3] == (255, 0, 0)).all()
    assert not (frames[6] == (255, 0, 0)).all()


def test_every_frame_is_coloured(paint):
    table = np.zeros((2, 2, 2, 3), np.float32)
    table[...] = (0.2, 0.4, 0.6)
    frames = list(paint({"a.cube": table}, colouring={"lookup": "a.cube"}))
    assert all((frame.picture == (51, 102, 153)).all() for frame in frames)


def test_a_wall_has_fewer_seams(paint):
    fields = {"drawer": "pixels", "pixels": {"size": 1}, "steps": 30, "optimizer": {"learning_rate": 0.1}}

    def seams(**more):
        frame = list(paint(**fields, **more))[-1]
        return float(tiling_loss(torch.tensor(frame.picture).permute(2, 0, 1)[None] / 255.0))

    assert seams(wall={"kind": "shift", "seams": 50}) < seams() / 3


@pytest.mark.parametrize(
    "fields",
    [
        {"wall": {"kind": "both"}},
        {"overlay": {"picture": "a.png", "every": 2}},
        {"colouring": {"picture": "a.png"}},
    ],
)
def test_a_stopped_run_continues_to_the_same_picture(paint, fields):
    def make():
        return paint({"a.png": Image.new("RGB", (8, 8), "red")}, **fields)

    assert same(pictures(make()), stopped_and_resumed(make, after=3))


def test_noise_and_directions_are_targets(paint):
    optimization = paint(prompts="[noise:7] | a cat -> a dog")
    objective = optimization._objective
    noise, direction = (objective._target(prompt) for prompt in optimization.recipe.prompts[0])
    again = paint(prompts="[noise:7] | a dog -> a cat")
    same_noise, opposite = (again._objective._target(prompt) for prompt in again.recipe.prompts[0])
    assert torch.equal(noise, same_noise)
    assert torch.allclose(direction, -opposite, atol=1e-5)
    assert float(noise.norm()) == pytest.approx(1, abs=1e-5)
    assert [label for label, _ in next(optimization).similarities] == ["noise 7", "a cat → a dog"]


def test_weights_follow_the_time(paint):
    cells = {"drawer": "pixels", "steps": 5}
    changing = paint(prompts="a fox | a cat :(frame >= 3)", **cells)
    weights = [[each.weight for each in changing.recipe.transition(step)[0]] for step in range(5)]
    assert weights == [[1, 0]] * 3 + [[1, 1]] * 2
    frames, even = list(changing), list(paint(prompts="a fox | a cat", **cells))
    assert frames[0].losses["prompts"] != even[0].losses["prompts"]
    assert not (frames[5].picture == even[5].picture).all()

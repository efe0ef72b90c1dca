"""A canvas that grows: the same pixels again, stopped and resumed anywhere, and a memory that fits."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.models import load_vqgan
from pixgen.paths import ASSETS
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.canvas import grow_latent, resize_moments
from pixgen.synthesis.drawers.base import VqganDrawer
from pixgen.synthesis.tensors import to_tensor
from pixgen.synthesis.upscale import enlarge
from tests.synthesis.resuming import pictures, same, stopped_and_resumed


def recipe(**fields) -> Recipe:
    base = {
        "prompts": "a red fox", "width": 72, "height": 64, "steps": 4, "seed": 3, "grow": {"at": 0.5},
        "cutouts": {"count": 2}, "optimizer": {"learning_rate": 0.6}, "average": 0.5,
    }  # fmt: skip
    return make_recipe(base, fields)


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def start(recipe: Recipe, **pictures) -> Optimization:
        drawer = make_drawer(recipe, tiny_vqgan, pictures=pictures)
        return Optimization(recipe, drawer, tiny_perceptor, pictures=pictures)

    return start


def test_a_canvas_starts_small_and_every_frame_has_full_size(paint):
    painting, sides = paint(recipe()), []
    for frame in painting:
        sides.append((painting.canvas.drawer.width, painting.canvas.drawer.height))
        assert frame.picture.shape == (64, 72, 3)
    assert sides == [(36, 32)] * 2 + [(72, 64)] * 3


@pytest.mark.parametrize("stopped_after", [1, 2, 3, 5])
def test_stopping_and_resuming_across_a_growth_paints_the_same_pixels(paint, stopped_after):
    wanted = recipe(losses={"start_pixels": 1.0, "start_latent": 0.1})
    whole = pictures(paint(wanted))
    frames = stopped_and_resumed(lambda: paint(wanted), after=stopped_after)
    # Stopped after the last frame, that one is looked at again.
    assert same(whole, frames[: len(whole)])
    assert len(frames) in (len(whole), len(whole) + 1)


def test_growing_keeps_the_picture():
    vqgan, picture = load_vqgan("pocket", "cpu"), Image.open(ASSETS / "examples" / "dog.png")
    small, larger = (VqganDrawer(vqgan, width=side, height=side) for side in (64, 128))
    small.start_from(to_tensor(picture.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)))
    larger.latent.data.copy_(grow_latent(small.latent, drawer=small, larger=larger))
    with torch.no_grad():
        wanted = enlarge(small.draw(), width=128, height=128)
        assert (larger.draw() - wanted).abs().mean() < 0.04


def test_more_steps_never_shrink_what_has_grown(paint):
    done = paint(recipe())
    list(done)
    longer = paint(recipe(steps=60))
    longer.restore(done.state())
    next(longer)
    assert (longer.canvas.drawer.width, longer.canvas.drawer.height) == (72, 64)


def test_what_a_mask_keeps_keeps_its_pixels(paint):
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    mask = Image.fromarray(np.repeat(np.uint8([[0] * 32 + [255] * 32]), 64, axis=0))
    start = {"kind": "picture", "picture": "photo", "mask": "mask", "fill": "codes"}
    *_, last = paint(recipe(width=64, init=start), photo=photo, mask=mask)
    assert np.array_equal(last.picture[:, :32], np.array(photo)[:, :32])
    assert not np.array_equal(last.picture[:, 40:], np.array(photo)[:, 40:])


def test_the_memory_of_gradients_shrinks_as_they_are_shared():
    old, new = torch.Size((1, 2, 3, 4)), torch.Size((1, 2, 6, 8))
    state = {"exp_avg": torch.ones(old), "exp_avg_sq": torch.ones(old), "step": torch.tensor(5.0)}
    grown = resize_moments({"state": {0: state}, "param_groups": []}, old=old, new=new)["state"][0]
    assert grown["exp_avg"].shape == grown["exp_avg_sq"].shape == new
    assert torch.allclose(grown["exp_avg"], torch.tensor(1 / 4))
    assert torch.allclose(grown["exp_avg_sq"], torch.tensor(1 / 16))
    assert grown["step"] == 5


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"grow": {"at": "0.8, 0.5"}}, "ascending order"),
        ({"grow": {"at": 1.5}}, "less than 1"),
        ({"grow": {"at": [0.2, 0.5]}}, "begin with 16 pixels per side, but needs 32"),
        ({"drawer": "pixels"}, "only the drawing method vqgan"),
    ],
)
def test_impossible_growth_raises(fields, said):
    with pytest.raises(RecipeError, match=said):
        recipe(**fields)


def test_an_enlarged_picture_is_the_one_that_was_given_when_it_is_reduced():
    chance = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 6, 8, generator=chance)
    picture = torch.nn.functional.interpolate(coarse, size=(24, 32), mode="bicubic").clamp(0, 1)
    larger = enlarge(picture, width=96, height=72)
    assert larger.shape == (1, 3, 72, 96)
    again = torch.nn.functional.interpolate(larger, size=(24, 32), mode="area")
    assert (again - picture).abs().mean() < 0.02


def test_an_edge_is_crisper_than_interpolated_and_does_not_ring():
    edge = torch.full((1, 3, 16, 16), 0.3)
    edge[..., 8:] = 0.7
    plain = torch.nn.functional.interpolate(edge, size=(64, 64), mode="bicubic")
    larger = enlarge(edge, width=64, height=64)

    def blurred(picture: torch.Tensor) -> float:
        return float(((picture > 0.34) & (picture < 0.66)).float().mean())

    assert blurred(larger) < blurred(plain)
    assert 0.3 - 1e-6 <= float(larger.min()) < float(larger.max()) <= 0.7 + 1e-6


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        ({}, (64, 64)),
        ({"width": 512, "height": 512}, (128, 128)),
        ({"width": 96, "height": 64}, (96, 64)),
        ({"drawer": "pixels"}, (256, 256)),
        ({"journey": {"every": 2, "zoom": [[0, 1.1]]}}, (256, 256)),
    ],
)
def test_a_smallest_start_leaves_out_enlargements(fields, started):
    base = {"prompts": "a red fox", "width": 256, "height": 256, "grow": {"at": [0.5, 0.8], "smallest": 64}}
    made = make_recipe(base, fields)
    assert made.canvas(made.stage(0)) == started
    assert made.canvas(made.stage(made.steps)) == (made.width, made.height)

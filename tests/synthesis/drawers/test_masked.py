"""A part of a picture painted anew, and canvases that go on beyond a picture."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, SketchModel, make_drawer


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor, tiny_sketcher):
    def pictures(recipe: Recipe, **given: Image.Image) -> list[np.ndarray]:
        sketch_model = SketchModel(tiny_sketcher, tiny_vqgan, tiny_perceptor)
        drawer = make_drawer(recipe, tiny_vqgan, pictures=given)
        frames = Optimization(recipe, drawer, tiny_perceptor, pictures=given, sketch_model=sketch_model)
        return [frame.picture for frame in frames]

    return pictures


def recipe(size: tuple[int, int] = (32, 32), **start) -> Recipe:
    return make_recipe({
        "prompts": "a red fox", "width": size[0], "height": size[1], "steps": 3, "seed": 3,
        "cutouts": {"count": 2}, "optimizer": {"learning_rate": 0.6},
        "init": {"kind": "picture", "picture": "photo", "sketch": {"candidates": 2}, **start},
    })  # fmt: skip


@pytest.fixture
def photo() -> Image.Image:
    chance = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    return Image.fromarray(chance)


@pytest.fixture
def right_half() -> Image.Image:
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 255
    return Image.fromarray(mask)


@pytest.mark.parametrize("fill", ["sketch", "codes", "picture"])
def test_what_is_kept_keeps_its_pixels(paint, photo, right_half, fill):
    frames = paint(recipe(mask="mask", fill=fill), photo=photo, mask=right_half)
    for frame in frames[-4:]:
        assert np.array_equal(frame[:, :16], np.array(photo)[:, :16])
    assert not np.array_equal(frames[-1][:, 20:], np.array(photo)[:, 20:])
    assert not np.array_equal(frames[-1][:, 20:], frames[-4][:, 20:])


def test_a_mask_without_white_is_refused(paint, photo):
    black = Image.new("RGB", (32, 32))
    with pytest.raises(RecipeError, match="paint the area to repaint white"):
        paint(recipe(mask="mask"), photo=photo, mask=black)


@pytest.mark.parametrize(
    ("side", "size", "kept"),
    [
        ("right", (48, 32), (slice(None), slice(0, 32))),
        ("left", (48, 32), (slice(None), slice(16, 48))),
        ("bottom", (32, 48), (slice(0, 32), slice(None))),
        ("top", (32, 48), (slice(16, 48), slice(None))),
    ],
)
def test_a_picture_is_extended_to_a_side(paint, photo, side, size, kept):
    last = paint(recipe(size, extend=side), photo=photo)[-1]
    assert last.shape == (size[1], size[0], 3)
    assert np.array_equal(last[kept], np.array(photo))
    assert last.std() > 0


def test_a_canvas_without_room_is_refused(paint, photo):
    with pytest.raises(RecipeError, match="nothing to extend to the right.*Choose a wider size"):
        paint(recipe(extend="right"), photo=photo)


def test_a_mask_needs_a_picture_and_no_side():
    with pytest.raises(RecipeError, match="needs init.kind"):
        make_recipe({"prompts": "a", "init": {"kind": "codes", "mask": "m.png"}})
    with pytest.raises(RecipeError, match="a mask or a side to extend to"):
        recipe(mask="m.png", extend="left")


def test_gradients_come_from_what_is_painted(tiny_vqgan, photo, right_half):
    drawer = make_drawer(recipe(mask="mask"), tiny_vqgan, pictures={"photo": photo, "mask": right_half})
    drawer.draw()[..., :16].sum().backward()
    assert torch.count_nonzero(drawer.latent.grad) == 0

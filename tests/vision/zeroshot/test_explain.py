"""Explanations: the heat lies where the model looks, and adds up to what the picture gained."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.models.clip.perceptor import Perceptor
from pixgen.vision.zeroshot.explain import explain, label_direction, overlay


class LeftEye(torch.nn.Module):
    """Sees only how red the left half is."""

    def encode_image(self, pictures: torch.Tensor) -> torch.Tensor:
        red = pictures[:, 0, :, : pictures.shape[-1] // 2].mean((1, 2))
        return torch.stack([red, torch.full_like(red, 0.5)], dim=1)


@pytest.fixture
def two_red_squares() -> Image.Image:
    """One on the left and one on the right of a dark ground."""
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    for column in (8, 44):
        pixels[26:38, column : column + 12] = (255, 0, 0)
    return Image.fromarray(pixels)


def test_the_heat_is_where_the_model_looks(two_red_squares):
    eye = Perceptor(LeftEye(), None, size=64, mean=(0.0,) * 3, std=(1.0,) * 3)
    heat = explain(eye, two_red_squares, torch.tensor([1.0, 0.0]))
    assert heat.shape == (64, 64)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 26 <= row < 38
    assert 8 <= column < 20
    assert np.abs(heat[:, 40:]).max() < 1e-3 * heat.max()


@pytest.fixture
def vit_perceptor():
    """A CLIP whose eye is a transformer, with random weights."""
    from open_clip.model import CLIP

    torch.manual_seed(4)
    vision = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}
    text = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
    model = CLIP(16, vision, text).eval().requires_grad_(False)
    return Perceptor(model, None, size=32, mean=(0.5,) * 3, std=(0.3,) * 3).eval()


@pytest.mark.parametrize("eye", ["tiny_perceptor", "vit_perceptor"])
def test_the_heat_adds_up_to_what_the_picture_gained(eye, request, two_red_squares):
    perceptor = request.getfixturevalue(eye)
    direction = torch.randn(16, generator=torch.Generator().manual_seed(5))
    heat = explain(perceptor, two_red_squares, direction, steps=64, walks=1, noise=0.0)
    from pixgen.vision.images import resize_square, to_batch
    from pixgen.vision.zeroshot import explain as module

    pixels = to_batch([resize_square(two_red_squares, 32)], "cpu")
    both = torch.cat([pixels, module._blur(pixels, 32 * module._BLUR)])
    after, before = (perceptor.embed_images(both) @ direction).tolist()
    assert heat.sum() == pytest.approx(after - before, rel=0.05, abs=1e-3)


def test_the_same_seed_explains_the_same(tiny_perceptor, two_red_squares):
    first, again, other = (
        explain(tiny_perceptor, two_red_squares, torch.ones(16), steps=4, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_label_is_set_apart_from_the_others():
    vectors = torch.eye(3)
    assert label_direction(vectors, 0).tolist() == [1, -0.5, -0.5]
    assert label_direction(vectors[:1], 0).tolist() == [1, 0, 0]


@pytest.mark.parametrize("size", [(40, 20), (900, 300)])
def test_the_heat_glows_over_the_greyed_picture(size):
    heat = np.full((8, 8), -1.0, dtype=np.float32)
    heat[:, :2] = 1
    shown = np.asarray(overlay(Image.new("RGB", size, "blue"), heat)).astype(int)
    assert shown.shape[1] / shown.shape[0] == pytest.approx(size[0] / size[1], rel=0.02)
    assert 256 <= max(shown.shape) <= 512
    assert shown[:, 0].sum() > 3 * shown[:, -1].sum()
    assert (shown[:, -1].max(1) == shown[:, -1].min(1)).all()  # grey where nothing speaks for it

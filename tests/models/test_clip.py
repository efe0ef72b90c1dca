"""The perceptor: equal to open_clip's own model, differentiable, one or several at once."""

import json

import pytest
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from safetensors.torch import load_file

from pixgen.errors import ModelError
from pixgen.models.catalog import find
from pixgen.models.clip import Perceptors, load_perceptor


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def plain() -> CLIP:
    entry = find("pocket", "clip")
    model = CLIP(**json.loads(entry.config.read_text())["model_cfg"]).eval()
    model.load_state_dict({name: tensor.float() if tensor.is_floating_point() else tensor
                           for name, tensor in load_file(entry.weights).items()})  # fmt: skip
    return model


@torch.no_grad()
def test_pictures_are_seen_as_open_clip_sees_them(plain, pictures):
    ours = load_perceptor(("pocket",), "cpu")
    expected = F.normalize(plain.encode_image((pictures - ours.mean) / ours.std), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), expected, atol=1e-5)


@torch.no_grad()
def test_texts_are_read_as_open_clip_reads_them(plain):
    ours = load_perceptor(("pocket",), "cpu")
    texts = ["a red fox", "snow"]
    expected = F.normalize(plain.encode_text(ours.tokenizer(texts)), dim=-1)
    assert torch.allclose(ours.embed_texts(texts), expected, atol=1e-5)


def test_vectors_have_length_one(tiny_perceptor, pictures):
    for vectors in (tiny_perceptor.embed_images(pictures), tiny_perceptor.embed_texts(["a", "b"])):
        assert torch.allclose(vectors.norm(dim=-1), torch.ones(len(vectors)), atol=1e-5)


def test_a_gradient_reaches_the_picture(tiny_perceptor, pictures):
    pictures.requires_grad_()
    tiny_perceptor.embed_images(pictures)[:, 0].sum().backward()
    assert (pictures.grad != 0).any()


@torch.no_grad()
def test_several_perceptors_agree_on_the_mean_cosine(tiny_perceptor, pictures):
    pocket = load_perceptor(("pocket",), "cpu")
    both = Perceptors([tiny_perceptor, pocket])

    def cosines(perceptor) -> torch.Tensor:
        return perceptor.embed_images(pictures) @ perceptor.embed_texts(["a fox", "snow"]).T

    expected = (cosines(tiny_perceptor) + cosines(pocket)) / 2
    assert torch.allclose(cosines(both), expected, atol=1e-5)
    assert both.size == 64


@torch.no_grad()
def test_a_text_longer_than_the_context_is_cut_not_refused(tiny_perceptor):
    assert torch.isfinite(tiny_perceptor.embed_texts(["fox " * 500])).all()


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ModelError, match="There is no CLIP “ViT-Z”: choose pocket"):
        load_perceptor(("ViT-Z",), "cpu")

"""The perceptor: equal to open_clip's own model, differentiable, one or several at once."""

import json

import pytest
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from safetensors.torch import load_file

from pixgen.errors import ModelError
from pixgen.models.catalog import get_entry
from pixgen.models.clip.perceptor import Perceptors, load_perceptor, weight_members


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def plain() -> CLIP:
    entry = get_entry("pocket", "clip")
    model = CLIP(**json.loads(entry.config.read_text())["model_cfg"]).eval()
    model.load_state_dict(
        {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in load_file(entry.weights).items()
        }
    )
    return model


@torch.no_grad()
def test_pictures_are_embedded_as_open_clip_does(plain, pictures):
    ours = load_perceptor(("pocket",), "cpu")
    expected = F.normalize(plain.encode_image((pictures - ours.mean) / ours.std), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), expected, atol=1e-5)


@torch.no_grad()
def test_texts_are_embedded_as_open_clip_does(plain):
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


def test_an_unknown_name_lists_the_available_names():
    with pytest.raises(ModelError, match="There is no CLIP “ViT-Z”: choose pocket"):
        load_perceptor(("ViT-Z",), "cpu")


def test_a_weighted_cosine_is_the_weighted_mean_of_theirs(tiny_perceptor):
    mirrored = Mirrored(tiny_perceptor)
    alike = Perceptors([tiny_perceptor, mirrored])
    both = weight_members(alike, (3.0, 1.0))
    picture, text = torch.rand(1, 3, 32, 32), ["a red fox"]

    def cosine(perceptor) -> float:
        return float(perceptor.embed_images(picture)[0] @ perceptor.embed_texts(text)[0])

    wanted = 0.75 * cosine(tiny_perceptor) + 0.25 * cosine(mirrored)
    assert cosine(both) == pytest.approx(wanted, abs=1e-5)
    assert cosine(tiny_perceptor) != pytest.approx(cosine(mirrored), abs=1e-4)
    assert weight_members(alike, (2.0, 2.0)) is alike


class Mirrored(torch.nn.Module):
    """Another CLIP: it sees pictures from behind."""

    size = 32

    def __init__(self, perceptor) -> None:
        super().__init__()
        self.perceptor = perceptor

    def embed_texts(self, texts):
        return self.perceptor.embed_texts(texts)

    def embed_images(self, pictures):
        return self.perceptor.embed_images(pictures.flip(-1))


def test_a_clip_may_look_at_fewer_cutouts_and_counts_as_much(tiny_perceptor):
    looked = []

    class Counting(torch.nn.Module):
        size = 32

        def embed_images(self, pictures):
            looked.append(len(pictures))
            return tiny_perceptor.embed_images(pictures)

    both = Perceptors([tiny_perceptor, Counting()], shares=[1.0, 0.25])
    pictures = torch.rand(8, 3, 32, 32, requires_grad=True)
    target = torch.nn.functional.normalize(torch.ones(16), dim=0)
    own = tiny_perceptor.embed_images(pictures) @ target
    joined = both.embed_images(pictures) @ (torch.cat([target, target]) / 2**0.5)
    assert looked == [2]
    assert torch.allclose(joined.mean(), (own.mean() + own[[0, 4]].mean()) / 2, atol=1e-5)
    joined.sum().backward()
    assert (pictures.grad.abs().amax((1, 2, 3)) > 0).all()


def test_a_single_clip_embeds_every_cutout(tiny_perceptor):
    assert weight_members(tiny_perceptor, (1.0,), (0.5,)) is tiny_perceptor
    both = Perceptors([tiny_perceptor, tiny_perceptor])
    assert weight_members(both, (1.0, 1.0), (1.0, 1.0)) is both
    assert weight_members(both, (1.0, 1.0), (1.0, 0.5)) is not both

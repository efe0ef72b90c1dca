"""Forms of models whose weights are not there."""

import pytest
import torch

from pixgen.errors import ModelError
from pixgen.models.architectures import build_clip, random_perceptor, random_vqgan
from pixgen.models.vqgan.vqgan import Vqgan, load_vqgan


@pytest.mark.parametrize(
    ("name", "codes", "factor"), [("imagenet-16384", 16384, 16), ("gumbel-8192", 8192, 8)]
)
def test_a_published_vqgan_has_its_architecture(name, codes, factor):
    model = random_vqgan(name, "meta")
    assert (len(model.codebook), model.factor) == (codes, factor)
    assert model.codebook.shape[1] == 256


def test_the_bundled_architecture_takes_its_weights():
    model = random_vqgan("pocket", "cpu")
    model.load_state_dict(load_vqgan("pocket", "cpu").state_dict())
    assert isinstance(model, Vqgan)


def test_a_clip_by_its_architecture_has_its_size():
    with torch.device("meta"):
        model, size = build_clip("ViT-B-32")
    assert size == 224
    assert model.visual.conv1.weight.shape == (768, 3, 32, 32)


def test_a_random_perceptor_embeds():
    perceptor = random_perceptor(("pocket",), "cpu")
    assert perceptor.embed_images(torch.rand(2, 3, 64, 64)).shape == (2, 256)


@pytest.mark.parametrize("make", [random_vqgan, lambda name, device: random_perceptor((name,), device)])
def test_an_unknown_architecture_lists_the_names(make):
    with pytest.raises(ModelError, match="choose pocket"):
        make("magic", "cpu")

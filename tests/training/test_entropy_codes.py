"""Frugal codes are fewer and calmer than the nearest ones, and seldom far off."""

import pytest
import torch

from pixgen.training.models.vqgan import NEIGHBOUR_DISCOUNT, RARITY_COST, EntropyCodes


@pytest.fixture
def latents(tiny_vqgan):
    chance = torch.Generator().manual_seed(0)
    codes = torch.randint(32, (24, 1, 1), generator=chance).expand(-1, 8, 8)  # even pictures
    noise = torch.randn(24, tiny_vqgan.codebook.shape[1], 8, 8, generator=chance)
    return tiny_vqgan.lookup(codes) + 0.6 * noise


def repeated(codes):
    return float((codes[:, :, 1:] == codes[:, :, :-1]).float().mean())


def test_neighbours_are_alike_more_often(tiny_vqgan, latents):
    frugal = EntropyCodes(tiny_vqgan, latents)(latents)
    nearest = tiny_vqgan.codes(latents)
    assert frugal.shape == nearest.shape
    assert repeated(frugal) > repeated(nearest)
    assert len(frugal.unique()) <= len(nearest.unique())


def test_no_code_is_further_off_than_it_may_be(tiny_vqgan, latents):
    choose = EntropyCodes(tiny_vqgan, latents)
    far = (tiny_vqgan.lookup(choose(latents)) - latents).square().sum(1)
    near = (tiny_vqgan.lookup(tiny_vqgan.codes(latents)) - latents).square().sum(1)
    allowed = 2 * NEIGHBOUR_DISCOUNT + RARITY_COST * float(choose.rarity.max() - choose.rarity.min())
    assert float((far - near).max()) <= allowed + 1e-4


def test_an_exact_latent_of_a_common_code_keeps_it(tiny_vqgan, latents):
    choose = EntropyCodes(tiny_vqgan, latents)
    common = int(choose.rarity.argmin())
    even = tiny_vqgan.lookup(torch.full((1, 8, 8), common))
    assert (choose(even) == common).all()

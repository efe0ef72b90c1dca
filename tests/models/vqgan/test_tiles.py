"""A picture decoded, or encoded, piece by piece."""

import pytest
import torch
import torch.nn.functional as F

from pixgen.models.runtime import use_engine
from pixgen.models.vqgan.vqgan import decode_in_tiles, encode_in_tiles
from pixgen.recipe.settings import Engine


def near_sighted(latents):
    """A decoder that looks at a code and its neighbours alone."""
    seen = F.avg_pool2d(F.pad(latents[:, :3], (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return seen.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 30), (23, 17), (31, 40)])
def test_away_from_seams_tiles_equal_decoding_the_whole(height, width):
    latents = torch.randn(1, 8, height, width, generator=torch.Generator().manual_seed(0))
    whole = near_sighted(latents)
    tiled = decode_in_tiles(near_sighted, latents, factor=4, tile=12, overlap=4)
    assert tiled.shape == whole.shape
    # A tile's outermost codes lack their neighbours, where they count for least.
    assert (tiled - whole).abs().mean() < 0.02
    same = (tiled - whole).abs().amax((0, 1)) < 1e-5
    assert same.float().mean() > 0.6


def test_no_tile_is_larger_than_the_limit():
    sizes = []

    def decode(latents):
        sizes.append(latents.shape[-2:])
        return near_sighted(latents)

    decode_in_tiles(decode, torch.zeros(1, 8, 20, 50), factor=4, tile=16, overlap=4)
    assert set(sizes) == {(16, 16)}
    assert len(sizes) == 2 * 4


def test_a_picture_is_encoded_in_tiles():
    sizes = []

    def encode(pictures):
        sizes.append(pictures.shape[-2:])
        return F.avg_pool2d(pictures, 4)

    picture = torch.rand(1, 3, 80, 200, generator=torch.Generator().manual_seed(0))
    tiled = encode_in_tiles(encode, picture, factor=4, tile=16, overlap=4)
    assert set(sizes) == {(64, 64)}
    assert torch.allclose(tiled, F.avg_pool2d(picture, 4), atol=1e-6)


def test_a_vqgan_decodes_in_tiles_without_gradients(tiny_vqgan):
    codes = torch.randint(32, (1, 16, 40), generator=torch.Generator().manual_seed(4))
    latents = tiny_vqgan.lookup(codes)
    with torch.no_grad():
        whole = tiny_vqgan.decode(latents)
        with use_engine(Engine(tile=16)):
            tiled = tiny_vqgan.decode(latents)
    assert tiled.shape == whole.shape
    assert not torch.equal(tiled, whole)  # its norms and its attention see less
    assert (tiled - whole).abs().mean() < 0.05
    with use_engine(Engine(tile=16)), torch.enable_grad():
        assert torch.allclose(tiny_vqgan.decode(latents), whole, atol=1e-5)

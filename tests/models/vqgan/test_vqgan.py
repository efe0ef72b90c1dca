"""The VQGAN: equal to taming's own modules, and what its codes promise."""

import contextlib
import io

import pytest
import torch
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import VectorQuantizer2

from pixgen.errors import ModelError
from pixgen.models.vqgan.vqgan import ReplicatingConv, Vqgan, load_vqgan
from tests.conftest import TINY_VQGAN


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def taming(kind: type, model: Vqgan, part: str) -> torch.nn.Module:
    with contextlib.redirect_stdout(io.StringIO()):
        module = kind(**TINY_VQGAN["params"]["ddconfig"])
    module.load_state_dict(getattr(model, part).state_dict())
    return module.eval()


def test_the_encoder_equals_tamings(tiny_vqgan, picture):
    expected = tiny_vqgan.quant_conv(taming(Encoder, tiny_vqgan, "encoder")(picture * 2 - 1))
    assert torch.allclose(tiny_vqgan.encode(picture), expected, atol=1e-5)


def test_the_decoder_equals_tamings(tiny_vqgan):
    latents = tiny_vqgan.lookup(torch.randint(32, (1, 8, 8)))
    expected = taming(Decoder, tiny_vqgan, "decoder")(tiny_vqgan.post_quant_conv(latents))
    assert torch.allclose(tiny_vqgan.decode(latents) * 2 - 1, expected, atol=1e-5)


def test_the_quantizer_equals_tamings(tiny_vqgan):
    latents = torch.randn(2, 8, 8, 8, generator=torch.Generator().manual_seed(3))
    theirs = VectorQuantizer2(32, 8, beta=0.25)
    theirs.embedding.weight.data.copy_(tiny_vqgan.codebook)
    expected, _, (_, _, codes) = theirs(latents)
    assert torch.allclose(tiny_vqgan.nearest(latents), expected, atol=1e-6)
    assert torch.equal(tiny_vqgan.codes(latents).flatten(), codes)


def test_the_gradient_passes_straight_through(tiny_vqgan):
    latents = torch.randn(1, 8, 4, 4, requires_grad=True)
    (tiny_vqgan.nearest(latents) * 3).sum().backward()
    assert torch.equal(latents.grad, torch.full_like(latents, 3.0))


def test_codes_survive_lookup(tiny_vqgan):
    codes = torch.randint(32, (2, 4, 6), generator=torch.Generator().manual_seed(0))
    assert torch.equal(tiny_vqgan.codes(tiny_vqgan.lookup(codes)), codes)


def test_every_code_lies_within_the_bounds(tiny_vqgan):
    low, high = tiny_vqgan.bounds()
    assert low.shape == (1, 8, 1, 1)
    assert ((tiny_vqgan.codebook >= low[0, :, 0, 0]) & (tiny_vqgan.codebook <= high[0, :, 0, 0])).all()


GROUNDS = (
    (1, 1, 1), (0.5, 0.5, 0.5), (0.9, 0.1, 0.1), (0.2, 0.6, 0.3), (0.1, 0.2, 0.7), (0.5, 0.2, 0.7), (1, 0.7, 0.1),
    (0.95, 0.9, 0.8),
)  # fmt: skip


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (128, 256)])
def test_flat_grounds_have_no_mark_near_the_first_corner(size):
    model = load_vqgan("pocket-2", "cpu")
    flat = torch.tensor(GROUNDS)[:, :, None, None].expand(-1, -1, *size)
    with torch.no_grad():
        drawn = model.decode(model.nearest(model.encode(flat))).clamp(0, 1)
    off = drawn - drawn.flatten(2).median(-1).values[..., None, None]
    # The earlier decoder drew a mark in these rows and columns, and nothing in the mirrored places.
    first, *others = (
        float(turned[..., 2:25, 14:59].square().mean().sqrt())
        for turned in (off, off.flip(-1), off.flip(-2), off.flip(-1, -2))
    )
    assert first <= 1.3 * max(others)


@pytest.mark.parametrize(("level", "alike"), [(0, True), (None, False)])
def test_a_decoder_that_replicates_edges_draws_one_code_alike_everywhere(level, alike):
    config = {**TINY_VQGAN, "params": {**TINY_VQGAN["params"], "replicate_from_level": level}}
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = Vqgan(config).eval().decode(torch.ones(1, 8, 6, 4))
    inner = drawn[..., 1:-1, 1:-1]  # the last convolution pads with zeros
    assert bool((inner - inner[..., :1, :1]).abs().max() < 1e-4) is alike


@pytest.mark.parametrize("size", [(256, 256), (256, 128), (96, 160)])
def test_the_pocket_vqgan_decodes_larger_and_oblong_canvases(size):
    model = load_vqgan("pocket", "cpu")
    rows, columns = (side // model.factor for side in size)
    with torch.no_grad():
        assert model.decode(model.lookup(torch.zeros(1, rows, columns, dtype=torch.long))).shape[-2:] == size


def test_an_unknown_name_lists_the_available_names():
    with pytest.raises(ModelError, match="choose pocket"):
        load_vqgan("imaginary", "cpu")


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch looks at it while it compiles
def test_replicated_edges_are_compiled_without_torchs_padding_whose_gradient_fails():
    layer = ReplicatingConv(4, 3, 3, padding=1, padding_mode="replicate").requires_grad_(False)
    pictures = torch.rand(1, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    seen = []

    def backend(graph, inputs):
        seen.append(graph.code)
        return graph

    compiled = torch.compile(layer, backend=backend)(pictures)
    assert torch.allclose(compiled, layer(pictures), atol=1e-6)
    assert "pad(" not in seen[0]
    assert "cat(" in seen[0]

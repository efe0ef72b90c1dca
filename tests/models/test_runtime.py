"""The switches between memory and time change a picture, and its gradient, by rounding alone."""

import copy

import pytest
import torch
import torch._inductor.config as inductor_config

from pixgen.errors import DeviceError
from pixgen.models import runtime as working_module
from pixgen.models.fusion import unfuse_blocks
from pixgen.models.runtime import cached_on, compiled, current_engine, use_engine
from pixgen.recipe.settings import Engine


@pytest.fixture
def latents(tiny_vqgan):
    codes = torch.randint(32, (1, 8, 8), generator=torch.Generator().manual_seed(4))
    return tiny_vqgan.lookup(codes)


def drawn(vqgan, latents, **switches):
    """The picture and the gradient of its squares."""
    moved = latents.clone().requires_grad_()
    with use_engine(Engine(**switches)):
        picture = vqgan.decode(moved)
        picture.square().sum().backward()
    return picture.detach(), moved.grad


@pytest.mark.parametrize("switches", [{"channels_last": False}, {"checkpoint": True}])
def test_engine_options_do_not_change_the_picture(tiny_vqgan, latents, switches):
    for usual, other in zip(drawn(tiny_vqgan, latents), drawn(tiny_vqgan, latents, **switches), strict=True):
        assert torch.allclose(usual, other, rtol=1e-4, atol=1e-5)


def test_fused_blocks_equal_tamings(tiny_vqgan, latents):
    plain = copy.deepcopy(tiny_vqgan)
    unfuse_blocks(plain)
    assert {type(block).__module__ for block in plain.decoder.mid.children()} == {
        "taming.modules.diffusionmodules.model"
    }
    for fused, own in zip(drawn(tiny_vqgan, latents), drawn(plain, latents), strict=True):
        assert torch.allclose(fused, own, rtol=1e-4, atol=1e-5)


def test_checkpointing_stores_fewer_activations(tiny_vqgan, latents):
    def kept(**switches):
        sizes = []
        with (
            torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.nbytes) or t, lambda t: t),
            use_engine(Engine(**switches)),
        ):
            tiny_vqgan.decode(latents.clone().requires_grad_())
        return sum(sizes)

    assert kept(checkpoint=True) < kept() / 2


def test_engine_options_hold_inside_the_block_only():
    with use_engine(Engine(checkpoint=True)):
        assert current_engine().checkpoint
    assert not current_engine().checkpoint


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch looks at it while it compiles
def test_compiled_models_decode_and_embed_the_same(tiny_vqgan, tiny_perceptor, latents, monkeypatch):
    monkeypatch.setattr(working_module, "BACKEND", "aot_eager")  # all but the making of machine code
    for usual, other in zip(
        drawn(tiny_vqgan, latents), drawn(tiny_vqgan, latents, compiled=True), strict=True
    ):
        assert torch.allclose(usual, other, rtol=1e-4, atol=1e-5)
    pictures = torch.rand(2, 3, 32, 32)
    with use_engine(Engine(compiled=True)):
        seen = tiny_perceptor.embed_images(pictures)
    assert torch.allclose(seen, tiny_perceptor.embed_images(pictures), atol=1e-5)
    assert ("compiled", "forward") in cached_on(tiny_vqgan.decoder)
    assert not any("kept" in name for name in tiny_vqgan.state_dict())


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_without_a_compiler_the_error_says_what_to_do(tiny_vqgan, latents, monkeypatch, tmp_path):
    torch._dynamo.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    no_compiler = inductor_config.patch({"cpp.cxx": (None, str(tmp_path / "none"))})
    with no_compiler, pytest.raises(DeviceError, match=r"compiler.*engine\.compiled=false"):
        drawn(tiny_vqgan, latents, compiled=True)
    torch._dynamo.reset()


def test_nothing_is_compiled_on_zero_gpu(tiny_vqgan, latents, monkeypatch):
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    drawn(tiny_vqgan, latents, compiled=True)
    assert ("compiled", "forward") not in cached_on(tiny_vqgan.decoder)


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_more_sizes_than_torchs_own_limit_are_compiled(tiny_vqgan, monkeypatch):
    monkeypatch.setattr(working_module, "BACKEND", "eager")
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with use_engine(Engine(compiled=True)), torch.no_grad():
        for side in range(2, 13):  # 11 graphs; torch stops after 8 without a word
            tiny_vqgan.decode(torch.zeros(1, 8, side, 2))
        first = compiled(tiny_vqgan.decoder, "forward")
        assert first is compiled(tiny_vqgan.decoder, "forward")  # no wrapper a call
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 11
    torch._dynamo.reset()


def test_too_many_compiled_graphs_are_a_device_error(tiny_vqgan, monkeypatch):
    monkeypatch.setattr(working_module, "BACKEND", "eager")
    monkeypatch.setattr(working_module, "_MAX_COMPILED", 1)
    torch._dynamo.reset()
    with use_engine(Engine(compiled=True)), torch.no_grad():
        tiny_vqgan.decode(torch.zeros(1, 8, 2, 2))
        with pytest.raises(DeviceError, match="engine.compiled=false"):
            tiny_vqgan.decode(torch.zeros(1, 8, 3, 2))
    torch._dynamo.reset()

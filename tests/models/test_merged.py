"""The short forms of operations on a GPU give what torch's own do, and the same gradients."""

import copy

import pytest
import torch
import torch.nn.functional as F
from open_clip.modified_resnet import ModifiedResNet

from pixgen.losses.nearness import distance_loss
from pixgen.models import fusion, merged
from pixgen.models.clip import perceptor as perceptor_module
from pixgen.models.fusion import fold_batch_norms, fuse_clip
from pixgen.models.merged import scale_and_shift, spherical_distance, straight_through, unit_vectors
from pixgen.models.runtime import use_engine
from pixgen.models.vqgan import vqgan as vqgan_module
from pixgen.recipe.settings import Engine

CHANCE = torch.Generator().manual_seed(6)
HALF = {None: 1e-5, torch.bfloat16: 0.05}  # of the largest number


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Call to take the short forms from now on."""

    def switch() -> None:
        monkeypatch.setattr(merged, "merges", lambda tensor: True)
        for module in (fusion, perceptor_module, vqgan_module):
            monkeypatch.setattr(module, "merges", lambda tensor: True)

    return switch


def passed(function, *inputs):
    """The result, and the gradient of a weighted sum of it by the first input."""
    first = inputs[0].clone().requires_grad_()
    made = function(first, *inputs[1:])
    weights = torch.randn(made.shape, generator=torch.Generator().manual_seed(7))
    (made.float() * weights).sum().backward()
    return made.detach(), first.grad


def alike(pairs, *, part):
    """Whether results and gradients differ by at most a part of their largest number."""
    for own, other in zip(*pairs, strict=True):
        assert own.dtype == other.dtype
        assert own.shape == other.shape
        own, other = own.float(), other.float()
        assert (own - other).abs().max() <= part * own.abs().max()


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (unit_vectors, [torch.randn(5, 16, generator=CHANCE)]),
        (unit_vectors, [torch.randn(5, 16, generator=CHANCE).bfloat16()]),
        (spherical_distance, [torch.rand(6, 3, generator=CHANCE) * 1.9 - 0.95]),
        (lambda latents, codes: straight_through(codes, latents), [torch.randn(1, 4, 3, 3, generator=CHANCE), torch.randn(1, 4, 3, 3, generator=CHANCE)]),
    ],
    ids=["vectors", "vectors in half", "distance", "codes"],
)  # fmt: skip
def test_the_short_form_is_the_same(function, inputs, as_on_a_gpu):
    own = passed(function, *inputs)
    as_on_a_gpu()
    part = 1e-5 if inputs[0].dtype == torch.float32 else 0.01
    alike([own, passed(function, *inputs)], part=part)


def test_equal_and_opposite_vectors_have_finite_gradients(as_on_a_gpu):
    as_on_a_gpu()
    for cosine in (1.0, 1.0000002, -1.0, -1.0000002):
        distance, gradient = passed(spherical_distance, torch.tensor([[cosine]]))
        assert distance.item() == pytest.approx(0 if cosine > 0 else torch.pi**2 / 2, abs=0.01)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scaling_changes_type_and_format_in_one_operation(dtype):
    pictures = torch.rand(2, 3, 4, 4, generator=CHANCE)
    scale, shift = torch.rand(2, 3, 1, 1, generator=CHANCE)
    own = passed(lambda x: (x * scale + shift).to(dtype), pictures)
    layout = torch.channels_last
    other = passed(lambda x: scale_and_shift(x, scale, shift, dtype=dtype, memory_format=layout), pictures)
    assert other[0].is_contiguous(memory_format=layout)
    alike([own, other], part=1e-6 if dtype == torch.float32 else 0.01)


@pytest.mark.parametrize("half", HALF)
def test_a_vqgan_draws_the_same(tiny_vqgan, half, as_on_a_gpu):
    latents = torch.randn(1, tiny_vqgan.codebook.shape[1], 8, 8, generator=CHANCE)

    def draw(latents):
        return tiny_vqgan.decode(tiny_vqgan.nearest(latents))

    with use_engine(Engine(), half):
        own = passed(draw, latents)
        as_on_a_gpu()
        alike([own, passed(draw, latents)], part=HALF[half])


@pytest.mark.parametrize("half", HALF)
def test_a_clip_sees_the_same(tiny_perceptor, half, as_on_a_gpu):
    pictures = torch.rand(3, 3, tiny_perceptor.size, tiny_perceptor.size, generator=CHANCE)
    weights = torch.randn(tiny_perceptor.embed_images(pictures).shape[1], generator=CHANCE)

    def see(pictures):
        return tiny_perceptor.embed_images(pictures) @ weights

    with use_engine(Engine(), half):
        own = passed(see, pictures)
        as_on_a_gpu()
        alike([own, passed(see, pictures)], part=HALF[half])


@pytest.mark.parametrize("folded", [True, False])
def test_a_residual_tower_sees_the_same(folded, as_on_a_gpu):
    torch.manual_seed(3)
    plain = ModifiedResNet([2, 1, 1, 1], output_dim=24, heads=4, image_size=64, width=8).eval()
    for name, weight in plain.named_parameters():
        if "bn" in name or "downsample.1" in name:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    plain.requires_grad_(False)
    if folded:
        fold_batch_norms(plain)
    fused = copy.deepcopy(plain)
    fuse_clip(fused)
    pictures = torch.rand(3, 3, 64, 64, generator=CHANCE)
    own = passed(plain, pictures)
    assert torch.equal(own[0], passed(fused, pictures)[0])  # on a CPU
    as_on_a_gpu()
    alike([own, passed(fused, pictures)], part=1e-4)


def test_trained_weights_are_not_merged(as_on_a_gpu):
    torch.manual_seed(3)
    tower = ModifiedResNet([1, 1, 1, 1], output_dim=24, heads=4, image_size=64, width=8).eval()
    fold_batch_norms(tower)
    fuse_clip(tower)
    as_on_a_gpu()
    tower(torch.rand(1, 3, 64, 64, generator=CHANCE)).sum().backward()
    assert tower.attnpool.v_proj.weight.grad is not None
    assert tower.layer1[0].downsample[1].weight.grad is not None


def test_the_distance_to_the_start_is_the_same():
    now, start = torch.rand(2, 1, 3, 8, 8, generator=CHANCE)
    alike([passed(distance_loss, now, start), passed(F.mse_loss, now, start)], part=1e-5)

"""Whatever makes a run faster or smaller, on any device, paints the picture that comes without it."""

import math
import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from taming.modules.diffusionmodules.model import AttnBlock
from torch.overrides import TorchFunctionMode

from pixgen.models import runtime as working_module
from pixgen.models.clip.perceptor import Perceptors
from pixgen.models.fusion import FusedAttnBlock, FusedResnetBlock
from pixgen.models.runtime import compiled, use_engine
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.cutouts import CUTOUT_SETS, Affine, Crop, CutoutSet, Flip
from pixgen.recipe.recipe import make_recipe
from pixgen.recipe.settings import Engine
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.cutouts.augmentations import apply_changes
from pixgen.synthesis.cutouts.cutouts import Placement, sample_cutouts
from pixgen.synthesis.cutouts.earlier_recipes import place_cutouts
from pixgen.synthesis.cutouts.sampler import KorniaCutoutSampler

BASE = {
    "prompts": "a red fox | snow:0.5",
    "width": 32,
    "height": 32,
    "steps": 2,
    "seed": 3,
    "cutouts": {"kind": "crowson", "count": 6},  # no chance but the places, which are drawn at once
}
ROUNDING = {
    "channels last": {"engine": {"channels_last": False}},
    "less kept for the way back": {"engine": {"checkpoint": True}},
    "cutouts in batches": {"cutouts": {"batches": 3}},
}


@pytest.fixture
def painted(tiny_vqgan, tiny_perceptor):
    def paint(*parts):
        """A run's pictures, and the gradient of its first step."""
        recipe = make_recipe(BASE, *parts)
        painting = Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor)
        canvas, move, gradients = painting.canvas, painting.canvas.move, []

        def moved(rate):
            gradients.append(canvas.latent.grad.flatten().clone())
            move(rate)

        canvas.move = moved
        return [frame.picture for frame in painting], gradients[0]

    return paint


def furthest(pictures, others) -> int:
    return max(
        np.abs(picture.astype(int) - other.astype(int)).max()
        for picture, other in zip(pictures, others, strict=True)
    )


@pytest.mark.parametrize("change", ROUNDING.values(), ids=ROUNDING)
def test_a_switch_paints_the_same_picture(painted, change):
    (pictures, gradient), (others, other) = painted(), painted(change)
    assert furthest(pictures, others) <= 1
    assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-6 * gradient.abs().max())


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_goes_the_same_way(painted, precision):
    (pictures, gradient), (others, other) = painted(), painted({"precision": precision})
    assert F.cosine_similarity(gradient, other, dim=0) > 0.95
    assert other.norm() == pytest.approx(float(gradient.norm()), rel=0.1)  # its scale is taken away
    assert np.abs(pictures[0].astype(int) - others[0].astype(int)).mean() < 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch looks at it while it compiles
def test_a_compiled_step_paints_the_same_picture(painted, monkeypatch):
    monkeypatch.setattr(working_module, "BACKEND", "aot_eager")  # all but the making of machine code
    torch._dynamo.reset()
    (pictures, gradient), (others, other) = painted(), painted({"engine": {"compiled": True}})
    assert furthest(pictures, others) <= 1
    assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-4 * gradient.abs().max())
    torch._dynamo.reset()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")
@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_machine_code_of_a_block_is_the_block():
    torch.manual_seed(0)
    block = FusedResnetBlock(in_channels=32, temb_channels=0, dropout=0.0)
    block = block.eval().requires_grad_(False)
    hidden = torch.randn(1, 32, 8, 8)

    def passed(**switches):
        moved = hidden.clone().requires_grad_()
        with use_engine(Engine(**switches)):
            seen = compiled(block, "_forward")(moved)
        seen.square().sum().backward()
        return seen.detach(), moved.grad

    for one, other in zip(passed(), passed(compiled=True), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)
    torch._dynamo.reset()


def test_what_runs_once_for_several_clips_is_what_each_would_see(tiny_perceptor):
    """A cutout is sampled once, at the largest size, and reduced."""
    seen = []

    class Watched(torch.nn.Module):
        size = 16

        def embed_images(self, pictures):
            seen.append(pictures)
            return pictures.mean((2, 3))

    both = Perceptors([tiny_perceptor, Watched()])
    assert both.size == 32
    cutouts = torch.rand(4, 3, both.size, both.size)
    both.embed_images(cutouts)
    assert torch.equal(seen[0], cutouts)  # the very ones: nothing is sampled again


def test_one_warp_reads_what_one_after_the_other_would():
    rows, columns = torch.linspace(0, 1, 96)[:, None], torch.linspace(0, 1, 96)[None]
    slope = torch.stack([rows.expand(96, 96), columns.expand(96, 96), (rows + columns) / 2])[None]
    law = CutoutSet(
        crops=(Crop(law="whole"),),
        augmentations=(Flip(p=1.0), Affine(p=1, degrees=20, translate=0.05)),
    )
    chance = torch.Generator().manual_seed(0)
    crop = Placement(torch.diag(torch.tensor([0.6, 0.6, 1.0]))[None], ("border",))
    turn = place_cutouts(law, 1, aspect=1.0, generator=chance)
    once = sample_cutouts(slope, Placement(crop.matrices @ turn.matrices, ("border",)), size=64)
    twice = sample_cutouts(sample_cutouts(slope, crop, size=64), turn, size=64)
    inside = (..., slice(20, 44), slice(20, 44))  # where neither reads past an edge
    assert torch.allclose(once[inside], twice[inside], atol=1e-4)
    assert not torch.allclose(once[inside], sample_cutouts(slope, crop, size=64)[inside], atol=1e-2)


class Chance(TorchFunctionMode):
    """Hears from which generator each random number comes."""

    DRAWN = (torch.rand, torch.randn, torch.randint, torch.randperm, torch.rand_like, torch.randn_like,
             torch.bernoulli, torch.multinomial)  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.generators = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in self.DRAWN:
            self.generators.append((kwargs or {}).get("generator"))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", CUTOUT_SETS)
def test_no_random_number_of_a_step_comes_from_the_process_wide_generator(name):
    generator = torch.Generator().manual_seed(0)
    sampler = KorniaCutoutSampler(
        CUTOUT_SETS[name], 8, size=16, seed=0, generator=generator, noise=generator, fused=True
    )
    with Chance() as chance:
        placed = sampler.warp(sampler.place(8, aspect=1.0), step=0)
        seen = sample_cutouts(torch.rand(1, 3, 32, 32), placed, size=16)
        apply_changes(seen, sampler.changes(slice(0, 8), step=0))
    drawn = chance.generators
    assert (
        drawn.count(None) == 1
    )  # the picture of this test: nothing else drew from the process-wide generator
    assert generator in drawn


def test_attention_in_one_pass_is_the_attention_in_parts():
    """Over as many places as a full-size decoder has."""
    torch.manual_seed(0)
    plain = AttnBlock(64).eval().requires_grad_(False)
    hidden = torch.randn(1, 64, 16, 16)
    fused = FusedAttnBlock(64)
    fused.load_state_dict(plain.state_dict())

    def looked(block):
        moved = hidden.clone().requires_grad_()
        seen = block(moved)
        seen.square().sum().backward()
        return seen.detach(), moved.grad

    for one, other in zip(looked(plain), looked(fused), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("switch", ["tile", "encode_tile"])
def test_tiles_that_the_picture_fits_into_change_nothing(tiny_vqgan: Vqgan, switch):
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        latents = tiny_vqgan.encode(picture)
        drawn = tiny_vqgan.decode(latents)
        with use_engine(Engine(**{switch: 16})):
            assert torch.allclose(tiny_vqgan.encode(picture), latents, atol=1e-5)
            assert torch.allclose(tiny_vqgan.decode(latents), drawn, atol=1e-5)
    assert math.isfinite(float(drawn.sum()))

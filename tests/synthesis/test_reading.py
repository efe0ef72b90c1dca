"""Looking up pixels by index gives what torch's grid_sample gives, and the same gradient."""

import pytest
import torch
import torch.nn.functional as F

from pixgen.bench.simulated_gpu import GPU, simulated_gpu
from pixgen.models.runtime import use_engine
from pixgen.recipe.settings import Engine
from pixgen.synthesis.cutouts.cutouts import grid_sample, grid_sample_by_index


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("count", [1, 2])
def test_grid_sample_by_index_equals_grid_sample(padding, count):
    chance = torch.Generator().manual_seed(0)
    picture = torch.rand(count, 3, 9, 14, generator=chance)
    grid = torch.rand(count, 20, 11, 2, generator=chance) * 6 - 3  # far out, too
    towards = torch.rand(count, 3, 20, 11, generator=chance)
    seen = []
    for read in (
        grid_sample_by_index,
        lambda *given, padding_mode: F.grid_sample(*given, padding_mode=padding_mode, align_corners=False),
    ):
        one = picture.clone().requires_grad_()
        found = read(one, grid, padding_mode=padding)
        (found * towards).sum().backward()
        seen.append((found.detach(), one.grad))
    for mine, theirs in zip(*seen, strict=True):
        assert torch.allclose(mine, theirs, atol=2e-5)


@pytest.mark.pretend_gpu
def test_pixels_are_looked_up_by_index_only_on_a_deterministic_gpu():
    with simulated_gpu() as seen:
        picture, grid = torch.zeros(1, 3, 8, 8, device=GPU), torch.zeros(1, 4, 4, 2, device=GPU)
        grid_sample(picture, grid, padding_mode="border")
        assert seen.count["grid_sampler_2d"] == 1
        seen.clear()
        with use_engine(Engine(deterministic=True)):
            grid_sample(picture.requires_grad_(), grid, padding_mode="border").sum().backward()
        assert "grid_sampler_2d" not in seen.count
        assert not any("backward" in name and "grid" in name for name in seen.count)
        assert seen.syncs == []

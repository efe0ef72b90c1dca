"""Sheets of cutouts for people: what CLIP sees, and what augmentations do."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.recipe.cutouts import CutoutSet
from pixgen.recipe.kornia_classes import Kornia
from pixgen.synthesis.cutouts import kornia_pipeline
from pixgen.synthesis.cutouts.cutouts import plan_cutouts
from pixgen.synthesis.cutouts.sampler import KorniaCutoutSampler

_GAP = 4  # pixels between cutouts
_PAPER = 1.0


def contact_sheet(pictures: torch.Tensor, *, columns: int = 0) -> torch.Tensor:
    """Arrange pictures ``(N, 3, H, W)`` in rows on white, ``(3, height, width)``; by default in about as many
    rows as columns."""
    count = len(pictures)
    columns = min(columns or -(-int(count**0.5 * 1000) // 1000), count)
    rows = -(-count // columns)
    framed = F.pad(pictures, (0, _GAP, 0, _GAP), value=_PAPER)
    missing = framed.new_full((rows * columns - count, *framed.shape[1:]), _PAPER)
    sheet = rearrange(torch.cat([framed, missing]), "(r c) d h w -> d (r h) (c w)", c=columns)
    return sheet[:, :-_GAP, :-_GAP]


@torch.no_grad()
def preview_cutouts(
    picture: torch.Tensor,
    cutouts: CutoutSet,
    count: int,
    *,
    size: int,
    seed: int,
    fused: bool = True,
) -> torch.Tensor:
    """Sample ``count`` cutouts of a picture ``(1, 3, H, W)`` in [0, 1] as an optimization does in its first
    step, ``(N, 3, size, size)``."""
    generator, (height, width) = torch.Generator().manual_seed(seed), picture.shape[-2:]
    sampler = KorniaCutoutSampler(
        cutouts, count, size=size, seed=seed, generator=generator, noise=generator, fused=fused
    )
    placed = sampler.warp(sampler.place(count, aspect=width / height), step=0)
    batches = plan_cutouts(
        sampler,
        placed,
        torch.ones(count, 1),
        step=0,
        batches=1,
        size=size,
        height=height,
        width=width,
        device=picture.device,
    )
    return torch.cat([batch.see(picture) for batch in batches]).clamp(0, 1)


@torch.no_grad()
def preview_augmentations(
    picture: torch.Tensor, augmentations: Sequence[Kornia], *, size: int, seed: int
) -> list[torch.Tensor]:
    """Apply each augmentation by itself to a picture ``(1, 3, H, W)`` in [0, 1]; returns ``(3, size, size)``
    for each."""
    square = F.interpolate(picture, size=(size, size), mode="bilinear", antialias=True)
    return [kornia_pipeline.apply_kornia(square, (each,), seed=seed)[0].clamp(0, 1) for each in augmentations]

"""Prompts with a region: cutouts count by where they lie, so that CLIP never sees a masked hole."""

import torch

from pixgen.prompts import Prompt
from pixgen.synthesis.cutouts import Placement

_DIRECTIONS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "top": (0.0, -1.0), "bottom": (0.0, 1.0)}


def cutout_shares(prompts: tuple[Prompt, ...], placed: Placement) -> torch.Tensor:
    """How much each cutout counts for each prompt, by where it lies, ``(N, P)`` with mean 1."""
    centres = placed.centres()
    columns = []
    for prompt in prompts:
        if prompt.region == "everywhere":
            columns.append(torch.ones(len(centres), device=centres.device))
            continue
        if prompt.region == "centre":
            nearness = -2 * centres.norm(dim=1)
        else:
            direction = torch.tensor(_DIRECTIONS[prompt.region], device=centres.device)
            nearness = 6 * (centres @ direction)
        share = nearness.sigmoid()
        columns.append(share / share.mean().clamp(min=1e-6))
    return torch.stack(columns, dim=1)

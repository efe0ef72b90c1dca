"""Moves a picture or a latent: nearer, aside, and turned, with no hole at the border."""

import math
from typing import Literal

import torch
import torch.nn.functional as F

from pixgen.journeys import Motion
from pixgen.synthesis.transfer import uploaded

_SEAM = (
    2  # places that are repeated round the border, so that sampling across it sees the other side
)
_PADDING = {"reflect": "reflection", "edge": "border", "wrap": "border"}


def moved(
    tensor: torch.Tensor, motion: Motion, *, border: Literal["reflect", "wrap", "edge"],
    mode: Literal["bicubic", "bilinear"] = "bicubic",
) -> torch.Tensor:  # fmt: skip
    """``(1, C, H, W)`` as it is seen after a motion, the same shape.

    Args:
        border: what is seen beyond the canvas: its mirror image, its other side, or its edge drawn out.
    """
    height, width = tensor.shape[-2:]
    grid = _places(motion, height=height, width=width)
    if border == "wrap":
        tensor = F.pad(tensor, (_SEAM,) * 4, mode="circular")
        sides = torch.tensor([width, height])
        grid = torch.remainder(grid + 1, 2) - 1
        grid = grid * sides / (sides + 2 * _SEAM)
    return F.grid_sample(
        tensor,
        uploaded(grid, tensor.device),
        mode=mode,
        padding_mode=_PADDING[border],
        align_corners=False,
    )


def _places(motion: Motion, *, height: int, width: int) -> torch.Tensor:
    """Where each pixel comes from, ``(1, H, W, 2)``, in [-1, 1] on the canvas."""
    angle = math.radians(motion.turn)
    cosine, sine = math.cos(angle) / motion.zoom, math.sin(angle) / motion.zoom
    aspect = height / width  # the turn is one of squares, not of the canvas
    matrix = torch.tensor([
        [cosine, sine * aspect, 2 * motion.x],
        [-sine / aspect, cosine, 2 * motion.y],
    ])  # fmt: skip
    return F.affine_grid(matrix[None], [1, 1, height, width], align_corners=False)

"""A small network that doubles drawings, and draws their edges anew where a VQGAN has blurred them."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from pixgen.models.checkpoint import load_weights, read_config
from pixgen.paths import ASSETS

WEIGHTS = ASSETS / "pocket" / "enlarger.safetensors"
CONFIG = ASSETS / "pocket" / "enlarger.json"


class Enlarger(nn.Module):
    """Residual blocks at the given size, then twice as many pixels a side (sub-pixel convolution, arXiv
    1609.05158), added to what interpolation makes.

    Args:
        width: channels of the blocks.
        depth: how many blocks.
    """

    scale = 2

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.last = nn.Conv2d(width, 3 * self.scale**2, 3, padding=1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures ``(N, 3, H, W)`` in [0, 1] as ``(N, 3, 2 H, 2 W)``, about [0, 1]."""
        hidden = self.first(pictures * 2 - 1)
        for block in self.blocks:
            hidden = block(hidden)
        added = F.pixel_shuffle(self.last(hidden), self.scale)
        return F.interpolate(pictures, scale_factor=self.scale, mode="bilinear") + added


def load_enlarger(device: torch.device | str) -> Enlarger:
    """The bundled one, frozen, on a device. Raises ModelError if its files are missing or broken."""
    model = Enlarger(**read_config(CONFIG)["model"])
    load_weights(model, WEIGHTS)
    return model.to(device).eval().requires_grad_(False)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden + self.second(F.relu(self.first(hidden)))

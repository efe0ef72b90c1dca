"""Learned upscalers: the bundled one for drawings, and any that spandrel can read.

``UPSCALERS`` is the registry: an upscaler that no file of spandrel's holds is a function and a line there. The bundled network doubles drawings and sharpens the edges that a VQGAN blurs. Others are safetensors files that
a person puts into the folder ``upscalers`` beside the downloaded models; an upscaler's name is its file's.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file

from pixgen.errors import ModelError
from pixgen.models.cache import cache_folder
from pixgen.models.checkpoints.safetensors import load_weights, read_config
from pixgen.paths import ASSETS, is_hidden

WEIGHTS = ASSETS / "pocket" / "enlarger.safetensors"
CONFIG = ASSETS / "pocket" / "enlarger.json"


class PocketUpscaler(nn.Module):
    """The bundled upscaler: residual blocks, then a sub-pixel convolution (arXiv 1609.05158) to twice the side,
    added to bilinear interpolation.

    Args:
        width: channels of the blocks.
        depth: the number of blocks.
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


def load_pocket_upscaler(device: torch.device | str) -> PocketUpscaler:
    """The bundled upscaler, frozen, on a device. Raises ModelError if its files are missing or broken."""
    model = PocketUpscaler(**read_config(CONFIG)["model"])
    load_weights(model, WEIGHTS)
    return model.to(device).eval().requires_grad_(False)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden + self.second(F.relu(self.first(hidden)))


BUNDLED = "pocket"  # made for drawings as the bundled VQGAN decodes them


class Upscaler(Protocol):
    """A network that enlarges pictures by a whole factor, ``scale``."""

    scale: int

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures ``(1, 3, H, W)`` in [0, 1] as ``(1, 3, scale H, scale W)``."""


# Upscalers by name, the bundled one first; each is loaded onto a device, frozen.
UPSCALERS: dict[str, Callable[[torch.device | str], Upscaler]] = {BUNDLED: load_pocket_upscaler}


def upscalers_folder() -> Path:
    """The folder of other upscalers' files; it need not exist."""
    return cache_folder() / "models" / "upscalers"


def available_upscalers() -> list[str]:
    """The names that ``load_upscaler`` takes."""
    files = upscalers_folder().glob("*.safetensors")
    return [*UPSCALERS, *sorted(path.stem for path in files if not is_hidden(path.name))]


def load_upscaler(name: str, device: torch.device | str) -> Upscaler:
    """A learned upscaler by name, frozen, on a device: the bundled one, or one that spandrel can read.

    Raises ModelError if there is none of that name, it cannot be read, or spandrel is not installed.
    """
    if name in UPSCALERS:
        return UPSCALERS[name](device)
    if name not in available_upscalers():
        names = ", ".join(["crisp", *available_upscalers()])
        raise ModelError(
            "There is no upscaler “{name}”: choose {names}. Others are safetensors files in {folder}.",
            name=name[:60],
            names=names,
            folder=upscalers_folder(),
        )
    try:
        spandrel = import_module("spandrel")
    except ImportError as error:
        raise ModelError(
            "Upscalers other than the bundled ones need the package spandrel, which is not installed: run "
            "pip install spandrel, or choose pocket or crisp."
        ) from error
    try:
        weights = load_file(upscalers_folder() / f"{name}.safetensors")
        model = spandrel.ModelLoader(device=torch.device(device)).load_from_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError, spandrel.UnsupportedModelError) as error:
        raise ModelError(
            "The upscaler “{name}” cannot be read: its file is broken, or of a kind that spandrel does not "
            "support.",
            name=name,
        ) from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or (
        (model.input_channels, model.output_channels) != (3, 3) or model.scale < 2
    ):
        raise ModelError("The model “{name}” cannot enlarge pictures: choose another.", name=name)
    model.model.requires_grad_(False)
    return model.eval()

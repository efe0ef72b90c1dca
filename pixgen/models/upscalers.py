"""Upscalers that were learned: the bundled one, and files that a person has put there.

Each of these is a safetensors file in the folder ``upscalers`` beside the fetched models, read by spandrel,
where it is; its name is the file's. Nothing is fetched.
"""

from importlib import import_module
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pixgen.errors import ModelError
from pixgen.models.cache import cache_folder
from pixgen.models.enlarger import load_enlarger
from pixgen.paths import is_hidden

BUNDLED = "pocket"  # made for drawings as the bundled VQGAN decodes them


class Upscaler(Protocol):
    """A network that enlarges by a whole number."""

    scale: int

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures ``(1, 3, H, W)`` in [0, 1] as ``(1, 3, scale H, scale W)``."""


def upscalers_folder() -> Path:
    """Where the files are looked for; it may not be there."""
    return cache_folder() / "models" / "upscalers"


def available_upscalers() -> list[str]:
    """The names that ``load_upscaler`` takes."""
    files = upscalers_folder().glob("*.safetensors")
    return [BUNDLED, *sorted(path.stem for path in files if not is_hidden(path.name))]


def load_upscaler(name: str, device: torch.device | str) -> Upscaler:
    """A learned upscaler, frozen, on a device: the bundled one, or whatever architecture spandrel knows.

    Raises ModelError if there is none of that name, it cannot be read, or spandrel is needed and not
    installed.
    """
    if name == BUNDLED:
        return load_enlarger(device)
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
            "Other upscalers than the bundled ones are read by the package spandrel, which is not installed: run "
            "pip install spandrel, or choose pocket or crisp."
        ) from error
    try:
        weights = load_file(upscalers_folder() / f"{name}.safetensors")
        model = spandrel.ModelLoader(device=torch.device(device)).load_from_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError, spandrel.UnsupportedModelError) as error:
        raise ModelError(
            "The upscaler “{name}” cannot be read: its file is broken, or of a kind that spandrel "
            "does not know.",
            name=name,
        ) from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or (
        (model.input_channels, model.output_channels) != (3, 3) or model.scale < 2
    ):
        raise ModelError("The model “{name}” does not enlarge pictures: choose another.", name=name)
    model.model.requires_grad_(False)
    return model.eval()

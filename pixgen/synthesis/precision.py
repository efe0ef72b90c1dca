"""How a recipe's arithmetic is done: its engine's switches and its precision, for a block of code."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from pixgen.models.working import working
from pixgen.recipe import Recipe

_HALF_SCALE = 2.0**12  # keeps float16 gradients of pixels above their smallest number


@contextmanager
def arithmetic(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Models used inside, on a device, work as the recipe says."""
    half = None if recipe.precision == "float32" else getattr(torch, recipe.precision)
    with working(recipe.engine), torch.autocast(device.type, half) if half else nullcontext():
        yield


def gradient_scale(recipe: Recipe) -> float:
    """What losses are multiplied by on the way back, and gradients divided by at its end."""
    return _HALF_SCALE if recipe.precision == "float16" else 1.0


def full_precision(device: torch.device) -> torch.autocast:
    """Inside, arithmetic on a device is what its tensors say, whatever precision is in force outside."""
    return torch.autocast(device.type, enabled=False)

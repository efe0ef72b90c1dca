"""The arithmetic of a recipe: half precision and the switches of its engine, for a block of code."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch

from pixgen.models.runtime import deterministic, full_precision, tensor_float32, use_engine
from pixgen.recipe.recipe import Recipe

__all__ = ["arithmetic", "full_precision", "half_dtype"]


def half_dtype(recipe: Recipe) -> torch.dtype | None:
    """The dtype of a recipe's half precision, or None for float32."""
    return None if recipe.precision == "float32" else getattr(torch, recipe.precision)


@contextmanager
def arithmetic(
    recipe: Recipe, device: torch.device, *, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Run models on a device with the precision and the engine switches of a recipe.

    Half precision uses copies of their weights, so that all else (places, codes, similarities, losses) stays
    in float32.

    Args:
        tell: called with a sentence where something does not work as the recipe asks.
    """
    with ExitStack() as stack:
        stack.enter_context(use_engine(recipe.engine, half_dtype(recipe), tell=tell))
        if device.type == "cuda":
            stack.enter_context(tensor_float32(recipe.engine.tf32))
            if recipe.engine.deterministic:
                stack.enter_context(deterministic())
        yield

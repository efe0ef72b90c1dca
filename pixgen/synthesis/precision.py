"""The arithmetic of a recipe: half precision, the engine's switches, and gradients on their way to the latent.

Gradients are scaled for a precision that cannot hold small ones, and replaced or clamped where an operation
has no gradient.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch

from pixgen.models.merged import replace_grad
from pixgen.models.runtime import (
    deterministic,
    full_precision,
    supported_half_precision,
    tensor_float32,
    use_engine,
)
from pixgen.recipe.recipe import Recipe

__all__ = [
    "GradientScale",
    "arithmetic",
    "clamp_with_grad",
    "full_precision",
    "half_dtype",
    "replace_grad",
    "resolve_precision",
]


def resolve_precision(recipe: Recipe, device: torch.device) -> Recipe:
    """The recipe with the precision that ``auto`` means on a device; other recipes unchanged."""
    if recipe.precision != "auto":
        return recipe
    native = supported_half_precision(device) == "bfloat16"
    return recipe.model_copy(update={"precision": "bfloat16" if native else "float32"})


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
        stack.enter_context(
            use_engine(recipe.engine, half_dtype(resolve_precision(recipe, device)), tell=tell)
        )
        if device.type == "cuda":
            stack.enter_context(tensor_float32(recipe.engine.tf32))
            if recipe.engine.deterministic:
                stack.enter_context(deterministic())
        yield


# float16 holds nothing below 6e-8 and nothing above 65504: the scale keeps gradients of pixels between.
_FIRST_SCALE, _LARGEST_SCALE, _SMALLEST_SCALE = 2.0**12, 2.0**16, 1.0
_PATIENCE = 200  # good steps after which a larger scale is tried


_BELOW_ZERO = -torch.finfo(torch.float32).tiny


class _ClampWithGrad(torch.autograd.Function):
    """A clamp whose gradient may bring a value back into the range, but not push it further out."""

    @staticmethod
    def forward(ctx, value: torch.Tensor, low: float, high: float) -> torch.Tensor:
        clamped = value.clamp(low, high)
        ctx.save_for_backward(value - clamped)
        return clamped

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        (excess,) = ctx.saved_tensors
        # Kept where the gradient leads back, or where nothing exceeds: where their product is not below 0.
        kept = torch.ops.aten.threshold_backward(gradient, gradient * excess, _BELOW_ZERO)
        return kept, None, None


clamp_with_grad = _ClampWithGrad.apply


class GradientScale:
    """Scales losses for a precision that cannot hold small gradients, and drops gradients that are not
    finite. Everything stays on the device: nothing waits for a number.

    In float16 the scale is halved after a step with a gradient that was not finite, and doubled after 200
    without one, as torch's ``GradScaler`` does, which has to read a number back in every step.

    Args:
        device: where gradients are.
    """

    def __init__(self, device: torch.device) -> None:
        self.dropped = torch.zeros((), device=device)  # steps of which a gradient was dropped
        self._scale = torch.full((), _FIRST_SCALE, device=device)
        self._good = torch.zeros((), device=device)

    def scale_loss(self, loss: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        """A loss with the scale of the recipe's precision, for its backward pass."""
        return loss * self._scale if recipe.precision == "float16" else loss

    @torch.no_grad()
    def unscale(self, gradient: torch.Tensor, recipe: Recipe) -> None:
        """Divide a gradient by the scale, in place, and set what is not finite to 0."""
        # A sum is finite if all its parts are; and only of a finite number, itself less itself is 0.
        total = gradient.sum()
        failed = total - total != 0
        self.dropped += failed
        if recipe.precision != "float16":
            gradient.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
            return
        gradient.div_(self._scale).nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
        failed = failed.float()
        self._good = (self._good + 1) * (1 - failed)
        ripe = (self._good >= _PATIENCE).float()
        self._good = self._good * (1 - ripe)
        self._scale = (self._scale * (1 + ripe) * (1 - failed / 2)).clamp(_SMALLEST_SCALE, _LARGEST_SCALE)

    def state(self) -> torch.Tensor:
        """Three numbers: dropped steps, the scale, and good steps since it changed."""
        return torch.stack([self.dropped, self._scale, self._good])

    def restore(self, state: torch.Tensor) -> None:
        """Put a state back."""
        self.dropped, self._scale, self._good = state.to(self.dropped.device).clone().unbind()

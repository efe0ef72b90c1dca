"""What an optimization yields: one stage of a picture, with its figures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from einops import rearrange


@dataclass(frozen=True, eq=False)
class Candidate:
    """A sketch: ``(H, W, 3)`` uint8, and its mean cosine to the prompts by their weights."""

    picture: np.ndarray = field(repr=False)
    similarity: float


@dataclass(frozen=True, eq=False)
class Frame:
    """One stage of a picture. ``similarities`` are (prompt, cosine); ``seconds`` is this step's.

    Frame 0 shows the start. While a start is being sketched, ``step`` counts up to it from below 0.
    ``candidates`` are the sketches that were made for it, the one that CLIP likes best first.
    """

    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    losses: dict[str, float]
    seconds: float
    draw: Callable[[], torch.Tensor] = field(repr=False)  # (1, 3, H, W) in [0, 1], on any device
    candidates: tuple[Candidate, ...] = ()
    notice: str = ""  # what a person should know of this step
    copied: Callable[[], np.ndarray] | None = field(default=None, repr=False)  # by ``copying``

    @cached_property
    def picture(self) -> np.ndarray:
        """``(H, W, 3)`` uint8; unless it is on its way already, copied from the device when first asked
        for."""
        return as_pixels(self.draw()[0]) if self.copied is None else self.copied()


def copying(picture: torch.Tensor) -> Callable[[], np.ndarray] | None:
    """Begin to copy a picture ``(3, H, W)`` from a GPU, without waiting; what is returned waits for it,
    and not for what the GPU was told to do since. None where there is nothing to be copied."""
    if picture.device.type != "cuda":
        return None
    pixels = _on_device(picture)
    kept = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=True)
    kept.copy_(pixels, non_blocking=True)
    done = torch.cuda.Event()
    done.record(torch.cuda.current_stream(picture.device))

    def copied() -> np.ndarray:
        done.synchronize()
        return kept.numpy()

    return copied


def as_pixels(picture: torch.Tensor) -> np.ndarray:
    """A picture ``(3, H, W)`` in [0, 1], on any device, as ``(H, W, 3)`` uint8."""
    return _on_device(picture).cpu().numpy()


def _on_device(picture: torch.Tensor) -> torch.Tensor:
    pixels = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return rearrange(pixels, "c h w -> h w c")

"""What an optimization yields: one stage of a picture, with its figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from pixgen.synthesis.tensors import Download, to_pixels


@dataclass(frozen=True, eq=False)
class Candidate:
    """A sketch: ``(H, W, 3)`` uint8, and its mean cosine to the prompts by their weights."""

    picture: np.ndarray = field(repr=False)
    similarity: float


class PendingMetrics:
    """A step's figures, on their way from the device since they were made: what the device was told to
    do since is not waited for when they are read.

    Args:
        similarities, losses: numbers on a device, by prompt and by name.
        dropped: of how many steps so far a gradient was dropped that was not finite.
    """

    def __init__(
        self,
        similarities: Mapping[str, torch.Tensor],
        losses: Mapping[str, torch.Tensor],
        dropped: torch.Tensor | None = None,
    ) -> None:
        self._names = [*similarities, *losses]
        self._count = len(similarities)
        values = [*similarities.values(), *losses.values()]
        self._counts_dropped = dropped is not None
        if dropped is not None:
            values.append(dropped)
        self._download = Download(torch.stack(values) if values else torch.empty(0))

    @cached_property
    def _values(self) -> list[float]:
        return self._download().tolist()

    @property
    def similarities(self) -> tuple[tuple[str, float], ...]:
        """Prompt and cosine."""
        return tuple(zip(self._names[: self._count], self._values, strict=False))

    @property
    def losses(self) -> dict[str, float]:
        """By name."""
        values = self._values[self._count : len(self._names)]
        return dict(zip(self._names[self._count :], values, strict=True))

    @property
    def dropped(self) -> int:
        """Of how many steps so far a gradient was dropped."""
        return round(self._values[-1]) if self._counts_dropped else 0

    def is_ready(self) -> bool:
        """Whether they have come, so that nobody would wait for them."""
        return self._download.is_ready()


@dataclass(frozen=True, eq=False)
class Frame:
    """One stage of a picture. ``seconds`` is this step's; on a GPU, those that it took to tell it.

    Frame 0 shows the start. While a start is being sketched, ``step`` counts up to it from below 0.
    ``candidates`` are the sketches that were made for it, the one that CLIP likes best first.
    """

    step: int
    steps: int
    metrics: PendingMetrics = field(repr=False)
    seconds: float
    draw: Callable[[], torch.Tensor] = field(repr=False)  # (1, 3, H, W) in [0, 1], on any device
    candidates: tuple[Candidate, ...] = ()
    notice: str = ""  # what a person should know of this step
    copied: Callable[[], np.ndarray] | None = field(default=None, repr=False)  # by ``start_copy``
    # A sheet of what CLIP saw in this step, where an optimization is asked for it.
    cutouts: Callable[[], np.ndarray] | None = field(default=None, repr=False)

    @property
    def similarities(self) -> tuple[tuple[str, float], ...]:
        """Prompt and cosine."""
        return self.metrics.similarities

    @property
    def losses(self) -> dict[str, float]:
        """By name."""
        return self.metrics.losses

    @cached_property
    def picture(self) -> np.ndarray:
        """``(H, W, 3)`` uint8; unless it is on its way already, copied from the device when first asked
        for."""
        return to_pixels(self.draw()[0]) if self.copied is None else self.copied()

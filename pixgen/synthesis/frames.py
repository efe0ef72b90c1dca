"""Frames: what an optimization yields, a picture of one step with its metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from pixgen.synthesis.tensors import Download, to_pixels


@dataclass(frozen=True, eq=False)
class Candidate:
    """A candidate for the initial picture: ``(H, W, 3)`` uint8, and its mean cosine to the prompts by
    weight."""

    picture: np.ndarray = field(repr=False)
    similarity: float


class PendingMetrics:
    """Metrics of a step, copied from the device without waiting: reading them waits for this copy only, and
    not for work that was queued later.

    Args:
        similarities, losses: numbers on a device, by prompt and by name.
        dropped: the number of steps so far whose gradient was not finite and was dropped.
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
        """Cosines, by prompt."""
        return tuple(zip(self._names[: self._count], self._values, strict=False))

    @property
    def losses(self) -> dict[str, float]:
        """Losses, by name."""
        values = self._values[self._count : len(self._names)]
        return dict(zip(self._names[self._count :], values, strict=True))

    @property
    def dropped(self) -> int:
        """The number of steps so far whose gradient was dropped."""
        return round(self._values[-1]) if self._counts_dropped else 0

    def is_ready(self) -> bool:
        """Whether reading them would not wait."""
        return self._download.is_ready()


@dataclass(frozen=True, eq=False)
class Frame:
    """The picture of one step, with its metrics. ``seconds`` is the step's time; on a GPU, the time to queue
    it.

    Frame 0 shows the initial picture. While that is being sampled, ``step`` counts up from below 0.
    ``candidates`` are the sketches for it, the most similar to the prompts first.
    """

    step: int
    steps: int
    metrics: PendingMetrics = field(repr=False)
    seconds: float
    draw: Callable[[], torch.Tensor] = field(repr=False)  # (1, 3, H, W) in [0, 1], on any device
    candidates: tuple[Candidate, ...] = ()
    notice: str = ""  # a sentence about this step for the user
    copied: Callable[[], np.ndarray] | None = field(default=None, repr=False)  # by ``start_copy``
    # A sheet of the cutouts of this step, while ``watch_cutouts`` is on.
    cutouts: Callable[[], np.ndarray] | None = field(default=None, repr=False)

    @property
    def similarities(self) -> tuple[tuple[str, float], ...]:
        """Cosines, by prompt."""
        return self.metrics.similarities

    @property
    def losses(self) -> dict[str, float]:
        """Losses, by name."""
        return self.metrics.losses

    @cached_property
    def picture(self) -> np.ndarray:
        """The picture, ``(H, W, 3)`` uint8; copied from the device on first use, if no copy has started."""
        return to_pixels(self.draw()[0]) if self.copied is None else self.copied()

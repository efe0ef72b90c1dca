"""A painting that stops, is saved to a file, and goes on in another process, as it were."""

import io
from collections.abc import Callable

import numpy as np
import torch

from pixgen.synthesis import Optimization


def pictures(optimization: Optimization) -> list[np.ndarray]:
    """What is painted from here on: every frame's picture."""
    return [frame.picture for frame in optimization]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Whether there are as many pictures, and all pixels are the same."""
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def resumed(stopped: Optimization, anew: Optimization) -> Optimization:
    """``anew``, from where ``stopped`` stands: its state, written to a file and read as a run's is."""
    file = io.BytesIO()
    torch.save(stopped.state(), file)
    file.seek(0)
    anew.restore(torch.load(file, weights_only=True))
    return anew


def stopped_and_resumed(make: Callable[[], Optimization], *, after: int) -> list[np.ndarray]:
    """The pictures of a painting that is stopped after so many frames, and those that come when it goes
    on."""
    first = make()
    begun = [next(first).picture for _ in range(after)]
    return begun + pictures(resumed(first, make()))

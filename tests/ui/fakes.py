"""A studio without models: its painter makes waves, as fast or as slowly as a test wants.

``python -m tests.ui.fakes`` serves the page over it, to look at every state of it.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixgen.recipe.recipe import Recipe
from pixgen.studio import Policy, Studio


@dataclass(frozen=True)
class WaveFrame:
    """What a Frame is to those who watch."""

    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    picture: np.ndarray
    losses: dict[str, float]
    seconds: float = 0.01
    candidates: tuple = ()
    notice: str = ""
    copied: None = None


class Waves(Iterator[WaveFrame]):
    """Noise that calms down into waves, other ones for each seed. Each step takes ``seconds``,
    ``error`` is raised at the step ``breaks_at``, and the last step waits for ``hold``."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        seconds: float = 0.0,
        breaks_at: int | None = None,
        error: Exception | None = None,
        hold: threading.Event | None = None,
    ) -> None:
        self._hold = hold
        self.recipe, self.step = recipe, 0
        self._seconds, self._breaks_at, self._error = seconds, breaks_at, error

    def __next__(self) -> WaveFrame:
        if self.step > self.recipe.steps:
            raise StopIteration
        if self.step == self._breaks_at:
            raise self._error
        if self._hold is not None and self.step == self.recipe.steps:
            self._hold.wait(10)
        time.sleep(self._seconds)
        part = self.step / max(1, self.recipe.steps)
        labels = [prompt.label for prompt in self.recipe.scene(self.step)]
        likeness = tuple((label, 0.1 + 0.6 * part / (1 + place)) for place, label in enumerate(labels))
        frame = WaveFrame(
            self.step,
            self.recipe.steps,
            likeness,
            waves(self.recipe, part),
            {},
            candidates=sketched(self.recipe),
        )
        self.step += 1
        return frame

    def state(self) -> dict[str, Any]:
        return {"step": min(self.step, self.recipe.steps)}

    def change(self, **changes: Any) -> None:
        self.recipe = self.recipe.with_change(self.step, **changes)

    def restore(self, state: dict[str, Any]) -> None:
        self.step = state["step"]


@dataclass(frozen=True)
class WaveCandidate:
    """What a Candidate is to those who watch."""

    picture: np.ndarray
    similarity: float = 0.5


def sketched(recipe: Recipe) -> tuple[WaveCandidate, ...]:
    """The candidates of a recipe whose start is sketched."""
    if not recipe.init.needs_sketcher:
        return ()
    seeds = range(recipe.seed, recipe.seed + recipe.init.sketch.candidates)
    return tuple(WaveCandidate(waves(recipe.model_copy(update={"seed": seed}), 1.0)) for seed in seeds)


def waves(recipe: Recipe, part: float) -> np.ndarray:
    """``(H, W, 3)`` uint8: the picture when this part of the steps is done."""
    chance = np.random.default_rng(recipe.seed)
    rows, columns = np.mgrid[0 : recipe.height, 0 : recipe.width] / 128
    noise = chance.random((recipe.height, recipe.width, 3))
    calm = np.stack(
        [
            0.5 + 0.45 * np.sin(6.3 * (a * rows + b * columns) + c + 2 * np.sin(5 * columns + d))
            for a, b, c, d in chance.random((3, 4)) * 3
        ],
        axis=-1,
    )
    return ((noise * (1 - part) + calm * part) * 255).astype(np.uint8)


def waves_studio(
    folder: Path,
    *,
    policy: Policy | None = None,
    loading: float = 0.0,
    gate: threading.Event | None = None,
    **kind: Any,
) -> Studio:
    """A real studio with a painter of ``Waves``; ``loading`` seconds pass, or ``gate`` opens, first."""

    def painter(recipe: Recipe, pictures: Any, device: str, models: Any) -> Waves:
        time.sleep(loading)
        if gate is not None:
            gate.wait(10)
        return Waves(recipe, **kind)

    return Studio(folder, device="cpu", policy=policy, painter=painter)


if __name__ == "__main__":
    from pixgen.ui.page import build, launch

    shown = waves_studio(Path(tempfile.mkdtemp()), seconds=0.06, loading=1.5)
    launch(build(shown), server_port=int(sys.argv[1]) if len(sys.argv) > 1 else 7861)

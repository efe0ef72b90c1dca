"""A painter without models that behaves as an Optimization: exact, resumable, and able to fail."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio import Studio
from pixgen.studio.jobs import Job


@dataclass(frozen=True, eq=False)
class FakeFrame:
    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    losses: dict[str, float]
    seconds: float
    pixels: np.ndarray
    asked: list[int]
    candidates: tuple = ()
    notice: str = ""
    copied: Callable[[], np.ndarray] | None = None

    @cached_property
    def picture(self) -> np.ndarray:
        self.asked.append(self.step)
        return self.pixels


class FakePainter(Iterator):
    """Each picture follows from the one before, the prompts and chance, as in an optimization."""

    def __init__(self, recipe: Recipe, pictures: Mapping[str, Any], painters: "Painters") -> None:
        self.recipe, self.pictures, self.step = recipe, pictures, 0
        self._painters = painters
        self._chance, self._done = recipe.seed + 1, False
        self._canvas = np.zeros((recipe.height, recipe.width, 3), np.uint8)

    def __next__(self) -> FakeFrame:
        if self._done:
            raise StopIteration
        step, steps, canvas = self.step, self.recipe.steps, self._canvas
        self._painters.before(step)
        scene = self.recipe.scene(step)
        if step < steps:
            words = sum(map(ord, "".join(prompt.text for prompt in scene)))
            self._chance = (self._chance * 6364136223846793005 + 1442695040888963407 + words) % 2**62
            self._canvas = canvas + self._blocks(canvas.shape)
            self.step += 1
        else:
            self._done = True  # the last picture is only looked at
        likeness = tuple((prompt.label, step / max(1, steps)) for prompt in scene)
        copied = (lambda: canvas) if self._painters.on_gpu else None
        return FakeFrame(
            step, steps, likeness, {"prompts": 1.0}, 0.0, canvas, self._painters.asked, copied=copied
        )

    def _blocks(self, shape: tuple[int, ...]) -> np.ndarray:
        """Large even patches, which an encoder keeps, of other colours at every step."""
        height, width = -(-shape[0] // 8), -(-shape[1] // 8)
        chance = np.random.default_rng(self._chance)
        blocks = chance.integers(40, 90, (height, width, 3), dtype=np.uint8)
        return blocks.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]]

    def change(self, **changes: Any) -> None:
        self.recipe = self.recipe.with_change(self.step, **changes)

    def state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "chance": self._chance,
            "canvas": torch.from_numpy(self._canvas.copy()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.step, self._chance, self._done = state["step"], state["chance"], False
        self._canvas = state["canvas"].numpy().copy()


class Painters:
    """Makes painters for a Studio, and says what they do.

    Args:
        hold_at: before this step they wait until ``go_on`` is set; ``held`` is set then.
        fail_at, error: before this step they raise the error.
        seconds: how long a step takes.
        at: called before these steps.
        on_gpu: whether pictures are on their way from a GPU.
    """

    def __init__(
        self,
        *,
        hold_at: int | None = None,
        fail_at: int | None = None,
        error: BaseException | None = None,
        seconds: float = 0.0,
        on_gpu: bool = False,
    ) -> None:
        self.on_gpu = on_gpu
        self.hold_at, self.fail_at, self.error, self.seconds = hold_at, fail_at, error, seconds
        self.held, self.go_on = threading.Event(), threading.Event()
        self.asked: list[int] = []  # steps whose picture was asked for
        self.made: list[FakePainter] = []
        self.at: dict[int, Callable[[], Any]] = {}
        self._wait = threading.Event()

    def __call__(self, recipe, pictures, device, models) -> FakePainter:
        self.made.append(FakePainter(recipe, pictures, self))
        return self.made[-1]

    def before(self, step: int) -> None:
        if step == self.hold_at and not self.go_on.is_set():
            self.held.set()
            assert self.go_on.wait(120), "nobody let the painter go on"
        if step in self.at:
            self.at[step]()
        if step == self.fail_at and self.error is not None:
            raise self.error
        if self.seconds:
            self._wait.wait(self.seconds)


def a_recipe(**fields: Any) -> Recipe:
    """A small recipe of 12 steps."""
    return make_recipe({"prompts": "a red fox", "width": 32, "height": 32, "steps": 12}, fields)


def stopped(studio: Studio, recipe: Recipe, step: int) -> Job:
    """A job that was asked to stop at a step, and has."""
    job = studio.submit(recipe)
    for job_status in job.watch(rate=1e6):
        if job_status.frame is not None and job_status.frame.step >= step:
            job.stop()
    assert job.error is None
    return job


def until(true: Callable[[], object]) -> None:
    """Wait until something is true: a minute at most, as an actor of a cluster takes some seconds to start."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.005)


def ended(*jobs: Job) -> None:
    """Wait until jobs have ended, each without an error."""
    assert all(job.wait(30) for job in jobs)
    assert [job.error for job in jobs] == [None] * len(jobs)

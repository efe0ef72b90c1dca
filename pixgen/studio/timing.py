"""Estimates durations: the step rate of a running job, and the time of a recipe from earlier jobs."""

import threading
from collections import OrderedDict

from pixgen.recipe.recipe import Recipe

_SHARE = 0.1  # weight of the newest step: about the last ten steps count


class StepRate:
    """An exponential moving average of the seconds per step, with bias correction."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._weight = 0.0
        self._last: float | None = None

    def step(self, now: float) -> None:
        """Record that a frame came at this time, in seconds of any clock."""
        if self._last is not None:
            self._seconds += _SHARE * (now - self._last - self._seconds)
            self._weight += _SHARE * (1 - self._weight)
        self._last = now

    def pause(self) -> None:
        """Leave out the time until the next frame."""
        self._last = None

    @property
    def steps_per_second(self) -> float:
        """Steps per second; 0 until there are two frames."""
        return self._weight / self._seconds if self._seconds > 0 else 0.0

    def seconds_left(self, steps: int) -> float | None:
        """The seconds for so many more steps; None while the rate is unknown."""
        return steps / self.steps_per_second if self.steps_per_second else None


_REMEMBERED = 64  # combinations of models and sizes
_CUTOUTS = 12  # so many cost about as much as decoding _PIXELS: the two halves of a usual step
_PIXELS = 128 * 128


class DurationEstimator:
    """Estimates seconds from earlier jobs with the same drawer, models, size and cutouts.

    Other recipes are estimated from the latest job, in proportion to pixels and cutouts. Any thread may
    call it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: OrderedDict[tuple, tuple[float, float]] = OrderedDict()  # a step, a unit of work

    def record(self, recipe: Recipe, steps_per_second: float) -> None:
        """Record the step rate of a recipe; 0 is ignored."""
        if steps_per_second <= 0:
            return
        with self._lock:
            seconds = 1 / steps_per_second
            self._seconds[_kind(recipe)] = (seconds, seconds / _work(recipe))
            self._seconds.move_to_end(_kind(recipe))
            if len(self._seconds) > _REMEMBERED:
                self._seconds.popitem(last=False)

    def estimate(self, recipe: Recipe, steps: int) -> float | None:
        """The seconds for so many steps of a recipe; None before the first job."""
        with self._lock:
            if not self._seconds:
                return None
            known = self._seconds.get(_kind(recipe))
            if known is not None:
                return steps * known[0]
            return steps * next(reversed(self._seconds.values()))[1] * _work(recipe)


def _kind(recipe: Recipe) -> tuple:
    return (
        recipe.drawer,
        recipe.model,
        recipe.clip,
        recipe.width,
        recipe.height,
        recipe.cutouts.count,
    )


def _work(recipe: Recipe) -> float:
    return recipe.width * recipe.height / _PIXELS + recipe.cutouts.count / _CUTOUTS

"""How fast a painting goes, from the times at which its frames came."""

# MERGED pixgen.studio.timing: How long a picture will take, from how long others took on this machine.
import threading
from collections import OrderedDict

from pixgen.recipe.recipe import Recipe

_SHARE = 0.1  # of the newest step in the average: about the last ten steps count


class StepRate:
    """A moving average of the seconds a step, corrected for its start."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._weight = 0.0
        self._last: float | None = None

    def step(self, now: float) -> None:
        """A frame came at this time, in seconds of any clock."""
        if self._last is not None:
            self._seconds += _SHARE * (now - self._last - self._seconds)
            self._weight += _SHARE * (1 - self._weight)
        self._last = now

    def pause(self) -> None:
        """What passes until the next frame counts for none."""
        self._last = None

    @property
    def steps_a_second(self) -> float:
        """0 until two frames have come."""
        return self._weight / self._seconds if self._seconds > 0 else 0.0

    def seconds_left(self, steps: int) -> float | None:
        """For so many more steps; None while the pace is unknown."""
        return steps / self.steps_a_second if self.steps_a_second else None


_REMEMBERED = 64  # kinds of work
_CUTOUTS = 12  # so many cost about what it costs to decode _PIXELS: the two halves of a usual step
_PIXELS = 128 * 128


class Timing:
    """Seconds a step by kind of work: what draws and looks, how large, with how many cutouts.

    What was never painted is estimated from the latest that was, by its pixels and cutouts. Any
    thread may ask.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: OrderedDict[tuple, tuple[float, float]] = OrderedDict()  # a step, a unit of work

    def learn(self, recipe: Recipe, steps_a_second: float) -> None:
        """Steps of this recipe went so fast; 0 is nothing known."""
        if steps_a_second <= 0:
            return
        with self._lock:
            seconds = 1 / steps_a_second
            self._seconds[_kind(recipe)] = (seconds, seconds / _work(recipe))
            self._seconds.move_to_end(_kind(recipe))
            if len(self._seconds) > _REMEMBERED:
                self._seconds.popitem(last=False)

    def seconds(self, recipe: Recipe, steps: int) -> float | None:
        """For so many steps of this recipe; None before anything was painted."""
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

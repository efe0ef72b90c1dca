"""How fast a painting goes, from the times at which its frames came."""

_SHARE = 0.1  # of the newest step in the average: about the last ten steps count


class Pace:
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

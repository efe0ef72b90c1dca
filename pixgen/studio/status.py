"""The status of a job and those who watch it: what they receive, and how they are woken."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pixgen.models.progress import DownloadProgress
from pixgen.studio.runs.run import State

if TYPE_CHECKING:
    from pixgen.studio.jobs import Job
    from pixgen.synthesis import Frame
    from pixgen.synthesis.frames import Candidate


@dataclass(frozen=True)
class JobStatus:
    """A job at one moment.

    Args:
        position: how many jobs are ahead of it in the queue.
        seconds_left: None while unknown.
        elapsed: seconds of loading and painting, over all sessions of the run.
        fetching: the progress of a model's download, if there is one.
    """

    state: State
    position: int
    frame: "Frame | FinalFrame | None"
    steps_per_second: float
    seconds_left: float | None
    elapsed: float
    notice: str = ""
    paused: bool = False
    fetching: DownloadProgress | None = None


@dataclass(frozen=True, eq=False)
class FinalFrame:
    """The last frame of a job that has ended, with the fields of a Frame; it holds no device memory."""

    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    losses: dict[str, float]
    seconds: float
    picture: np.ndarray  # (H, W, 3) uint8
    candidates: tuple["Candidate", ...] = ()
    notice: str = ""
    copied: None = None  # nothing is on its way from a device

    @classmethod
    def of(cls, frame: "Frame | FinalFrame", *, notice: str = "") -> "FinalFrame":
        """A frame, with its picture on the CPU.

        Args:
            notice: instead of the frame's own.
        """
        return cls(
            step=frame.step,
            steps=frame.steps,
            similarities=frame.similarities,
            losses=frame.losses,
            seconds=frame.seconds,
            picture=frame.picture,
            candidates=frame.candidates,
            notice=notice or frame.notice,
        )


class WatchPoint(NamedTuple):
    """Where a watcher is after a status; ``watch`` leaves it in ``watch_points``, for those who wait elsewhere than in
    ``watch`` for the next one.

    Args:
        seen: the version of the status that it has.
        due, late: the times of ``time.monotonic()`` before and until which the next status comes.
    """

    job: "Job"
    seen: int
    due: float
    late: float


class Pause(NamedTuple):
    """A watcher's wait for nothing but time, left in ``watch_points`` as a ``WatchPoint`` is."""

    seconds: float


watch_points: ContextVar["list[WatchPoint | Pause] | None"] = ContextVar("watch_points", default=None)


def leave_pause(seconds: float) -> bool:
    """Leave a wait for time alone to those who wait elsewhere; returns whether there are such, else the caller waits."""
    points = watch_points.get()
    if points is not None:
        points[:] = [Pause(seconds)]
    return points is not None


class Watched:
    """What many may watch on any thread: it counts them and wakes them after each change."""

    def __init__(self) -> None:
        self._changed = (
            threading.Condition()
        )  # guards the fields of this class and of those that derive from it
        self._version = 0  # of the status
        self._listeners: list[Callable[[], object]] = []
        self._watchers, self._unwatched_since = 0, time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        raise NotImplementedError

    @property
    def unwatched_seconds(self) -> float:
        """For how long nobody has watched or waited for the end."""
        with self._changed:
            return 0.0 if self._watchers else time.monotonic() - self._unwatched_since

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count a watcher for the length of a block: a job that nobody watches may lose its place."""
        with self._changed:
            self._watchers += 1
        try:
            yield
        finally:
            with self._changed:
                self._watchers -= 1
                self._unwatched_since = time.monotonic()

    @contextmanager
    def listening(self, call: Callable[[], object]) -> Iterator[None]:
        """Call ``call`` after every change of the status inside the block, on any thread; it must return at once."""
        with self._changed:
            self._listeners.append(call)
        try:
            yield
        finally:
            with self._changed:
                self._listeners.remove(call)

    def has_news(self, seen: int) -> bool:
        """Whether the status is newer than that version, or the end has come."""
        return self.ended or self._version != seen

    def notify_watchers(self) -> None:
        """Send watchers a new status, as after a change of the position."""
        with self._changed:
            self._notify()

    def _notify(self) -> None:
        self._version += 1
        self._changed.notify_all()
        for call in self._listeners:
            call()

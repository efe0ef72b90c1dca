"""The status of a job that watchers receive, and the final frame of a job that has ended."""

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

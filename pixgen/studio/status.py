"""What a watcher of a job sees: the job at one moment, and its last frame when it has ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pixgen.models.progress import DownloadProgress
from pixgen.studio.runs.run import State

if TYPE_CHECKING:
    from pixgen.synthesis import Frame
    from pixgen.synthesis.frames import Candidate


@dataclass(frozen=True)
class JobStatus:
    """A job at one moment. ``place`` is how many are before it; ``seconds_left`` is None while unknown;
    ``elapsed`` is the seconds of loading and painting, over all sessions of the run; ``fetching`` is how
    far a model's download is, while there is one."""

    state: State
    place: int
    frame: "Frame | FinalFrame | None"
    steps_a_second: float
    seconds_left: float | None
    elapsed: float
    notice: str = ""
    paused: bool = False
    fetching: DownloadProgress | None = None


@dataclass(frozen=True, eq=False)
class FinalFrame:
    """The last frame of a job that has ended: what a Frame is, with its picture in memory, while a
    Frame may hold on to the device's."""

    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    losses: dict[str, float]
    seconds: float
    picture: np.ndarray  # (H, W, 3) uint8
    candidates: tuple["Candidate", ...] = ()
    notice: str = ""

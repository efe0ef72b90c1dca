"""The queue as a person sees it: which of their runs wait, at which place, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pixgen.errors import StudioError
from pixgen.studio.jobs import Job
from pixgen.studio.timing import Timing

if TYPE_CHECKING:
    from pixgen.studio.studio import Studio

ACTS = ("up", "down", "pause", "go_on", "cancel")  # what can be done with a job


@dataclass(frozen=True, kw_only=True)
class Place:
    """One job in the line.

    ``before`` is how many are painted before it. ``wait`` is how many seconds pass until its turn, and
    ``takes`` how many it takes from then on; None while nothing was measured.
    """

    job: Job
    before: int
    paused: bool
    wait: float | None
    takes: float | None


def places(line: Sequence[Job], timing: Timing) -> list[Place]:
    """Everyone in the line, the first one first; who is paused is passed over."""
    found: list[Place] = []
    wait: float | None = 0.0
    for job in sorted(line, key=lambda job: job.paused):  # stable: who is paused comes last
        takes = _takes(job, timing)
        paused = job.paused
        found.append(
            Place(job=job, before=job.place, paused=paused, wait=None if paused else wait, takes=takes)
        )
        wait = None if wait is None or takes is None else wait + takes
    return sorted(found, key=lambda place: line.index(place.job))


def move(line: Sequence[Job], job: Job, by: int) -> None:
    """Let a job that waits change places with the one of the same owner before (-1) or behind it (1):
    nobody gets before anybody else."""
    own = [each for each in line if each.owner == job.owner]
    if job in own and 0 <= (place := own.index(job) + by) < len(own):
        job.exchange(own[place])


def act(studio: "Studio", job: Job, name: str) -> None:
    """Do one of ``ACTS`` with a job; to one that has ended, nothing. Raises StudioError, which lists them."""
    if name not in ACTS:
        raise StudioError(
            "There is no “{name}” in a queue: choose {choices}.",
            name=name[:40],
            choices=", ".join(ACTS),
        )
    if job.ended:
        return
    if name == "pause":
        job.pause()
    elif name == "go_on":
        job.go_on()
    elif name == "cancel":
        job.stop()
    else:
        studio.move(job, -1 if name == "up" else 1)


def _takes(job: Job, timing: Timing) -> float | None:
    job_status = job.job_status()
    if job_status.seconds_left is not None:
        return job_status.seconds_left
    run = job.run
    return timing.seconds(run.recipe, max(0, run.recipe.steps - max(0, run.step)))

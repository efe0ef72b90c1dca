"""The queue for display: each job with its position and estimated times, and the actions on it."""

import heapq
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pixgen.errors import StudioError
from pixgen.messages import _
from pixgen.studio.jobs import Job
from pixgen.studio.policy import Policy
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.timing import DurationEstimator

if TYPE_CHECKING:
    from pixgen.studio.studio import Studio

log = logging.getLogger(__name__)
ACTIONS = ("up", "down", "pause", "resume", "cancel")


@dataclass(frozen=True, kw_only=True)
class QueueEntry:
    """One job in the queue.

    Args:
        before: how many jobs run before it.
        wait: seconds until its turn; None while unknown.
        takes: seconds from its turn to its end; None while unknown.
    """

    job: Job
    before: int
    paused: bool
    wait: float | None
    takes: float | None


def list_entries(queue: JobQueue[Job], durations: DurationEstimator) -> list[QueueEntry]:
    """Every job in the queue, in order; paused jobs delay nobody."""
    members, turns = queue.members(), queue.expected_order()
    free = [0.0] * queue.workers  # when each worker is free; infinite after a job of unknown length
    waits: dict[int, float] = {}
    takes = {id(job): _estimate_seconds(job, durations) for job in members}
    for job in turns:
        waits[id(job)] = begins = heapq.heappop(free)
        length = takes.get(id(job))
        heapq.heappush(free, math.inf if length is None else begins + length)
    places = {id(job): place for place, job in enumerate(turns)}
    return [
        QueueEntry(
            job=job,
            before=max(0, places[id(job)] - (queue.workers - 1)) if id(job) in places else job.position,
            paused=job.paused,
            wait=wait if math.isfinite(wait := waits.get(id(job), math.inf)) else None,
            takes=takes[id(job)],
        )
        for job in members
    ]


def move_job(line: Sequence[Job], job: Job, by: int) -> None:
    """Swap a waiting job with the previous (-1) or next (1) job of the same owner, so that nobody
    overtakes anybody else."""
    own = [each for each in line if each.owner == job.owner]
    if job in own and 0 <= (place := own.index(job) + by) < len(own):
        job.swap_with(own[place])


def apply_action(studio: "Studio", job: Job, name: str) -> None:
    """Apply one of ``ACTIONS`` to a job, unless it has ended. Raises StudioError for other names."""
    name = {"go_on": "resume"}.get(name, name)  # the name in earlier versions
    if name not in ACTIONS:
        raise StudioError(
            "“{name}” is not a queue action: choose {choices}.",
            name=name[:40],
            choices=", ".join(ACTIONS),
        )
    if job.ended:
        return
    if name == "pause":
        job.pause()
    elif name == "resume":
        job.resume()
    elif name == "cancel":
        job.stop()
    else:
        studio.move(job, -1 if name == "up" else 1)


def release_places(line: Sequence[Job], policy: Policy) -> None:
    """End the pauses that have lasted too long, and stop the jobs that wait for nobody: those whose owner
    watches none. They can be resumed."""
    watched = {
        job.owner
        for job in line
        if policy.longest_unwatched is None or job.unwatched_seconds <= policy.longest_unwatched
    }
    for job in line:
        if job.owner not in watched and job.state == "waiting" and not job.stopping:
            job.stop(_("Stopped because nobody was watching while it waited: resume it when you are back."))
        elif policy.longest_pause is not None and job.paused_seconds > policy.longest_pause:
            job.resume()


def _estimate_seconds(job: Job, durations: DurationEstimator) -> float | None:
    if (left := job.seconds_left) is not None:
        return left
    run = job.run
    return durations.estimate(run.recipe, first=max(0, run.step))


def log_end(job: Job) -> None:
    """Log how a job has ended."""
    status = job.status()
    facts: dict[str, object] = {
        "state": job.state,
        "waited": round(job.waited_seconds, 3),
        "seconds": round(status.elapsed, 3),
        "steps_per_second": round(status.steps_per_second, 3),
    }
    if job.error is not None:
        facts["reason"] = type(job.error).__name__
    log.info("a job has ended: %s", job.state, extra=facts)


def log_start(job: Job, entries: Callable[[], Sequence[QueueEntry]]) -> None:
    """Log that a job has joined the queue, with its place among the entries and its size; only where that is logged are
    the entries listed."""
    entry = (
        next((each for each in entries() if each.job is job), None)
        if log.isEnabledFor(logging.INFO)
        else None
    )
    if entry is None:
        return
    recipe = job.recipe
    log.info(
        "a job joined the queue",
        extra={
            "run": job.id,
            "ahead": entry.before,
            "estimated_wait": None if entry.wait is None else round(entry.wait, 3),
            "estimated_seconds": None if entry.takes is None else round(entry.takes, 3),
            "width": recipe.width,
            "height": recipe.height,
            "steps": recipe.steps,
        },
    )

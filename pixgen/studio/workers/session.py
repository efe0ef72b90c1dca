"""A job on the workers: waits for its turn between sessions, loads models, paints, saves and reports errors.

A job is painted in one session, or in several: a pause ends one, and so does a worker that is lost.
"""

import logging
import shutil
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pixgen.errors import ModelError, OutOfMemory, PixgenError, StorageError, StudioError
from pixgen.logs import log_run
from pixgen.messages import _
from pixgen.recipe.recipe import Recipe
from pixgen.studio.jobs import Job, StopRequested
from pixgen.studio.memory_check import format_bytes
from pixgen.studio.runs.edits import take_edit
from pixgen.studio.runs.inputs import open_inputs
from pixgen.studio.runs.record import RunRecorder, SavedState, read_state
from pixgen.studio.runs.run import Run, RunLock, State
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.status import FinalFrame
from pixgen.studio.workers.base import (
    Painting,
    Worker,
    WorkerLost,
    has_memory,
    painting_error,
    without_traceback,
)

if TYPE_CHECKING:
    from pixgen.synthesis import Frame

log = logging.getLogger(__name__)

End = Literal["ended", "paused", "lost"]
MOST_LOSSES = 3  # workers lost one after the other without a checkpoint between: the recipe may be the cause


@dataclass(frozen=True, kw_only=True)
class SessionTools:
    """What all jobs of a studio share."""

    queue: JobQueue[Job]
    save_every: float  # seconds between two checkpoints
    longest_seconds: float | None  # of painting one job


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    state: State
    error: PixgenError | None = None
    final_frame: FinalFrame | None = None
    unsaved: tuple[State, Callable[[Run], None]] | None = None


class _Paused(Exception):  # noqa: N818 - a signal, not an error
    """The job was paused, and its state is kept."""


class JobSession:
    """Paints one job; one thread at a time calls ``run``.

    Args:
        run_lock: held until the job ends.
    """

    def __init__(self, job: Job, tools: SessionTools, *, run_lock: RunLock) -> None:
        self.job = job
        self._tools, self._run_lock = tools, run_lock
        # Of who submitted the job: on ZeroGPU, the time of the GPU is that of the visitor whose request this is.
        self._context = copy_context()
        self._record = RunRecorder(job.run)
        self._worker: Worker | None = None  # that of the painting
        self._painting: Painting | None = None
        self._frame: Frame | None = None  # the newest one of the painting
        self._state: dict[str, Any] | None = None  # of a paused painting
        self._resumes, self._losses = job.resumes, 0
        self._seconds = 0.0  # of painting, in earlier sessions

    def run(self, worker: Worker | None) -> End:
        """Paint on a worker until the job ends, is paused, or the worker is lost. Never raises.

        Without a worker, end a job that was stopped while it waited.
        """
        return self._context.run(self._run, worker)

    def _run(self, worker: Worker | None) -> End:
        with log_run(self.job.id):
            try:
                outcome = self._paint_safely(worker)
            except _Paused:
                return "paused"
            except WorkerLost as lost:
                found = self._after_loss(lost)
                if found is None:
                    return "lost"
                outcome = found
            self._end(worker, outcome)
            return "ended"

    def _paint_safely(self, worker: Worker | None) -> _Outcome:
        """As ``_paint``, with every error as an outcome."""
        try:
            return self._paint(worker)
        except (_Paused, WorkerLost):
            raise
        except Exception as error:
            failure = painting_error(error)
        return self._fail(failure)

    def _paint(self, worker: Worker | None) -> _Outcome:
        job, record = self.job, self._record
        try:
            if not self._prepare(worker):
                record.save_facts(job.snapshot("stopped"))
                return _Outcome(state="stopped")
        except StopRequested:  # during a download; the partial file stays
            record.save_facts(job.snapshot("stopped"))
            return _Outcome(state="stopped")
        assert self._painting is not None
        state, notice = self._take_steps(self._painting)
        if state == "waiting":
            self._pause(self._painting)
        job.set_notice(notice)
        if self._frame is None:  # stopped before this session's first frame: earlier files stay
            record.save_facts(job.snapshot(state))
            return _Outcome(state=state)
        final_frame, kept = FinalFrame.of(self._frame), self._painting.state()
        try:
            record.save(job.snapshot(state), final_frame, painter=kept)
        except StorageError as error:
            return _Outcome(
                state="failed",
                error=without_traceback(error),
                final_frame=final_frame,
                unsaved=(state, lambda run: record.save(run, final_frame, painter=kept)),
            )
        job.set_notice(record.notice or job.notice)
        return _Outcome(state=state, final_frame=final_frame)

    # Loading

    def _prepare(self, worker: Worker | None) -> bool:
        """Have a painting on this worker: load it, go on with it after a pause, or move it from another. False
        for a job that was stopped before it had one."""
        if worker is None or self.job.stopping:
            if self._painting is None:
                return False
        elif self._painting is None:
            self._load(worker)
        elif self._worker is worker:
            self._painting.resume()
        else:
            recipe = self._painting.recipe
            self._drop()
            self._begin(worker, recipe, self._state)
        if worker is not None:
            self.job.set_state("painting")
        return True

    def _load(self, worker: Worker) -> None:
        job, record = self.job, self._record
        if not has_memory(worker, job.memory):
            raise StudioError(
                "This picture needs about {needed} of memory, and the largest device has {free}: choose a "
                "smaller size, fewer cutouts or smaller models.",
                needed=format_bytes(job.memory),
                free=format_bytes(worker.memory or 0),
            )
        job.set_state("loading")
        record.save_facts(job.snapshot("loading"))
        if job.on_load is not None:
            job.on_load(job)
        recipe, stored = job.recipe, None
        if self._resumes:
            stored = read_state(record.run.state_file)
        if stored is not None:
            recipe = self._stored_recipe(stored)
            record.resume(stored)
        journey = recipe.journey
        job.pictures |= open_inputs(recipe, record.run.folder)
        if journey.video:
            record.left_out = job.pictures[journey.video].left_out(journey.frames(recipe.steps))
            job.set_notice(record.left_out)
        self._begin(worker, recipe, None if stored is None else stored.painter)

    def _stored_recipe(self, stored: SavedState) -> Recipe:
        """The recipe to continue a saved state with. It was saved with the state and belongs to it; the job's may
        have more steps, and after a lost worker the changes that were made since."""
        recipe = self.job.recipe
        if self._losses:
            return recipe
        return (
            stored.recipe.with_more_steps(recipe.steps)
            if stored.recipe.steps < recipe.steps
            else stored.recipe
        )

    def _begin(self, worker: Worker, recipe: Recipe, state: dict[str, Any] | None) -> None:
        self._worker, self._frame = worker, None
        self._painting = worker.paint(
            recipe,
            self.job.pictures,
            state=state,
            save_every=self._tools.save_every,
            report=self.job.report_download,
        )

    # Painting

    def _take_steps(self, painting: Painting) -> tuple[State, str]:
        """Paint until the job is done, stopped, or over its time; returns the final state and a notice. The
        state is ``waiting`` for a job that is paused."""
        job, record, began = self.job, self._record, time.monotonic()
        end: tuple[State, str] | None = None
        while True:
            self._apply_edits(painting)  # also before a stop: the edits apply when the run is resumed
            if end is None and (end := self._reason_to_end(began)) is not None:
                painting.halt()
            painting.watch_cutouts(job.cutouts_requested)
            frame = next(painting, None)
            if frame is None:
                self._seconds += time.monotonic() - began
                return end or ("done", "")
            self._frame = frame
            record.add_video_frame(frame)
            record.curve.add(frame)
            job.publish_frame(frame, recipe=painting.recipe)
            if frame.notice:
                job.set_notice(frame.notice)
            if frame.step >= frame.steps:
                return "done", ""
            if (state := painting.checkpoint()) is not None:
                self._save_checkpoint(frame, state)

    def _reason_to_end(self, began: float) -> tuple[State, str] | None:
        """Why no further step may begin, as the state and the notice; None if one may."""
        job, limit = self.job, self._tools.longest_seconds
        if job.stopping:
            return "stopped", job.stop_reason
        if limit is not None and self._seconds + time.monotonic() - began >= limit:
            return "stopped", _(
                "Stopped after {seconds:g} seconds, the time limit for a picture here.", seconds=limit
            )
        return ("waiting", "") if job.paused else None

    def _pause(self, painting: Painting) -> None:
        """Save the state, and raise _Paused."""
        self._state = painting.state()
        if self._frame is not None:
            self._save_checkpoint(self._frame, self._state)
        self.job.set_state("waiting")
        raise _Paused

    def _apply_edits(self, painting: Painting) -> None:
        try:
            if order := take_edit(self.job.run.folder):
                self.job.change(**order)
            self.job.apply_edits(painting)
        except WorkerLost:
            raise
        except PixgenError as error:
            self.job.set_notice(error.message)

    def _save_checkpoint(self, frame: "Frame", state: dict[str, Any]) -> None:
        """Save a checkpoint. A full disk does not stop the job: there may be space again at its end."""
        try:
            self._record.save(self.job.snapshot("painting"), frame, painter=state)
            self._losses = 0
            self.job.set_notice(self._record.notice)
        except StorageError as error:
            self.job.set_notice(_("{error} Painting continues.", error=error.message))

    # Ends

    def _after_loss(self, lost: WorkerLost) -> _Outcome | None:
        """After the loss of the worker, begin again from the last saved state at the next turn: None. The
        outcome instead if the job is to stop, or if too many were lost one after the other."""
        log.warning("run %s: %s", self.job.id, lost)
        self._losses += 1
        shown = None if self._frame is None else FinalFrame.of(self._frame)
        self._record.close()
        self._drop()
        if self.job.stopping:
            self.job.set_notice(self.job.stop_reason)
            try:
                self._record.save_facts(self.job.snapshot("stopped"))
            except StorageError as error:
                return _Outcome(state="failed", error=without_traceback(error), final_frame=shown)
            return _Outcome(state="stopped", final_frame=shown)
        if self._losses >= MOST_LOSSES:
            return self._fail(
                StudioError(
                    "{count} workers ended while they painted this picture. It may need more memory than they "
                    "have: try a smaller size.",
                    count=MOST_LOSSES,
                )
            )
        self._record, self._resumes = RunRecorder(self._record.run), True
        self.job.set_state("waiting")
        self.job.set_notice(
            _("A worker was lost: the picture continues from its last saved step on another one.")
        )
        return None

    def _fail(self, error: PixgenError) -> _Outcome:
        """Save the last frame, but not the painting's state, which an error may have left inconsistent: the
        previous checkpoint stays the one to resume from."""
        run, final_frame = self.job.snapshot("failed", error=error), None
        try:
            if self._frame is None:
                self._record.save_facts(run)
            else:
                final_frame = FinalFrame.of(self._frame)
                self._record.save(run, final_frame, painter=None)
        except Exception as another:  # the first error is the one to report
            log.warning("run %s: its last frame could not be saved: %s", self.job.id, another)
        return _Outcome(state="failed", error=error, final_frame=final_frame)

    def _end(self, worker: Worker | None, outcome: _Outcome) -> None:
        job = self.job
        self._record.close()
        self._drop()
        if isinstance(outcome.error, OutOfMemory) and worker is not None:
            worker.free_memory()
        # A watcher that sees the job end may resume its run at once.
        self._run_lock.release()
        if isinstance(outcome.error, ModelError) and job.frame is None and not job.resumes:
            # Its models cannot be loaded: there is nothing to resume.
            shutil.rmtree(job.run.folder, ignore_errors=True)
        job.record_times()
        self._tools.queue.leave(job)
        job.finish(
            outcome.state, error=outcome.error, final_frame=outcome.final_frame, unsaved=outcome.unsaved
        )

    def _drop(self) -> None:
        """Drop the painting and its memory."""
        painting, self._painting, self._frame = self._painting, None, None
        if painting is not None:
            painting.close()

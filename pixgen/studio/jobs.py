"""A job: one run in the queue, with its status for watchers and the controls to pause, stop and edit it."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixgen.errors import PixgenError, StudioError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe
from pixgen.studio.runs.edits import Edit, settings_at
from pixgen.studio.runs.inputs import keep_prompts, open_pictures, prompt_pictures, trust_paths
from pixgen.studio.runs.run import FINAL_STATES, Run, RunLock, State
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.status import FinalFrame, JobStatus, Watched, WatchPoint, watch_points
from pixgen.studio.timing import DurationEstimator, JobTimer
from pixgen.studio.workers.base import Painting, WorkerLost

if TYPE_CHECKING:
    import numpy as np

    from pixgen.synthesis import Frame

_CUTOUTS_FOR = 10.0  # seconds for which frames carry cutouts after the last request
HEARTBEAT = 1.0  # seconds at most between two statuses, so that watchers know that the job is alive
WAITING_HEARTBEAT = 5.0  # seconds, while it waits for its turn: hundreds may watch then


class StopRequested(Exception):  # noqa: N818 - a signal, not an error
    """``stop`` was called while a model was being downloaded."""


class Job(Watched):
    """A run that is waiting, running or ended. A Studio creates it; any thread may use it.

    Only ``stop`` ends it early: leaving ``watch`` or dropping the job does not.

    Args:
        run: the run, with copies of its pictures in its folder.
        queue: where the job waits for its turn.
        find: returns the file of a picture that an edit names, or raises PictureError.
        check: raises RecipeError if edited prompts are not allowed.
        on_load: called with the job on its thread, when its turn has come and its models load.
        resumes: whether to continue from the run's saved state.
        memory: the bytes that it needs on a device; 0 if that does not matter.
        durations: what earlier jobs took, by which this one's time left is estimated.
    """

    def __init__(
        self,
        run: Run,
        *,
        queue: "JobQueue[Job]",
        find: Callable[[str], Path] = Path,
        check: Callable[[tuple[Scene, ...]], None] = lambda scenes: None,
        on_load: Callable[["Job"], object] | None = None,
        resumes: bool = False,
        memory: int = 0,
        durations: DurationEstimator | None = None,
    ) -> None:
        super().__init__()
        self.id, self.owner = run.id, run.owner
        self.on_load, self.resumes, self.memory = on_load, resumes, memory
        self.pictures: dict[str, Any] = {}  # as ``open_inputs`` opens them
        self._run, self._queue, self._find, self._check = run, queue, find, check
        self._state: State = "waiting"
        self._error: PixgenError | None = None
        self._notice = ""
        self._recipe = run.recipe
        self._frame: Frame | FinalFrame | None = None
        self._timer = JobTimer(durations or DurationEstimator(), first=run.step if resumes else 0)
        self._joined, self._waited = time.monotonic(), 0.0
        self._began: float | None = None
        self._seconds = run.seconds  # of earlier sessions; of all sessions once it has ended
        self._finished: datetime | None = None
        self._changes: dict[str, Any] = {}
        self._unsaved: tuple[State, Callable[[Run], None]] | None = None
        self._fetching: DownloadProgress | None = None
        self._stopping = threading.Event()
        self._stop_reason = ""
        self._paused_at: float | None = None
        self._cutouts_until = 0.0

    @property
    def state(self) -> State:
        """The state; ``done``, ``stopped`` and ``failed`` are final."""
        return self._state

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self._state in FINAL_STATES

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping.is_set()

    @property
    def stop_reason(self) -> str:
        """Why ``stop`` was called, as a message; empty if a person asked for it."""
        return self._stop_reason

    @property
    def paused_seconds(self) -> float:
        """For how long the job has been paused."""
        return 0.0 if self._paused_at is None else time.monotonic() - self._paused_at

    @property
    def seconds_left(self) -> float | None:
        """The seconds that painting still takes; None while unknown and before its turn."""
        with self._changed:
            if self._state not in ("loading", "painting") or self._fetching is not None:
                return None
            step = None if self._frame is None else self._frame.step
            return self._timer.seconds_left(self._recipe, step=step, now=time.monotonic())

    @property
    def waited_seconds(self) -> float:
        """For how long the job waited for its first turn; 0 while it does."""
        return self._waited

    @property
    def paused(self) -> bool:
        """Whether the job is paused: jobs behind it run first."""
        return self._queue.is_paused(self)

    @property
    def error(self) -> PixgenError | None:
        """The error that made the job fail, if any."""
        return self._error

    @property
    def notice(self) -> str:
        """A message beside the error: why the job was stopped, or what could not be saved."""
        return self._notice

    @property
    def recipe(self) -> Recipe:
        """The recipe with the edits made so far; it names the copies in the run's folder."""
        return self._recipe

    @property
    def frame(self) -> "Frame | FinalFrame | None":
        """The newest frame; None before the first of this session."""
        return self._frame

    @property
    def position(self) -> int:
        """How many jobs are ahead in the queue; 0 from its turn on."""
        return self._queue.position(self)

    @property
    def run(self) -> Run:
        """The run at this moment; while the job is running, newer than the files."""
        with self._changed:
            return self._snapshot(self._state, self._error.message if self._error else self._notice)

    def watch(self, *, rate: float = 8.0) -> Iterator[JobStatus]:
        """Yield the job's status: at once, then on every change, at most ``rate`` and at least one a
        second, and finally when it has ended.

        Any number of watchers may iterate. A slow one misses frames and does not slow the job.
        """
        between = 1 / max(rate, 0.01)
        seen, due, late = -1, 0.0, 0.0
        with self.watched():
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self.ended, timeout=max(0.0, due - time.monotonic()))
                    self._changed.wait_for(
                        partial(self.has_news, seen), timeout=max(0.0, late - time.monotonic())
                    )
                    beat = WAITING_HEARTBEAT if self._state == "waiting" else HEARTBEAT
                    seen, now = self._version, time.monotonic()
                    due, late = now + between, now + beat
                job_status = self.status()
                if (points := watch_points.get()) is not None:
                    points[:] = [WatchPoint(self, seen, due, late)]
                yield job_status
                if job_status.state in FINAL_STATES:
                    return

    def status(self) -> JobStatus:
        """The status at this moment."""
        position, paused = self.position, self.paused
        with self._changed:
            return JobStatus(
                self._state,
                0 if self.ended else position,
                self._frame,
                self._timer.steps_per_second,
                self.seconds_left,
                self._elapsed(),
                self._notice,
                paused,
                self._fetching,
            )

    def request_cutouts(self) -> None:
        """Ask for the cutouts of the frames of the next ten seconds."""
        self._cutouts_until = time.monotonic() + _CUTOUTS_FOR

    @property
    def cutouts_requested(self) -> bool:
        """Whether a watcher has asked for the cutouts recently."""
        return time.monotonic() < self._cutouts_until

    def cutouts(self) -> "tuple[int, np.ndarray | None]":
        """The step of the newest frame, and its cutouts as one sheet ``(H, W, 3)`` uint8, if it has them."""
        frame = self._frame
        sheet = getattr(frame, "cutouts", None)
        return (0 if frame is None else frame.step), (None if sheet is None else sheet())

    def stop(self, reason: str = "") -> None:
        """Stop after the current step; picture, video and state are saved. Returns at once.

        Args:
            reason: a message that the run then carries as its notice.
        """
        self._stop_reason = self._stop_reason or reason
        if reason and self._state == "waiting":
            self.set_notice(reason)
        self._stopping.set()
        self._queue.notify()

    def pause(self) -> None:
        """Pause after the current step, so that other jobs run first. Returns at once."""
        if not self.ended:
            self._paused_at = time.monotonic()
            self._queue.pause(self)
            self.notify_watchers()

    def resume(self) -> None:
        """End a pause: the job waits for its turn at its old position."""
        self._paused_at = None
        self._queue.resume(self)
        self.notify_watchers()

    # The names of earlier versions, which scripts may use.
    place, glimpse, go_on = position, status, resume

    def swap_with(self, other: "Job") -> None:
        """Swap positions with another waiting job."""
        self._queue.swap(self, other)
        for job in self._queue.members():
            job.notify_watchers()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most ``timeout`` seconds; returns whether it has ended."""
        with self.watched(), self._changed:
            return self._changed.wait_for(lambda: self.ended, timeout)

    def change(
        self,
        prompts: str | tuple[Scene, ...] | None = None,
        learning_rate: float | None = None,
        *,
        weights: Mapping[int, float] | None = None,
        translations: Mapping[str, str] | None = None,
        trusted: Collection[str] = (),
    ) -> bool:
        """Change prompts, weights or the learning rate from the next step on; the recipe records it.

        Args:
            prompts: text in the prompt grammar, or scenes.
            weights: by the number of the prompt in each scene, from 1.
            translations: of the prompts, as for ``Recipe.with_change``.
            trusted: as for ``Studio.submit``.

        Returns whether anything changes. Raises RecipeError, PictureError, StudioError if it has ended.
        """
        if self.ended:
            raise StudioError("This picture is finished: paint it again with another prompt.")
        edit = Edit(
            prompts=prompts, weights=weights or {}, learning_rate=learning_rate, translations=translations
        )
        with self._changed:
            step = 0 if self._frame is None else max(0, self._frame.step + 1)
            before = settings_at(self._recipe, step) | self._changes
        changes = edit.resolve(before, keep=lambda scenes: self._keep(scenes, trusted))
        with self._changed:
            if "prompts" in changes:
                self._changes.pop("translations", None)  # they were of prompts that never came to be
            self._changes |= changes
        return bool(changes)

    def save(self) -> None:
        """After a StorageError at the end, try again to save what is still in memory.

        Does nothing if everything is saved. Raises StorageError if saving fails again.
        """
        with self._changed:
            if self._unsaved is None:
                return
            state, write = self._unsaved
            run_lock = RunLock(self._run.folder)
            try:
                write(self._snapshot(state, self._notice))
            finally:
                run_lock.release()
            self._unsaved = self._error = None
            self._state = state
            self._notify()

    def set_state(self, state: State) -> None:
        """Enter a state that is not final. Only the worker calls this method and those below."""
        with self._changed:
            if state == "waiting":
                self._seconds, self._began = self._elapsed(), None
                self._timer.pause()
            else:
                self._began = self._began or time.monotonic()
                self._timer.enter(state, time.monotonic())
                self._waited = self._waited or time.monotonic() - self._joined
            self._state, self._fetching = state, None
            self._notify()

    def report_download(self, fetching: DownloadProgress) -> None:
        """Show the progress of a download. Raises StopRequested if ``stop`` was called."""
        if self.stopping:
            raise StopRequested
        with self._changed:
            whole = fetching.total is not None and fetching.done >= fetching.total
            self._fetching = None if whole else fetching
            self._notify()

    def publish_frame(self, frame: "Frame", *, recipe: Recipe) -> None:
        """Show a new frame to the watchers, with the recipe that painted it."""
        with self._changed:
            self._frame, self._recipe = frame, recipe
            self._timer.add_frame(recipe, frame.step, time.monotonic())
            self._notify()

    def set_notice(self, notice: str) -> None:
        """Set the notice; empty to clear it."""
        with self._changed:
            if notice != self._notice:
                self._notice = notice
                self._notify()

    def apply_edits(self, painting: Painting) -> None:
        """Apply the edits requested since the last call; those that WorkerLost prevents, with the next call."""
        with self._changed:
            changes, self._changes = self._changes, {}
            if not changes:
                return
            try:
                painting.change(**changes)
            except WorkerLost:
                self._changes = changes
                raise
            self._recipe = painting.recipe

    def snapshot(self, state: State, *, error: PixgenError | None = None) -> Run:
        """The run as it should be saved, in this state."""
        with self._changed:
            return self._snapshot(state, error.message if error else self._notice)

    def record_times(self) -> None:
        """Let later estimates learn from what this job took."""
        with self._changed:
            self._timer.finish(self._recipe, time.monotonic())

    def finish(
        self,
        state: State,
        *,
        error: PixgenError | None = None,
        final_frame: FinalFrame | None = None,
        unsaved: tuple[State, Callable[[Run], None]] | None = None,
    ) -> None:
        """Enter a final state.

        Args:
            unsaved: after a StorageError, the state that follows a successful ``save`` and the function
                that it calls.
        """
        with self._changed:
            self._seconds, self._began = self._elapsed(), None
            self._finished = datetime.now().astimezone()
            self._state, self._error, self._unsaved = state, error, unsaved
            self._frame, self.pictures = final_frame, {}
            self._notify()

    def _keep(self, scenes: tuple[Scene, ...], trusted: Collection[str]) -> tuple[Scene, ...]:
        self._check(scenes)
        folder, find = self._run.folder, trust_paths(self._find, trusted)
        scenes = keep_prompts(scenes, folder, find=find)
        self.pictures |= open_pictures(prompt_pictures(scenes), folder, fps=self.recipe.journey.rate)
        return scenes

    def _snapshot(self, state: State, notice: str) -> Run:
        finished = self._finished or (datetime.now().astimezone() if state in FINAL_STATES else None)
        run = replace(
            self._run,
            state=state,
            recipe=self._recipe,
            seconds=self._elapsed(),
            finished=finished,
            notice=notice,
        )
        if (frame := self._frame) is None:
            return run
        # Sketches count up from below 0: no step is done then.
        return replace(run, step=max(0, frame.step), similarities=frame.similarities)

    def _elapsed(self) -> float:
        return self._seconds + (0.0 if self._began is None else time.monotonic() - self._began)

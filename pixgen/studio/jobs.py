"""A job: a painting in the making, as everyone sees it, and as its thread reports it."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from pixgen.errors import PixgenError, StudioError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe
from pixgen.studio.runs.edits import Edit, values_at
from pixgen.studio.runs.inputs import keep_prompts, open_pictures, prompt_pictures, trusting
from pixgen.studio.runs.lock import RunLock
from pixgen.studio.runs.run import ENDED, Run, State
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.status import FinalFrame, JobStatus
from pixgen.studio.timing import StepRate

if TYPE_CHECKING:
    import numpy as np

    from pixgen.synthesis import Frame, Optimization

_CUTOUTS_FOR = 10.0  # seconds after the last look at the cutouts, in which frames bring them
HEARTBEAT = 1.0  # seconds at most between glimpses, so that who watches can tell that it lives


class Stopped(Exception):  # noqa: N818 - what happened
    """``stop`` was called while a model was fetched."""


class Job:
    """A run that waits, is painted, or has ended. A Studio makes it; any thread may use it.

    Leaving a watcher, or forgetting the job, never stops it: ``stop`` does.

    Args:
        run: the run as it stands, with its pictures kept.
        line: where the job waits for its turn.
        find: says where a picture that a change names is, or raises PictureError.
        check: raises RecipeError if changed prompts are not allowed.
        on_load: called with the job, on its thread, when its turn has come and its models load.
        resumes: whether to go on from the run's saved state.
    """

    def __init__(
        self,
        run: Run,
        *,
        line: "JobQueue[Job]",
        find: Callable[[str], Path] = Path,
        check: Callable[[tuple[Scene, ...]], None] = lambda scenes: None,
        on_load: Callable[["Job"], object] | None = None,
        resumes: bool = False,
    ) -> None:
        self.id, self.owner = run.id, run.owner
        self.on_load, self.resumes = on_load, resumes
        self.pictures: dict[str, Image.Image] = {}  # opened, by their paths in the recipe
        self._run, self._line, self._find, self._check = run, line, find, check
        self._changed = threading.Condition()  # guards what follows
        self._version = 0  # of what a glimpse shows
        self._state: State = "waiting"
        self._error: PixgenError | None = None
        self._notice = ""
        self._recipe = run.recipe
        self._frame: Frame | FinalFrame | None = None
        self._pace = StepRate()
        self._began: float | None = None
        self._seconds = run.seconds  # of earlier sessions; when it has ended, of all
        self._finished: datetime | None = None
        self._changes: dict[str, Any] = {}
        self._unsaved: tuple[State, Callable[[Run], None]] | None = None
        self._fetching: DownloadProgress | None = None
        self._stopping = threading.Event()
        self._cutouts_until = 0.0

    @property
    def state(self) -> State:
        """Where the job stands; ``done``, ``stopped`` and ``failed`` are final."""
        return self._state

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self._state in ENDED

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping.is_set()

    @property
    def paused(self) -> bool:
        """Whether ``pause`` was called: others are painted first."""
        return self._line.is_paused(self)

    @property
    def error(self) -> PixgenError | None:
        """What made the job fail."""
        return self._error

    @property
    def notice(self) -> str:
        """What to know beside an error: why it was stopped, or what could not be saved."""
        return self._notice

    @property
    def recipe(self) -> Recipe:
        """What is painted, with the changes made so far; it names kept pictures."""
        return self._recipe

    @property
    def frame(self) -> "Frame | FinalFrame | None":
        """The newest frame; None before this session's first."""
        return self._frame

    @property
    def place(self) -> int:
        """How many are before it in the line; 0 when it is its turn, and afterwards."""
        return self._line.place(self)

    @property
    def run(self) -> Run:
        """The run as it stands now; while it is painted, newer than its files."""
        with self._changed:
            return self._snapshot(self._state, self._error.message if self._error else self._notice)

    def watch(self, *, rate: float = 8.0) -> Iterator[JobStatus]:
        """The job's newest state, at most ``rate`` times a second: one at once, then whenever something
        is new and at least once a second, and a last one when it has ended.

        Any number may watch. One who is slow misses frames and slows nothing.
        """
        between = 1 / max(rate, 0.01)
        seen, due = -1, 0.0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.ended, timeout=max(0.0, due - time.monotonic()))
                self._changed.wait_for(partial(self._is_new, seen), timeout=HEARTBEAT)
                seen, due = self._version, time.monotonic() + between
            job_status = self.job_status()
            yield job_status
            if job_status.state in ENDED:
                return

    def job_status(self) -> JobStatus:
        """The job at this moment."""
        place, paused = self.place, self.paused
        with self._changed:
            frame = self._frame
            left = None
            if frame is not None and self._state == "painting":
                left = self._pace.seconds_left(frame.steps - frame.step)
            return JobStatus(
                self._state, 0 if self.ended else place, frame, self._pace.steps_a_second, left,
                self._elapsed(), self._notice, paused, self._fetching,
            )  # fmt: skip

    def want_cutouts(self) -> None:
        """Somebody looks at the cutouts: the next frames bring them, for some seconds."""
        self._cutouts_until = time.monotonic() + _CUTOUTS_FOR

    @property
    def cutouts_wanted(self) -> bool:
        """Whether somebody has lately asked for the cutouts."""
        return time.monotonic() < self._cutouts_until

    def cutouts(self) -> "tuple[int, np.ndarray | None]":
        """The newest frame's step, and a sheet ``(H, W, 3)`` uint8 of what CLIP saw in it, if it has one."""
        frame = self._frame
        sheet = getattr(frame, "cutouts", None)
        return (0 if frame is None else frame.step), (None if sheet is None else sheet())

    def stop(self) -> None:
        """Stop after the step at hand; picture, film and state are kept. Returns at once."""
        self._stopping.set()
        self._line.wake()

    def pause(self) -> None:
        """Let others go first, from after the step at hand; what is painted stays. Returns at once."""
        if not self.ended:
            self._line.rest(self)
            self.look_again()

    def go_on(self) -> None:
        """End a pause: the job has its place again, and waits for its turn."""
        self._line.resume(self)
        self.look_again()

    def exchange(self, other: "Job") -> None:
        """Change places with another job that waits."""
        self._line.exchange(self, other)
        for job in self._line.members():
            job.look_again()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most so many seconds; whether it has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, timeout)

    def change(
        self,
        prompts: str | tuple[Scene, ...] | None = None,
        learning_rate: float | None = None,
        *,
        weights: Mapping[int, float] | None = None,
        trusted: Collection[str] = (),
    ) -> bool:
        """Change prompts, weights or the learning rate from the next step on; the recipe records it.

        Args:
            prompts: a text in the grammar of prompts, or scenes.
            weights: by the prompts' number in each scene, the first being 1.
            trusted: as of ``Studio.submit``.

        Returns whether anything changes. Raises RecipeError, PictureError, StudioError if it has ended.
        """
        if self.ended:
            raise StudioError("This picture is finished: paint it anew with other words.")
        turn = Edit(prompts=prompts, weights=weights or {}, learning_rate=learning_rate)
        with self._changed:
            step = 0 if self._frame is None else max(0, self._frame.step + 1)
            before = values_at(self._recipe, step) | self._changes
        wanted = turn.wanted(before, keep=lambda scenes: self._keep(scenes, trusted))
        with self._changed:
            self._changes |= wanted
        return bool(wanted)

    def save(self) -> None:
        """After a StorageError at the end: try again to save what is still in memory.

        Does nothing if everything is saved. Raises StorageError if it still cannot be.
        """
        with self._changed:
            if self._unsaved is None:
                return
            state, write = self._unsaved
            claim = RunLock(self._run.folder)
            try:
                write(self._snapshot(state, self._notice))
            finally:
                claim.release()
            self._unsaved = self._error = None
            self._state = state
            self._touch()

    def enter(self, state: State) -> None:
        """Loading or painting begins, or a pause. This and what follows is for the job's own thread."""
        with self._changed:
            if state == "waiting":
                self._seconds, self._began = self._elapsed(), None
                self._pace.pause()
            else:
                self._began = self._began or time.monotonic()
            self._state, self._fetching = state, None
            self._touch()

    def fetch(self, fetching: DownloadProgress) -> None:
        """A model is being fetched. Raises Stopped if ``stop`` was called."""
        if self.stopping:
            raise Stopped
        with self._changed:
            whole = fetching.total is not None and fetching.done >= fetching.total
            self._fetching = None if whole else fetching
            self._touch()

    def show(self, frame: "Frame", *, recipe: Recipe) -> None:
        """A new frame of the recipe came."""
        with self._changed:
            self._frame, self._recipe = frame, recipe
            self._pace.step(time.monotonic())
            self._touch()

    def tell(self, notice: str) -> None:
        """Say what to know beside an error; empty when that is over."""
        with self._changed:
            if notice != self._notice:
                self._notice = notice
                self._touch()

    def apply_changes(self, painter: "Optimization") -> None:
        """Make the changes asked for since the last time. Raises what the painter raises."""
        with self._changed:
            changes, self._changes = self._changes, {}
            if changes:
                painter.change(**changes)
                self._recipe = painter.recipe

    def look_again(self) -> None:
        """Let watchers look: its place in the line is another."""
        with self._changed:
            self._touch()

    def snapshot(self, state: State, *, error: PixgenError | None = None) -> Run:
        """The run as it is to be written down, in this state."""
        with self._changed:
            return self._snapshot(state, error.message if error else self._notice)

    def end(
        self,
        state: State,
        *,
        error: PixgenError | None = None,
        still: FinalFrame | None = None,
        unsaved: tuple[State, Callable[[Run], None]] | None = None,
    ) -> None:
        """The state is final. ``unsaved`` is what ``save`` does, and the state that follows."""
        with self._changed:
            self._seconds, self._began = self._elapsed(), None
            self._finished = datetime.now().astimezone()
            self._state, self._error, self._unsaved = state, error, unsaved
            self._frame, self.pictures = still, {}
            self._touch()

    def _keep(self, scenes: tuple[Scene, ...], trusted: Collection[str]) -> tuple[Scene, ...]:
        self._check(scenes)
        find = trusting(self._find, trusted)
        scenes = keep_prompts(scenes, self._run.folder, find=find)
        self.pictures |= open_pictures(prompt_pictures(scenes), self._run.folder)
        return scenes

    def _snapshot(self, state: State, notice: str) -> Run:
        finished = self._finished or (datetime.now().astimezone() if state in ENDED else None)
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

    def _is_new(self, seen: int) -> bool:
        return self.ended or self._version != seen

    def _elapsed(self) -> float:
        return self._seconds + (0.0 if self._began is None else time.monotonic() - self._began)

    def _touch(self) -> None:
        self._version += 1
        self._changed.notify_all()

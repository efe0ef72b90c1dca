"""The studio: owns a device and a folder, takes orders for pictures and has them painted."""

import dataclasses
import glob
import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pixgen.errors import StudioError
from pixgen.messages import _
from pixgen.paths import expand, output_folder
from pixgen.recipe.presets import DEFAULT, load_preset
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio.jobs import Job
from pixgen.studio.model_cache import ModelCache, resolve_device
from pixgen.studio.policy import Policy
from pixgen.studio.queue import Place, move, places
from pixgen.studio.runs.edits import Edit
from pixgen.studio.runs.forks import check_steps, fork_into, make_fork
from pixgen.studio.runs.inputs import KEPT, keep_pictures, trusting
from pixgen.studio.runs.lock import RunLock
from pixgen.studio.runs.run import Run, new_folder, read_run, run_folders
from pixgen.studio.scheduler import FairLock, JobQueue
from pixgen.studio.storage import prepare_folder, remove_empty, remove_leftovers
from pixgen.studio.timing import Timing
from pixgen.studio.worker import Painter, WorkerTools, paint, work

if TYPE_CHECKING:
    from pixgen.models import Perceptor

log = logging.getLogger(__name__)
REMEMBERED = 32  # jobs that have ended; their runs stay on the disk


class Studio:
    """Paints recipes one after the other on one device, each into a folder of its own.

    Args:
        folder: where runs are kept; ``$PIXGEN_OUTPUT_DIR`` by default, else ``outputs``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:NUMBER``.
        policy: what may be asked for; what one's own machine may do by default.
        painter: makes what yields the frames: takes the recipe, its opened pictures by path, the
            device and the studio's models, and returns what behaves as an Optimization.
        save_every: seconds between the states saved while painting.

    Any thread may call any method. Raises StorageError if the folder cannot be written, DeviceError.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        device: str = "auto",
        policy: Policy | None = None,
        painter: Painter = paint,
        save_every: float = 60.0,
    ) -> None:
        self.folder = output_folder(folder)
        self.policy = policy = policy or Policy()
        self._wanted_device = device if device == "auto" else resolve_device(device)
        self._made_folder = prepare_folder(self.folder)
        self._models = ModelCache(lambda: self.device)
        self._tools = WorkerTools(
            line=JobQueue(),
            lock=FairLock(),
            device=lambda: self.device,
            models=self._models,
            timing=Timing(),
            painter=painter,
            save_every=save_every,
            longest_seconds=policy.longest_seconds,
        )
        self._lock = threading.RLock()  # of what follows
        self._jobs: dict[str, Job] = {}
        self._threads: set[threading.Thread] = set()
        self._followers: list[Callable[[Job], object]] = []
        self._closed = False

    @cached_property
    def device(self) -> str:
        """Where models are and pictures are painted."""
        return resolve_device(self._wanted_device)

    def submit(
        self,
        recipe: Recipe,
        *,
        owner: str = "",
        on_load: Callable[[Job], object] | None = None,
        trusted: Collection[str] = (),
        parent: str = "",
        metadata: bool = True,
    ) -> Job:
        """Have a recipe painted; returns at once.

        Args:
            owner: whose it is, where the policy counts jobs an owner.
            on_load: called with the job, on its thread, when its turn has come and its models load.
            trusted: paths of pictures that may be used wherever they lie, such as an own run's.
            parent: the id of the run that this one is made from, if it is.
            metadata: whether picture and film carry the recipe.

        Raises RecipeError, PictureError, StorageError, or StudioError if too many wait.
        """
        self.policy.check(recipe)
        with self._lock:
            self._check_open(self._tools.line.members(), owner)

            def fill(folder: Path) -> Run:
                kept = keep_pictures(recipe, folder, find=trusting(self.find_picture, trusted))
                run = Run(
                    folder=folder,
                    recipe=kept,
                    state="waiting",
                    owner=owner,
                    parent=parent,
                    started=datetime.now().astimezone(),
                    metadata=metadata,
                )
                run.save()
                return run

            return self._begin(*self._new(fill), on_load=on_load, resumes=False)

    def resume(self, run_id: str, *, steps: int | None = None, owner: str = "") -> Job:
        """Go on with a run from its saved state, with the pixels that it would have had without a
        stop; one that was killed before anything was saved begins anew.

        Args:
            steps: a new total, larger than the run's own. A run that is done needs one; it stays as it
                is, and what goes on is a fork of it.

        Raises StudioError if there is no such run, it is being painted or is done, RecipeError,
        StorageError.
        """
        with self._lock:
            self._check_open(self._tools.line.members(), owner)
            run = self._known(run_id, owner)
            steps = run.recipe.steps if steps is None else steps
            done = run.state == "done"
            check_steps(run.recipe, steps, done=done, name=_("The run {run}", run=run.id))
            if done:
                return self.fork(run_id, steps=steps, owner=owner)
            recipe = run.recipe.with_more_steps(steps)
            self.policy.check(recipe)
            claim = RunLock(run.folder)
            try:
                remove_leftovers(run.folder)
                run = dataclasses.replace(
                    run,
                    recipe=recipe,
                    state="waiting",
                    finished=None,
                    notice="",
                    owner=owner or run.owner,
                )
                run.save()
            except BaseException:
                claim.release()
                raise
            return self._begin(run, claim, on_load=None, resumes=True)

    def fork(
        self,
        run_id: str,
        *,
        prompts: str | tuple[Scene, ...] | None = None,
        weights: Mapping[int, float] | None = None,
        learning_rate: float | None = None,
        steps: int | None = None,
        owner: str = "",
        trusted: Collection[str] = (),
    ) -> Job:
        """Go on from a run's saved state as another run, which names the first as its parent; the first
        stays as it is. The recipe records what changed and at which step, and paints the same anew.

        Args:
            prompts: other ones, a text in the grammar of prompts or scenes.
            weights: other ones, by the prompts' number in each scene, the first being 1.
            learning_rate: another one.
            steps: a new total; by default the run's own, or some more where that was reached.
            trusted: as of ``submit``.

        Raises StudioError if there is no such run, it is being painted or has no state, RecipeError,
        PictureError, StorageError.
        """
        turn = Edit(prompts=prompts, weights=weights or {}, learning_rate=learning_rate)
        with self._lock:
            self._check_open(self._tools.line.members(), owner)
            parent = self._known(run_id, owner)
            stored = make_fork(parent)
            made = self._new(
                lambda folder: fork_into(
                    folder,
                    parent,
                    stored,
                    turn=turn,
                    steps=steps,
                    owner=owner or parent.owner,
                    find=trusting(self.find_picture, trusted),
                    check=self.policy.check,
                )
            )
            return self._begin(*made, on_load=None, resumes=True)

    def job(self, run_id: str) -> Job | None:
        """The job of a run, if this studio has painted it lately."""
        with self._lock:
            return self._jobs.get(run_id)

    def queue(self) -> list[Place]:
        """Every job that is painted or waits, in order, with its place and time."""
        return places(self._tools.line.members(), self._tools.timing)

    def move(self, job: Job, by: int) -> None:
        """Let a job that waits be painted before (-1) or behind (1) the owner's next one."""
        move(self._tools.line.members(), job, by)

    def run(self, run_id: str) -> Run:
        """The run of that id. Raises StudioError if there is none."""
        job = self.job(run_id)
        if job is not None and (not job.ended or job.error is not None):
            return job.run  # newer than its files, and perhaps all there is after a full disk
        return read_run(self.folder, run_id)

    def runs(self) -> list[Run]:
        """Every run in the folder, the newest first; folders that cannot be read are left out."""
        found = []
        for folder in run_folders(self.folder):
            try:
                found.append(self.run(folder.name))
            except StudioError as error:
                log.debug("left out: %s", error)
        return sorted(found, key=lambda run: (run.started, run.id), reverse=True)

    def exclusive(self) -> FairLock:
        """The device's turn for short work, between two steps of a painting.

        A context manager, which must not be entered twice by one thread.
        """
        return self._tools.lock

    def perceptor(self, names: tuple[str, ...]) -> "Perceptor":
        """CLIPs by name as one perceptor on the studio's device, loaded once. Raises ModelError."""
        return self._models.perceptor(names)

    def preload(self, recipe: Recipe | None = None) -> None:
        """Load the models of a recipe, by default the usual preset's, beside everything else, so that the
        first picture need not wait."""
        if recipe is None:
            recipe = make_recipe({"prompts": "-"}, load_preset(DEFAULT).recipe)
        threading.Thread(target=self._models.preload, args=(recipe,), daemon=True).start()

    def close(self, timeout: float | None = None) -> None:
        """Stop every job, wait until all is saved (at most so many seconds) and let go of the models."""
        with self._lock:
            self._closed = True
            jobs, threads = list(self._jobs.values()), list(self._threads)
        for job in jobs:
            if not job.ended:
                job.stop()
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        self._models.clear()
        if self._made_folder:  # to list runs, or to ask for one that is not there, leaves no folder behind
            remove_empty(self.folder)

    def __enter__(self) -> "Studio":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def find_picture(self, path: str) -> Path:
        """Where a picture that a recipe names is. Raises PictureError if it may not be used."""
        found = expand(path)
        if KEPT.fullmatch(path) and not found.exists() and self.policy.picture_folders is None:
            # The recipe comes out of a picture that was painted here: another run has the copy.
            found = next(self.folder.glob(f"*/{glob.escape(path)}"), found)
        self.policy.check_picture(found)
        return found

    def after_each(self, call: Callable[[Job], object]) -> None:
        """Have every job that has ended told to ``call``, on the job's own thread."""
        self._followers.append(call)

    def _known(self, run_id: str, owner: str) -> Run:
        """The run of that id, if it may be gone on with by this owner. Raises StudioError."""
        run = self.run(run_id)
        if self.policy.public and run.owner != owner:
            raise StudioError("There is no run “{run_id}”.", run_id=run_id)
        return run

    def _new(self, fill: Callable[[Path], Run]) -> tuple[Run, RunLock]:
        """A run in a new folder, as ``fill`` writes it; nothing is left of it after an error."""
        folder, claim = new_folder(self.folder), None
        try:
            claim = RunLock(folder)
            return fill(folder), claim
        except BaseException:
            if claim is not None:
                claim.release()
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _begin(
        self, run: Run, claim: RunLock, *, on_load: Callable[[Job], object] | None, resumes: bool
    ) -> Job:
        job = Job(
            run,
            line=self._tools.line,
            find=self.find_picture,
            check=self.policy.check_prompts,
            on_load=on_load,
            resumes=resumes,
        )
        self._jobs.pop(job.id, None)
        self._jobs[job.id] = job
        ended = [each.id for each in self._jobs.values() if each.ended]
        for run_id in ended[:-REMEMBERED]:
            del self._jobs[run_id]
        self._tools.line.join(job)
        thread = threading.Thread(target=self._work, args=(job, claim), name=f"job {job.id}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no room for a thread: the line must go on
            self._tools.line.leave(job)
            claim.release()
            raise StudioError("The studio can take no more pictures now: try later.") from error
        self._threads.add(thread)
        return job

    def _work(self, job: Job, claim: RunLock) -> None:
        work(job, self._tools, claim=claim)
        for call in self._followers:
            try:
                call(job)
            except Exception:  # whoever follows must not hold up the studio
                log.exception("what follows a job failed")
        with self._lock:  # submit, which adds the thread, holds it until it has
            self._threads.discard(threading.current_thread())

    def _check_open(self, line: list[Job], owner: str) -> None:
        if self._closed:
            raise StudioError("The studio is closed: start it again.")
        self.policy.check_line(
            waiting=max(0, len(line) - 1), of_owner=sum(job.owner == owner for job in line)
        )

"""The studio: owns its workers and one output folder, queues recipes and runs each as a job."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pixgen.errors import PixgenError, QueueFull, StudioError
from pixgen.logs import log_run
from pixgen.messages import _
from pixgen.paths import expand, output_folder
from pixgen.recipe.presets import DEFAULT, load_preset
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio.jobs import Job
from pixgen.studio.model_cache import ModelCache, ModelDownloads
from pixgen.studio.owners import address_of
from pixgen.studio.policy import Policy
from pixgen.studio.queue import QueueEntry, list_entries, log_end, log_start, move_job, release_places
from pixgen.studio.runs.edits import Edit, begin_again, check_steps, create_fork, read_fork_state
from pixgen.studio.runs.inputs import KEPT_PATH, find_kept, keep_pictures, trust_paths
from pixgen.studio.runs.run import Run, RunLock, new_folder, read_run, run_folders
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.storage import prepare_folder, remove_empty
from pixgen.studio.store.store import lock_run, open_store
from pixgen.studio.timing import FILE, DurationEstimator
from pixgen.studio.workers.base import Worker
from pixgen.studio.workers.local import LocalWorker, Painter, make_local_workers, paint
from pixgen.studio.workers.pool import WorkerPool
from pixgen.studio.workers.session import SessionTools

if TYPE_CHECKING:
    from pixgen.models import Perceptor

log = logging.getLogger(__name__)
_RELEASE_EVERY = 10.0  # seconds
REMEMBERED = 32  # ended jobs kept in memory; their runs stay on disk


class Studio:
    """Paints recipes, as many at once as it has workers, each into its own run folder.

    Args:
        folder: where runs are saved; by default ``$PIXGEN_OUTPUT_DIR``, else ``outputs``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:NUMBER``.
        devices: several devices instead, one for each worker, as ``parse_devices`` returns them.
        workers: workers on other machines instead, which paint; ``device`` then does the short work, such as upscaling.
        catalogue: the address of a PostgreSQL database for the gallery's list of runs, which several pages share
            (``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``); by default ``$PIXGEN_CATALOGUE``, else a file in
            the folder.
        storage: the URL of an object store for copies of the runs, such as ``s3://BUCKET/PREFIX``, which several pages
            share; by default ``$PIXGEN_STORAGE``, else none.
        policy: the limits on requests; by default those for a private machine.
        painter: builds the optimization that yields the frames from the recipe, its opened pictures
            by path, the device and the studio's models.
        models: the loaded models of ``device``, by default a new cache.
        save_every: seconds between two checkpoints while painting.

    Any thread may call any method. Raises StorageError if the folder cannot be written, DeviceError, StudioError if the
    storage cannot be used.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        device: str = "auto",
        devices: Sequence[str] = (),
        workers: Sequence[Worker] | None = None,
        catalogue: str | None = None,
        storage: str | None = None,
        policy: Policy | None = None,
        painter: Painter = paint,
        models: ModelCache | None = None,
        save_every: float = 60.0,
    ) -> None:
        self.folder = output_folder(folder)
        self.catalogue = os.environ.get("PIXGEN_CATALOGUE", "") if catalogue is None else catalogue
        self.policy = policy = policy or Policy()
        local = make_local_workers(devices or (device,), painter=painter)
        self._local: LocalWorker = local[0]  # for short work, such as classification
        self._local.models = models or self._local.models
        self.model_downloads = ModelDownloads(policy)
        self._made_folder = prepare_folder(self.folder)
        self.store = open_store(self.folder, storage)
        self._queue: JobQueue[Job] = JobQueue(
            owner=lambda job: job.owner,
            stopped=lambda job: job.stopping,
            fits=lambda worker, job: self.pool.fits(worker, job),
        )
        self.durations = DurationEstimator(self.folder / FILE)
        tools = SessionTools(queue=self._queue, save_every=save_every, longest_seconds=policy.longest_seconds)
        self.pool = WorkerPool(local if workers is None else workers, tools, on_end=self._call_back)
        self._lock = threading.RLock()  # guards the fields below
        self._jobs: dict[str, Job] = {}
        self._end_callbacks: list[Callable[[Job], object]] = []
        self._refusal_callbacks: list[Callable[[PixgenError], object]] = []
        self._close_callbacks: list[Callable[[], object]] = []
        self._closed = False
        self._closing = threading.Event()
        if policy.longest_pause is not None or policy.longest_unwatched is not None:
            threading.Thread(target=self._release_places, daemon=True, name="places").start()

    @property
    def device(self) -> str:
        """The device for short work, such as ``cpu`` or ``cuda:0``; with one worker, it also paints."""
        return self._local.device

    @property
    def workers(self) -> list[Worker]:
        """The workers that paint."""
        return self.pool.workers

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
        """Queue a recipe and return its job at once.

        Args:
            owner: who submits it, for policies that limit the jobs per owner.
            on_load: called with the job on its thread, when its turn has come and its models load.
            trusted: paths of pictures that may be used outside the allowed folders, such as those of
                the owner's earlier run.
            parent: the id of the run that this one is derived from.
            metadata: whether the picture and the video carry the recipe.

        Raises RecipeError, PictureError, StorageError, or StudioError if the queue is full.
        """
        with self._report_refusal(), self._lock:
            self.policy.check(recipe)
            self._check_open(self._queue.members(), owner)

            def fill(folder: Path) -> Run:
                kept = keep_pictures(recipe, folder, find=trust_paths(self.find_picture, trusted))
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

            return self._start_job(*self._create_run(fill), on_load=on_load, resumes=False)

    def resume(self, run_id: str, *, steps: int | None = None, owner: str = "") -> Job:
        """Resume a run from its saved state; the result has the same pixels as an uninterrupted run.
        A run that was killed before its first checkpoint starts again.

        Args:
            steps: a new total of steps, larger than the run's own. A finished run needs one: it stays as
                it is, and a fork of it continues.

        Raises StudioError if there is no such run, or it is being painted or is done, RecipeError,
        StorageError.
        """
        self._refresh(run_id)
        with self._report_refusal(), self._lock:
            self._check_open(self._queue.members(), owner)
            run = self._find_run(run_id, owner)
            steps = run.recipe.steps if steps is None else steps
            done = run.state == "done"
            check_steps(run.recipe, steps, done=done, name=_("The run {run}", run=run.id))
            if done:
                return self.fork(run_id, steps=steps, owner=owner)
            recipe = run.recipe.with_more_steps(steps)
            self.policy.check(recipe)
            run_lock = lock_run(run.folder, self.store)
            try:
                run = begin_again(run, recipe, owner=owner or run.owner)
            except BaseException:
                run_lock.release()
                raise
            return self._start_job(run, run_lock, on_load=None, resumes=True)

    def fork(
        self,
        run_id: str,
        *,
        prompts: str | tuple[Scene, ...] | None = None,
        weights: Mapping[int, float] | None = None,
        learning_rate: float | None = None,
        translations: Mapping[str, str] | None = None,
        steps: int | None = None,
        owner: str = "",
        trusted: Collection[str] = (),
    ) -> Job:
        """Continue a run's saved state as a new run, whose parent it is; the first run stays as it is.
        The new recipe records each change with its step, so painting it again gives the same picture.

        Args:
            prompts: new prompts, as text in the prompt grammar or as scenes.
            weights: new weights by the number of the prompt in each scene, from 1.
            learning_rate: a new learning rate.
            translations: of the prompts, as for ``Recipe.with_change``.
            steps: a new total of steps; by default the run's own, or a few more if that was reached.
            trusted: as for ``submit``.

        Raises StudioError if there is no such run, or it is being painted or has no saved state,
        RecipeError, PictureError, StorageError.
        """
        edit = Edit(
            prompts=prompts, weights=weights or {}, learning_rate=learning_rate, translations=translations
        )
        self._refresh(run_id)
        with self._report_refusal(), self._lock:
            self._check_open(self._queue.members(), owner)
            parent = self._find_run(run_id, owner)
            stored = read_fork_state(parent)
            made = self._create_run(
                lambda folder: create_fork(
                    folder,
                    parent,
                    stored,
                    edit=edit,
                    steps=steps,
                    owner=owner or parent.owner,
                    find=trust_paths(self.find_picture, trusted),
                    check=self.policy.check,
                )
            )
            return self._start_job(*made, on_load=None, resumes=True)

    def job(self, run_id: str) -> Job | None:
        """The job of a run, if this studio has painted it recently."""
        with self._lock:
            return self._jobs.get(run_id)

    def queue(self) -> list[QueueEntry]:
        """Every job that is running or waiting, in order, with its position and estimated times."""
        return list_entries(self._queue, self.durations)

    def move(self, job: Job, by: int) -> None:
        """Move a waiting job one position earlier (-1) or later (1) among the jobs of its owner."""
        move_job(self._queue.members(), job, by)

    def run(self, run_id: str) -> Run:
        """The run with this id, with its files. Raises StudioError if there is none, StorageError if the storage has them
        and does not answer."""
        if self.store is not None and not self._paints(run_id):
            self.store.fetch(run_id)
        return self.read_run(run_id)

    def read_run(self, run_id: str) -> Run:
        """As ``run``, without getting files from the storage."""
        job = self.job(run_id)
        if job is None or (job.ended and job.error is None):
            return read_run(self.folder, run_id)
        run = job.run  # newer than its files, and after a full disk perhaps the only copy
        if job.ended:
            with suppress(StudioError):
                saved = read_run(self.folder, run_id)
                if saved.is_newer(run):  # another page has resumed it
                    return saved
        return run

    def runs(self) -> list[Run]:
        """Every run in the folder, newest first; unreadable folders are left out."""
        found = []
        for folder in run_folders(self.folder):
            try:
                found.append(self.read_run(folder.name))
            except StudioError as error:
                log.debug("left out: %s", error)
        return sorted(found, key=lambda run: (run.started, run.id), reverse=True)

    def exclusive(self) -> AbstractContextManager:
        """The lock of ``device``, for short work between two steps of a running job.

        A thread must not enter it twice.
        """
        return self._local.lock

    def perceptor(self, names: tuple[str, ...]) -> "Perceptor":
        """Named CLIP models as one perceptor on the studio's device, loaded once. Raises ModelError."""
        return self._local.models.perceptor(names)

    def preload(self, recipe: Recipe | None = None) -> None:
        """Load a recipe's models in the background, so that the first picture starts sooner.

        Args:
            recipe: by default that of the default preset.
        """
        if recipe is None:
            recipe = make_recipe({"prompts": "-"}, load_preset(DEFAULT).recipe)
        threading.Thread(target=self._local.models.preload, args=(recipe,), daemon=True).start()

    def close(self, timeout: float | None = None) -> None:
        """Stop every job, wait until all are saved (at most ``timeout`` seconds) and unload the models."""
        self._stop_jobs()
        self.model_downloads.cancel_all()
        self.pool.close()
        self.pool.join(timeout)
        for worker in {id(each): each for each in (*self.pool.workers, self._local)}.values():
            worker.close()
        for call in self._close_callbacks:
            call()
        if self.store is not None:
            self.store.close(timeout)
        if self._made_folder:  # listing runs or asking for a missing one leaves no folder behind
            remove_empty(self.folder)

    def save_jobs(self, timeout: float) -> None:
        """Take no more jobs, stop every one, and wait at most ``timeout`` seconds until they are saved. What
        follows a job's end, such as the indexing of its picture, is not waited for."""
        deadline = time.monotonic() + timeout
        for job in self._stop_jobs():
            job.wait(max(0.0, deadline - time.monotonic()))

    def stop_jobs(self, reason: str) -> None:
        """Stop every job that has not ended, for a reason that their runs then carry. Returns at once."""
        for job in self._queue.members():
            job.stop(reason)

    def _stop_jobs(self) -> list[Job]:
        self._closing.set()
        with self._lock:
            self._closed = True
            jobs = [job for job in self._jobs.values() if not job.ended]
        for job in jobs:
            job.stop()
        return jobs

    def __enter__(self) -> "Studio":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def find_picture(self, path: str) -> Path:
        """The file of a picture that a recipe names. Raises PictureError if it may not be used."""
        found = expand(path)
        if not found.exists() and self.policy.picture_folders is None and KEPT_PATH.fullmatch(path):
            found = find_kept(path, self.folder) or (self.store and self.store.find_input(path)) or found
        self.policy.check_picture(found)
        return found

    def on_job_end(self, call: Callable[[Job], object]) -> None:
        """Call ``call`` with every job when it has ended, one job after another on one thread."""
        self._end_callbacks.append(call)

    def on_refusal(self, call: Callable[[PixgenError], object]) -> None:
        """Call ``call`` with the error whenever a job is refused, on the thread that asked for it."""
        self._refusal_callbacks.append(call)

    def on_close(self, call: Callable[[], object]) -> None:
        """Call ``call`` when the studio has been closed."""
        self._close_callbacks.append(call)

    @contextmanager
    def _report_refusal(self) -> Iterator[None]:
        try:
            yield
        except PixgenError as error:
            log.info("a job was refused", extra={"reason": type(error).__name__})
            for call in self._refusal_callbacks:
                call(error)
            raise

    def _refresh(self, run_id: str) -> None:
        """Have the newest files of a run from the storage; before the studio's lock, as they may be large."""
        if self.store is not None and not self._paints(run_id):
            self.store.refresh(run_id)

    def _paints(self, run_id: str) -> bool:
        return (job := self.job(run_id)) is not None and not job.ended

    def _find_run(self, run_id: str, owner: str) -> Run:
        """The run with this id, if this owner may continue it. Raises StudioError."""
        run = self.run(run_id)
        if self.policy.public and run.owner != owner:
            raise StudioError("There is no run “{run_id}”.", run_id=run_id)
        return run

    def _create_run(self, fill: Callable[[Path], Run]) -> tuple[Run, RunLock]:
        """A run in a new folder, written by ``fill``; an error removes the folder."""
        folder, run_lock = new_folder(self.folder), None
        try:
            run_lock = lock_run(folder, self.store)
            return fill(folder), run_lock
        except BaseException:
            if run_lock is not None:
                run_lock.release()
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _start_job(
        self, run: Run, run_lock: RunLock, *, on_load: Callable[[Job], object] | None, resumes: bool
    ) -> Job:
        job = Job(
            run,
            queue=self._queue,
            find=self.find_picture,
            check=self.policy.check_prompts,
            on_load=on_load,
            resumes=resumes,
            memory=self.pool.needed_memory(run.recipe),
            durations=self.durations,
        )
        self._jobs.pop(job.id, None)
        self._jobs[job.id] = job
        ended = [each.id for each in self._jobs.values() if each.ended]
        for run_id in ended[:-REMEMBERED]:
            del self._jobs[run_id]
        try:
            self.pool.submit(job, run_lock=run_lock)
        except RuntimeError as error:  # the system is out of threads
            run_lock.release()
            raise QueueFull("The queue is full: try again later.") from error
        log_start(job, self.queue)
        return job

    def _call_back(self, job: Job) -> None:
        with log_run(job.id):
            log_end(job)
            for call in self._end_callbacks:
                try:
                    call(job)
                except Exception:  # a callback's failure must not stop the studio
                    log.exception("a callback after a job failed")

    def _release_places(self) -> None:
        """Give up the places of jobs that are paused or unwatched for too long, until the studio is closed."""
        while not self._closing.wait(_RELEASE_EVERY):
            release_places(self._queue.members(), self.policy)

    def _check_open(self, queued: list[Job], owner: str) -> None:
        if self._closed:
            raise StudioError("The studio is closed: start a new one.")
        if not self.pool.workers:
            raise StudioError("No device is connected at the moment: try again later.")
        release_places(queued, self.policy)
        address = address_of(owner)
        self.policy.check_queue(
            waiting=max(0, len(queued) - self._queue.workers),
            of_owner=sum(job.owner == owner for job in queued),
            of_address=sum(address_of(job.owner) == address for job in queued) if address else 0,
        )

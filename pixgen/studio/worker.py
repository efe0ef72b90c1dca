"""The worker thread of a job: waits for its turn, loads models, paints, saves and reports errors."""

import contextlib
import gc
import logging
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from pixgen.errors import ModelError, OutOfMemory, PixgenError, StorageError, StudioError
from pixgen.messages import _
from pixgen.models.progress import listen_to_downloads
from pixgen.recipe.recipe import Recipe
from pixgen.studio.jobs import Job, StopRequested
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.runs.edits import take_edit
from pixgen.studio.runs.inputs import named_pictures, open_pictures, open_source_video
from pixgen.studio.runs.record import RunRecorder, read_state
from pixgen.studio.runs.run import Run, RunLock, State
from pixgen.studio.scheduler import FairLock, JobQueue
from pixgen.studio.status import FinalFrame

if TYPE_CHECKING:
    from pixgen.synthesis import Frame, Optimization

log = logging.getLogger(__name__)

Painter = Callable[[Recipe, Mapping[str, Image.Image], str, ModelCache], "Optimization"]


@dataclass(frozen=True, kw_only=True)
class WorkerTools:
    """What all jobs of a studio share."""

    queue: JobQueue[Job]
    lock: FairLock  # of the device, held for one step at a time
    device: Callable[[], str]
    models: ModelCache
    painter: Painter
    save_every: float  # seconds between two checkpoints
    longest_seconds: float | None  # of painting in one session


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    state: State
    error: PixgenError | None = None
    final_frame: FinalFrame | None = None
    unsaved: tuple[State, Callable[[Run], None]] | None = None


def paint(
    recipe: Recipe, pictures: Mapping[str, Image.Image], device: str, models: ModelCache
) -> "Optimization":
    """The Optimization of a recipe, with the models that it names; the default ``painter`` of a studio."""
    from pixgen.synthesis import Optimization, make_drawer  # here: it loads torch

    vqgan, perceptor, book = _load_models(recipe, models)
    drawer = make_drawer(recipe, vqgan, pictures=pictures, device=device)
    return Optimization(recipe, drawer, perceptor, pictures=pictures, sketch_model=book)


def _load_models(recipe: Recipe, models: ModelCache) -> tuple:
    """A recipe's VQGAN, perceptor and sketch model; if memory runs out, unload all others and try again."""
    from pixgen.models import weight_members
    from pixgen.synthesis.memory.out_of_memory import memory_guard

    def load() -> tuple:
        with memory_guard(recipe):
            return (
                models.vqgan(recipe.model, recipe.config) if recipe.drawer_kind.needs_vqgan else None,
                weight_members(models.perceptor(recipe.clip_names), recipe.clip_weights, recipe.clip_shares),
                models.sketch_model(recipe.init.sketch.model) if recipe.needs_sketcher else None,
            )

    with contextlib.suppress(OutOfMemory):
        return load()
    models.clear()
    _free_memory()
    return load()


def run_job(job: Job, tools: WorkerTools, *, run_lock: RunLock) -> None:
    """Run a job from its turn to its end, on its own thread. Never raises."""
    record = RunRecorder(job.run)
    outcome = _run_safely(job, tools, record)
    record.close()
    if isinstance(outcome.error, OutOfMemory):
        tools.models.clear()
        _free_memory()
    # A watcher that sees the job end may resume its run at once.
    run_lock.release()
    if isinstance(outcome.error, ModelError) and job.frame is None and not job.resumes:
        shutil.rmtree(
            job.run.folder, ignore_errors=True
        )  # its models cannot be loaded: there is nothing to resume
    job.record_times()
    tools.queue.leave(job)
    job.finish(outcome.state, error=outcome.error, final_frame=outcome.final_frame, unsaved=outcome.unsaved)
    _notify_watchers(tools)


def _run_safely(job: Job, tools: WorkerTools, record: RunRecorder) -> _Outcome:
    try:
        return _paint(job, tools, record)
    except PixgenError as error:
        failure = error
    except MemoryError:
        failure = OutOfMemory("There is not enough memory for this picture: try a smaller size.")
    except Exception:
        number = secrets.token_hex(3)
        log.exception("run %s failed: error %s", job.id, number)
        failure = StudioError(
            "An unexpected error occurred; the log has the details under {number}.",
            number=number,
        )
    return _fail(job, record, _without_traceback(failure))


def _paint(job: Job, tools: WorkerTools, record: RunRecorder) -> _Outcome:
    if not tools.queue.wait(job, until=lambda: job.stopping):
        record.save_facts(job.snapshot("stopped"))
        return _Outcome(state="stopped")
    try:
        with listen_to_downloads(job.report_download):
            painter = _load(job, tools, record)
    except StopRequested:  # during a download; the partial file stays
        record.save_facts(job.snapshot("stopped"))
        return _Outcome(state="stopped")
    job.set_state("painting")
    state, notice = _take_steps(job, tools, record, painter)
    job.set_notice(notice)
    if job.frame is None:  # stopped before this session's first frame: earlier files stay
        record.save_facts(job.snapshot(state))
        return _Outcome(state=state)
    final_frame, kept = _final_frame(job.frame), painter.state()
    try:
        record.save(job.snapshot(state), final_frame, painter=kept)
    except StorageError as error:
        return _Outcome(
            state="failed",
            error=_without_traceback(error),
            final_frame=final_frame,
            unsaved=(state, lambda run: record.save(run, final_frame, painter=kept)),
        )
    job.set_notice(record.notice or job.notice)
    return _Outcome(state=state, final_frame=final_frame)


def _load(job: Job, tools: WorkerTools, record: RunRecorder) -> "Optimization":
    job.set_state("loading")
    record.save_facts(job.snapshot("loading"))
    if job.on_load is not None:
        job.on_load(job)
    recipe, stored = job.recipe, None
    if job.resumes:
        stored = read_state(record.run.state_file)
    if stored is not None:
        # The recipe that was saved with the state belongs to it; the job's may only have more steps.
        if stored.recipe.steps < recipe.steps:
            recipe = stored.recipe.with_more_steps(recipe.steps)
        else:
            recipe = stored.recipe
        record.resume(stored)
    job.pictures |= open_pictures(named_pictures(recipe), record.run.folder)
    footage = open_source_video(recipe, record.run.folder)
    job.pictures |= footage  # type: ignore[arg-type]  # as pictures
    for video in footage.values():
        record.left_out = video.left_out(recipe.journey.frames(recipe.steps))
        job.set_notice(record.left_out)
    painter = tools.painter(recipe, job.pictures, tools.device(), tools.models)
    if stored is not None:
        painter.restore(stored.painter)
    return painter


def _take_steps(
    job: Job, tools: WorkerTools, record: RunRecorder, painter: "Optimization"
) -> tuple[State, str]:
    """Paint until the job is done, stopped, or over its time; returns the final state and a notice."""
    began = saved = time.monotonic()
    while True:
        _apply_edits(job, painter)  # also before a stop: the edits apply when the run is resumed
        if job.stopping:
            return "stopped", job.stop_reason
        if job.paused:
            began += _pause(job, tools, record, painter)
            continue
        if watch := getattr(painter, "watch_cutouts", None):
            watch(job.cutouts_requested)
        with tools.lock:
            frame = next(painter, None)
        if frame is None:
            return "done", ""
        record.add_video_frame(frame)
        record.curve.add(frame)
        job.publish_frame(frame, recipe=painter.recipe)
        if frame.notice:
            job.set_notice(frame.notice)
        if frame.step >= frame.steps:
            return "done", ""
        now = time.monotonic()
        if tools.longest_seconds is not None and now - began >= tools.longest_seconds:
            return "stopped", _(
                "Stopped after {seconds:g} seconds, the time limit for a picture here.",
                seconds=tools.longest_seconds,
            )
        if now - saved >= tools.save_every:
            _save_checkpoint(job, record, painter, frame)
            saved = time.monotonic()


def _pause(job: Job, tools: WorkerTools, record: RunRecorder, painter: "Optimization") -> float:
    """Let other jobs run until this one is resumed and has its turn; returns the seconds waited."""
    began = time.monotonic()
    if job.frame is not None:
        _save_checkpoint(job, record, painter, job.frame)
    job.set_state("waiting")
    tools.queue.yield_device(job)
    _notify_watchers(tools)
    if tools.queue.wait(job, until=lambda: job.stopping):
        job.set_state("painting")
    return time.monotonic() - began


def _notify_watchers(tools: WorkerTools) -> None:
    """Send every job's watchers its new position."""
    for job in tools.queue.members():
        job.notify_watchers()


def _apply_edits(job: Job, painter: "Optimization") -> None:
    try:
        if order := take_edit(job.run.folder):
            job.change(**order)
        job.apply_edits(painter)
    except PixgenError as error:
        job.set_notice(error.message)


def _save_checkpoint(
    job: Job, record: RunRecorder, painter: "Optimization", frame: "Frame | FinalFrame"
) -> None:
    """Save a checkpoint. A full disk does not stop the job: there may be space again at its end."""
    try:
        record.save(job.snapshot("painting"), frame, painter=painter.state())
        job.set_notice(record.notice)
    except StorageError as error:
        job.set_notice(_("{error} Painting continues.", error=error.message))


def _fail(job: Job, record: RunRecorder, error: PixgenError) -> _Outcome:
    """Save the last frame, but not the painter's state, which an error may have left inconsistent: the
    previous checkpoint stays the one to resume from."""
    run, final_frame = job.snapshot("failed", error=error), None
    try:
        if job.frame is None:
            record.save_facts(run)
        else:
            final_frame = _final_frame(job.frame)
            record.save(run, final_frame, painter=None)
    except Exception as another:  # the first error is the one to report
        log.warning("run %s: its last frame could not be saved: %s", job.id, another)
    return _Outcome(state="failed", error=error, final_frame=final_frame)


def _without_traceback(error: PixgenError) -> PixgenError:
    """The error without its traceback, which would keep the painter and its device memory alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _final_frame(frame: "Frame | FinalFrame") -> FinalFrame:
    return FinalFrame(
        frame.step,
        frame.steps,
        frame.similarities,
        frame.losses,
        frame.seconds,
        frame.picture,
        frame.candidates,
        frame.notice,
    )


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()

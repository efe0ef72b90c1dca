"""What a job's thread does: wait for its turn, load, paint, save, and come to an end whatever happens."""

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
from pixgen.studio.jobs import Job, Stopped
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.runs.edits import take_edit
from pixgen.studio.runs.inputs import named_pictures, open_footage, open_pictures
from pixgen.studio.runs.lock import RunLock
from pixgen.studio.runs.record import Record, read_state
from pixgen.studio.runs.run import Run, State
from pixgen.studio.scheduler import FairLock, JobQueue
from pixgen.studio.status import FinalFrame
from pixgen.studio.timing import Timing

if TYPE_CHECKING:
    from pixgen.synthesis import Frame, Optimization

log = logging.getLogger(__name__)

Painter = Callable[[Recipe, Mapping[str, Image.Image], str, ModelCache], "Optimization"]


@dataclass(frozen=True, kw_only=True)
class WorkerTools:
    """What the jobs of a studio share."""

    line: JobQueue[Job]
    lock: FairLock  # of the device, held for a step at a time
    device: Callable[[], str]
    models: ModelCache
    timing: Timing
    painter: Painter
    save_every: float  # seconds between saved states
    longest_seconds: float | None  # of painting, a session


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    state: State
    error: PixgenError | None = None
    still: FinalFrame | None = None
    unsaved: tuple[State, Callable[[Run], None]] | None = None


def paint(
    recipe: Recipe, pictures: Mapping[str, Image.Image], device: str, models: ModelCache
) -> "Optimization":
    """The painter that a studio uses: an Optimization with the models that the recipe names."""
    from pixgen.synthesis import Optimization, make_drawer  # here: it loads torch

    vqgan, perceptor, book = _load_models(recipe, models)
    drawer = make_drawer(recipe, vqgan, pictures=pictures, device=device)
    return Optimization(recipe, drawer, perceptor, pictures=pictures, sketch_model=book)


def _load_models(recipe: Recipe, models: ModelCache) -> tuple:
    """What a recipe draws with, looks with, and sketches with; where memory is short, loaded again once
    all models of earlier recipes are gone."""
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


def work(job: Job, tools: WorkerTools, *, claim: RunLock) -> None:
    """The whole life of a job's thread. Never raises; ends the job and leaves the line."""
    record = Record(job.run)
    ending = _live(job, tools, record)
    record.close()
    if isinstance(ending.error, OutOfMemory):
        tools.models.clear()
        _free_memory()
    # Who sees that the job has ended may go on with its run at once.
    claim.release()
    if isinstance(ending.error, ModelError) and job.frame is None and not job.resumes:
        shutil.rmtree(job.run.folder, ignore_errors=True)  # its models cannot be had: nothing to go on from
    tools.timing.learn(job.recipe, job.job_status().steps_a_second)
    tools.line.leave(job)
    job.end(ending.state, error=ending.error, still=ending.still, unsaved=ending.unsaved)
    _look_again(tools)


def _live(job: Job, tools: WorkerTools, record: Record) -> _Outcome:
    try:
        return _paint(job, tools, record)
    except PixgenError as error:
        failure = error
    except MemoryError:
        failure = OutOfMemory("There is too little memory for this picture: try a smaller size.")
    except Exception:
        number = secrets.token_hex(3)
        log.exception("run %s failed: error %s", job.id, number)
        failure = StudioError(
            "Something broke that should not have; the log tells more under {number}.",
            number=number,
        )
    return _fail(job, record, _untagged(failure))


def _paint(job: Job, tools: WorkerTools, record: Record) -> _Outcome:
    if not tools.line.wait(job, until=lambda: job.stopping):
        record.save_facts(job.snapshot("stopped"))
        return _Outcome(state="stopped")
    try:
        with listen_to_downloads(job.fetch):
            painter = _load(job, tools, record)
    except Stopped:  # while a model was fetched; what is there of it stays
        record.save_facts(job.snapshot("stopped"))
        return _Outcome(state="stopped")
    job.enter("painting")
    state, notice = _take_steps(job, tools, record, painter)
    job.tell(notice)
    if job.frame is None:  # stopped before this session's first frame: what there was stays
        record.save_facts(job.snapshot(state))
        return _Outcome(state=state)
    still, kept = _still(job.frame), painter.state()
    try:
        record.save(job.snapshot(state), still, painter=kept)
    except StorageError as error:
        return _Outcome(
            state="failed",
            error=_untagged(error),
            still=still,
            unsaved=(state, lambda run: record.save(run, still, painter=kept)),
        )
    job.tell(record.notice or job.notice)
    return _Outcome(state=state, still=still)


def _load(job: Job, tools: WorkerTools, record: Record) -> "Optimization":
    job.enter("loading")
    record.save_facts(job.snapshot("loading"))
    if job.on_load is not None:
        job.on_load(job)
    recipe, stored = job.recipe, None
    if job.resumes:
        stored = read_state(record.run.state_file)
    if stored is not None:
        # The recipe saved with the state is surely the state's; only more steps may be wanted.
        if stored.recipe.steps < recipe.steps:
            recipe = stored.recipe.with_more_steps(recipe.steps)
        else:
            recipe = stored.recipe
        record.go_on(stored)
    job.pictures |= open_pictures(named_pictures(recipe), record.run.folder)
    footage = open_footage(recipe, record.run.folder)
    job.pictures |= footage  # type: ignore[arg-type]  # as pictures
    for video in footage.values():
        record.left_out = video.left_out(recipe.journey.frames(recipe.steps))
        job.tell(record.left_out)
    painter = tools.painter(recipe, job.pictures, tools.device(), tools.models)
    if stored is not None:
        painter.restore(stored.painter)
    return painter


def _take_steps(job: Job, tools: WorkerTools, record: Record, painter: "Optimization") -> tuple[State, str]:
    """Paint until it is done, stopped, or has taken too long; how it ended, and what to know of that."""
    began = saved = time.monotonic()
    while True:
        _change(job, painter)  # also before a stop: what was asked for counts when it goes on
        if job.stopping:
            return "stopped", ""
        if job.paused:
            began += _pause(job, tools, record, painter)
            continue
        if watch := getattr(painter, "watch_cutouts", None):
            watch(job.cutouts_wanted)
        with tools.lock:
            frame = next(painter, None)
        if frame is None:
            return "done", ""
        record.film(frame)
        record.curve.add(frame)
        job.show(frame, recipe=painter.recipe)
        if frame.notice:
            job.tell(frame.notice)
        if frame.step >= frame.steps:
            return "done", ""
        now = time.monotonic()
        if tools.longest_seconds is not None and now - began >= tools.longest_seconds:
            return "stopped", _(
                "Stopped after {seconds:g} seconds, the longest that a picture may take here.",
                seconds=tools.longest_seconds,
            )
        if now - saved >= tools.save_every:
            _save_meanwhile(job, record, painter, frame)
            saved = time.monotonic()


def _pause(job: Job, tools: WorkerTools, record: Record, painter: "Optimization") -> float:
    """Let others paint until the pause is over and its turn has come; the seconds that it took."""
    began = time.monotonic()
    if job.frame is not None:
        _save_meanwhile(job, record, painter, job.frame)
    job.enter("waiting")
    tools.line.yield_device(job)
    _look_again(tools)
    if tools.line.wait(job, until=lambda: job.stopping):
        job.enter("painting")
    return time.monotonic() - began


def _look_again(tools: WorkerTools) -> None:
    """Let everyone in the line look: their places are others."""
    for job in tools.line.members():
        job.look_again()


def _change(job: Job, painter: "Optimization") -> None:
    try:
        if order := take_edit(job.run.folder):
            job.change(**order)
        job.apply_changes(painter)
    except PixgenError as error:
        job.tell(error.message)


def _save_meanwhile(job: Job, record: Record, painter: "Optimization", frame: "Frame | FinalFrame") -> None:
    """Save as things stand at a frame. A full disk is no reason to stop: there may be room by the end."""
    try:
        record.save(job.snapshot("painting"), frame, painter=painter.state())
        job.tell(record.notice)
    except StorageError as error:
        job.tell(_("{error} The painting goes on meanwhile.", error=error.message))


def _fail(job: Job, record: Record, error: PixgenError) -> _Outcome:
    """Keep the last good frame. The state saved before stays the one to go on from: after an error
    the painter's may be unsound."""
    run, still = job.snapshot("failed", error=error), None
    try:
        if job.frame is None:
            record.save_facts(run)
        else:
            still = _still(job.frame)
            record.save(run, still, painter=None)
    except Exception as another:  # whatever it is, the first error is the one to tell
        log.warning("run %s: what was left could not be saved: %s", job.id, another)
    return _Outcome(state="failed", error=error, still=still)


def _untagged(error: PixgenError) -> PixgenError:
    """The error without its trace back, which would keep the painter and the device's memory."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _still(frame: "Frame | FinalFrame") -> FinalFrame:
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

"""The Create tab's actions: generators of screen updates; no gradio here.

The page only watches: a job belongs to the studio and goes on when no browser is connected.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from pixgen.errors import PixgenError
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio import Job, Run, Studio
from pixgen.studio.runs.edits import MORE_STEPS
from pixgen.studio.runs.inputs import named_files, resolve_kept_paths
from pixgen.studio.runs.record import read_sketches
from pixgen.studio.status import leave_pause
from pixgen.ui import canvas, status
from pixgen.ui.create import queue as queue_view
from pixgen.ui.create.drawn import DrawnInputs, add_drawn_inputs, edit_area_recipe
from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.form_recipe import describe_error, remarks, to_recipe
from pixgen.ui.errors import guard_handler, guard_stream
from pixgen.ui.i18n import Translator
from pixgen.ui.links import picture_link
from pixgen.ui.session import BrowserSession

_LARGEST_VIDEO = 8 * 2**20  # bytes of a video that plays where it was painted; others end as a picture
_SAVED_EVERY = 2.0  # seconds between two looks at what another page has saved
ENDED = ("done", "stopped", "failed")

Busy = Literal["idle", "starting", "painting", "stopping"]


@dataclass(frozen=True)
class Screen:
    """An update of the page; None leaves a part as it is."""

    canvas: str | None = None  # HTML
    status: str | None = None  # HTML
    sketches: str | None = None  # HTML
    queue: str | None = None  # HTML
    refused: str | None = (
        None  # HTML: why a picture was not added to the queue, and the field that it is about
    )
    busy: Busy | None = None
    files: tuple[Path | None, Path | None] | None = None  # the picture and the video of this run
    name: str = ""  # the names of the files for downloads
    resumable: bool = False  # with ``files``: whether the run was stopped before its end
    begun: bool = True  # with ``files``: False for a run that was stopped before it started
    forkable: bool = False  # with ``files``: whether another run can continue it
    session: str | None = None  # JSON: gradio would patch a streamed dict in place
    notice: str | None = None  # shown once, as a warning


def paint(studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Submit the form's recipe and watch its job. The first screen comes before any work; if another picture
    of the visitor is being painted, the new one waits in the queue."""
    if queue_view.current_job(studio.queue(), visitor) is not None:
        yield from _add_to_queue(studio, form, visitor, say=say)
        return
    # From its first moment on, a reload that is answered late must not show an older picture.
    with visitor.watchers.watching(visitor.page):
        yield from _paint_now(studio, form, visitor, say=say)


def _paint_now(
    studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator
) -> Iterator[Screen]:
    with ExitStack() as files:
        recipe, submit = _submission(studio, form, visitor, files=files)
        yield Screen(status=status.starting_html(say, recipe), busy="starting", sketches="")
        job = submit()
        more = _submit_more(studio, form, visitor, recipe.seed, files=files, say=say)
    for remark in [*remarks(form, say), *more]:
        yield Screen(notice=remark)
    yield from watch_job(studio, job, visitor, say=say)


def _submission(
    studio: Studio, form: CreateForm, visitor: BrowserSession, *, files: ExitStack
) -> tuple[Recipe, Callable[[], Job]]:
    """The form's recipe with what was drawn and brushed, and the function that submits it; the pictures for it
    exist as long as ``files`` is open. Raises PixgenError."""
    run, parent = visitor.run(studio), ""
    drawn = DrawnInputs.read(form, files=files)
    recipe, trusted = add_drawn_inputs(to_recipe(form), form, drawn, run)
    if form.mask and run is not None:
        recipe, parts = edit_area_recipe(run, recipe, form.mask, files=files)
        trusted, parent = (*trusted, *parts), run.id
    return recipe, partial(
        studio.submit,
        recipe,
        owner=visitor.owner,
        trusted=trusted,
        parent=parent,
        metadata=form.metadata is not False,
    )


def _submit_more(
    studio: Studio,
    form: CreateForm,
    visitor: BrowserSession,
    first: int,
    *,
    files: ExitStack,
    say: Translator,
) -> list[str]:
    """Submit the other pictures of the form, with the seeds that follow the first one's; returns the reason
    if one was rejected."""

    @guard_handler(say, str)
    def submit(seed: int) -> Job | str:
        _, submit_this = _submission(studio, replace(form, seed=str(seed)), visitor, files=files)
        return submit_this()

    for seed in range(first + 1, first + (1 if form.mask else form.count or 1)):
        if isinstance(job := submit(seed), str):
            return [job]
    return []


def _add_to_queue(
    studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator
) -> Iterator[Screen]:
    """Add the form's recipe to the queue; the screen keeps showing the picture that is being painted."""

    @guard_handler(say, lambda message: Screen(notice=message))
    def submit() -> tuple[Job, list[str]] | Screen:
        try:
            with ExitStack() as files:
                recipe, submit_this = _submission(studio, form, visitor, files=files)
                job = submit_this()
                return job, _submit_more(studio, form, visitor, recipe.seed, files=files, say=say)
        except PixgenError as error:
            message, field = describe_error(error, form)
            refused = status.error_html(say, say(message), field=field)
            return Screen(notice=say(message), refused=refused if field else "")

    submitted = submit()
    if isinstance(submitted, Screen):
        yield submitted
        return
    job, more = submitted
    for remark in [*remarks(form, say), *more]:
        yield Screen(notice=remark)
    yield Screen(queue=queue_view.queue_html(say, studio.queue(), visitor), refused="")
    if not visitor.watchers.watched(visitor.page):  # the other one has ended, or is painted for a grid
        yield from watch_job(studio, queue_view.current_job(studio.queue(), visitor) or job, visitor, say=say)


def use_sketch(studio: Studio, visitor: BrowserSession, pick: object, *, say: Translator) -> Iterator[Screen]:
    """Paint the visitor's last picture again from another of its sketches; the picture itself is kept."""
    run = visitor.run(studio)
    if run is None or not run.recipe.init.needs_sketcher:
        yield error_screen(
            say,
            say("The picture that was painted here is gone: paint it again."),
        )
        return
    recipe = make_recipe(
        resolve_kept_paths(run.recipe, run.folder).model_dump(),
        {"init": {"sketch": {"pick": pick}}, "changes": ()},
    )
    yield Screen(status=status.starting_html(say, recipe), busy="starting")
    if (job := visitor.job(studio)) is not None:
        job.stop()
    job = studio.submit(
        recipe,
        owner=visitor.owner,
        trusted=named_files(recipe),
        parent=run.id,
        metadata=run.metadata,
    )
    yield from watch_job(studio, job, visitor, say=say)


def resume(studio: Studio, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Continue the visitor's stopped run, as if it had not been stopped."""
    yield from _continue(studio, visitor, more=0, say=say)


def restore_screen(studio: Studio, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """After a reload: continue to watch the visitor's job, or show its result.

    A page that has begun a picture meanwhile is left alone. Gradio reloads a page that has lost its connection to
    the server, as soon as there is one again.
    """
    yield Screen()  # gradio blanks every output of a generator that yields nothing
    watchers, page = visitor.watchers, visitor.page
    job, run = queue_view.current_job(studio.queue(), visitor) or visitor.job(studio), visitor.run(studio)
    mark = watchers.enter_first(page)
    if mark is None:
        return
    if job is not None:
        yield from watch_job(studio, job, visitor, say=say, mark=mark)
        return
    try:
        if run is not None:
            yield from _show_saved(studio, run, visitor, mark, say=say)
    finally:
        watchers.leave(page, mark)


def watch_job(
    studio: Studio, job: Job | None, visitor: BrowserSession, *, say: Translator, mark: object | None = None
) -> Iterator[Screen]:
    """Yield the screens of a job and then of the visitor's waiting jobs, until none is left. Closing the
    generator stops no job; a newer watcher of the same page ends it.

    Args:
        mark: of a watcher that has entered already.
    """
    mark, told = mark or visitor.watchers.enter(visitor.page), False
    try:
        while job is not None and visitor.is_newest(mark):
            yield _assign(job, visitor)
            yield from _watch_one(studio, job, visitor, mark, say=say)
            another = queue_view.current_job(studio.queue(), visitor)
            if another is not None and job.state == "done" and visitor.is_newest(mark) and not told:
                told = True  # once is enough: the queue shows the others
                prompt = job.recipe.title
                yield Screen(notice=say("“{prompt}” is saved. The next picture starts.", prompt=prompt))
            job = another
    finally:
        visitor.watchers.leave(visitor.page, mark)


def show_run(studio: Studio, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Show the visitor's last run, whatever else is being painted."""
    yield Screen()  # gradio blanks every output of a generator that yields nothing
    job, run = visitor.job(studio), visitor.run(studio)
    if job is not None and not job.ended:
        yield from watch_job(studio, job, visitor, say=say)
    elif run is not None:
        mark = visitor.watchers.enter(visitor.page)  # the watcher of an earlier job leaves
        queue = queue_view.queue_html(say, studio.queue(), visitor)
        for screen in _show_saved(studio, run, visitor, mark, say=say):
            yield replace(screen, queue=queue)


def _show_saved(
    studio: Studio, run: Run, visitor: BrowserSession, mark: object, *, say: Translator
) -> Iterator[Screen]:
    """Yield the last screen of a run. If another page on the same folder paints it, yield what it saves until then."""
    while visitor.is_newest(mark):
        left = run.state not in ENDED and leave_pause(_SAVED_EVERY)
        yield _final_screen(studio, run, say=say)
        if run.state in ENDED:
            return
        if not left:
            time.sleep(_SAVED_EVERY)
        if (now := visitor.run(studio)) is None or now.id != run.id:
            return
        run = now


def _watch_one(
    studio: Studio, job: Job, visitor: BrowserSession, mark: object, *, say: Translator
) -> Iterator[Screen]:
    """Yield the screens of a job until it ends, then its files; or until another job goes before it.

    Every screen says again whose job it is and that it is painted: a slow browser shows the latest of
    the screens that wait for it, and what only an earlier one said would never come.
    """
    shown, sketched = None, False
    for job_status in job.watch():
        frame, picture, thumbnails = job_status.frame, None, None
        if not visitor.is_newest(mark):
            return
        entries = studio.queue()
        queue = queue_view.queue_html(say, entries, visitor)
        if job_status.state in ENDED:
            still = frame.picture if frame is not None else None
            yield replace(_final_screen(studio, job.run, say=say, picture=still), queue=queue)
            return
        if job_status.state == "waiting" and queue_view.current_job(entries, visitor) is not job:
            return
        if frame is not None and frame.step != shown:
            picture, shown = canvas.frame_html(say, job.recipe, frame), frame.step
        if frame is not None and frame.candidates and not sketched:
            pictures, sketched = [each.picture for each in frame.candidates], True
            thumbnails = _thumbnails(job.recipe, pictures, say)
        yield replace(
            _assign(job, visitor),
            canvas=picture,
            sketches=thumbnails,
            queue=queue,
            status=status.status_html(
                say, job.recipe, job_status, wait=queue_view.seconds_until(entries, job)
            ),
        )


def stop(studio: Studio, visitor: BrowserSession) -> Screen:
    """Ask the visitor's job to stop; its watcher shows the end."""
    job = visitor.job(studio)
    if job is None:
        return Screen(busy="idle")
    job.stop()
    return Screen(busy="stopping")


def with_error_screen(
    screens: Iterator[Screen], *, say: Translator, form: CreateForm | None = None
) -> Iterator[Screen]:
    """The same screens; an error that ends them becomes the last one.

    Args:
        form: that was sent, if there is one: the error may be about a field of it.
    """

    def watched() -> Iterator[Screen]:
        try:
            yield from screens
        except PixgenError as error:
            message, field = describe_error(error, form or CreateForm())
            yield error_screen(say, say(message), field=field)

    return guard_stream(watched(), say, partial(error_screen, say))


def error_screen(say: Translator, message: str, *, field: str = "") -> Screen:
    """The message that the requested work was not started, and why; page.js marks the field that it is about."""
    return Screen(status=status.error_html(say, message, field=field), busy="idle", notice=message)


def _assign(job: Job, visitor: BrowserSession) -> Screen:
    """Tell the browser which job is its own."""
    session = visitor.with_job(job.id, seed=job.recipe.seed)
    return Screen(session=session, busy="stopping" if job.stopping else "painting")


def _final_screen(studio: Studio, run: Run, *, say: Translator, picture: np.ndarray | None = None) -> Screen:
    """The last screen of a run: the saved PNG, or the picture in memory if it could not be saved."""
    recipe, failed = run.recipe, run.state == "failed"
    file, film = (path if path.is_file() else None for path in (run.picture, run.video))
    if file is not None and not (failed and picture is not None):
        data, size = file.read_bytes(), (recipe.width, recipe.height)
    elif picture is not None:
        data, size = canvas.png(picture), picture.shape[1::-1]
    else:
        data = None
    alt = (
        say("{prompt}, finished after {steps} steps")
        if run.state == "done"
        else say("{prompt}, stopped at step {step} of {steps}")
        if run.state in ENDED
        else say("{prompt}, step {step} of {steps}")
    )
    alt = alt.format(prompt=recipe.title, step=run.step, steps=recipe.steps)
    shown = canvas.picture_html(say, data, kind="png", alt=alt, size=size) if data else None
    moving = len(recipe.prompts) > 1 or recipe.journey.moving
    if moving and run.state == "done" and film is not None and film.stat().st_size <= _LARGEST_VIDEO:
        shown = canvas.video_html(say, film.read_bytes(), alt=alt, size=(recipe.width, recipe.height))
    return Screen(
        canvas=shown,
        status=status.final_html(say, run, link=picture_link(run, studio)),
        sketches=_thumbnails(recipe, read_sketches(run.sketches, recipe), say),
        busy="idle",
        files=(file, film),
        name=file_name(recipe),
        resumable=run.state == "stopped" and (run.state_file.is_file() or not run.has_started),
        begun=run.has_started,
        forkable=run.state in ENDED and run.state_file.is_file(),
        notice=say(run.notice) if failed else None,
    )


def _thumbnails(recipe: Recipe, pictures: Sequence[np.ndarray], say: Translator) -> str:
    return canvas.sketches_html(say, pictures, picked=recipe.init.sketch.pick)


def file_name(recipe: Recipe) -> str:
    """A name for downloads, from the prompt and the seed."""
    words = re.sub(r"[^a-z0-9]+", "-", recipe.prompts[0][0].label.lower())[:40].strip("-")
    return f"{words or 'picture'}-{recipe.seed}"


def update_picture(studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator) -> str:
    """Update the visitor's running picture to the form's prompt and learning rate; returns the message to
    show.

    Raises PixgenError.
    """
    job = visitor.job(studio)
    if job is None or job.ended:
        return say(
            "No picture is being painted: press Generate to start one, or “Continue with this prompt” to change the last one."
        )
    with ExitStack() as files:
        wanted, trusted = _edited_recipe(form, job.recipe, files)
        turned = job.change(
            wanted.prompts,
            wanted.optimizer.learning_rate,
            translations=dict(wanted.translations),
            trusted=trusted,
        )
    return (
        say("From now on, the picture follows the new prompt and learning rate.")
        if turned
        else (say("The picture already follows this prompt and learning rate: change one of them first."))
    )


def add_steps(studio: Studio, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Continue the visitor's last run for ``MORE_STEPS`` more; a finished run stays as it is."""
    yield from _continue(studio, visitor, more=MORE_STEPS, say=say)


def _continue(studio: Studio, visitor: BrowserSession, *, more: int, say: Translator) -> Iterator[Screen]:
    """Resume the visitor's last run with ``more`` additional steps, and watch it."""
    run = visitor.run(studio)
    if run is None:
        yield error_screen(
            say,
            say("The picture that was painted here is gone: paint it again."),
        )
        return
    yield Screen(status=status.starting_html(say, run.recipe), busy="starting")
    job = studio.resume(run.id, steps=run.recipe.steps + more if more else None, owner=visitor.owner)
    yield from watch_job(studio, job, visitor, say=say)


def fork(studio: Studio, form: CreateForm, visitor: BrowserSession, *, say: Translator) -> Iterator[Screen]:
    """Fork the visitor's last run with the form's prompt and learning rate."""
    run = visitor.run(studio)
    if run is None:
        yield error_screen(
            say,
            say("The picture that was painted here is gone: paint it again."),
        )
        return
    with ExitStack() as files:
        wanted, trusted = _edited_recipe(form, run.recipe, files)
        yield Screen(status=status.starting_html(say, wanted), busy="starting")
        job = studio.fork(
            run.id,
            prompts=wanted.prompts,
            learning_rate=wanted.optimizer.learning_rate,
            translations=dict(wanted.translations),
            owner=visitor.owner,
            trusted=trusted,
        )
    yield from watch_job(studio, job, visitor, say=say)


def _edited_recipe(form: CreateForm, recipe: Recipe, files: ExitStack) -> tuple[Recipe, Collection[str]]:
    """The form's recipe with its painted regions, and the pictures that these need; the seed of the edited
    picture decides its wildcards."""
    drawn = DrawnInputs.read(form, files=files)
    asked = to_recipe(replace(form, seed=str(recipe.seed), start=None))
    return drawn.with_regions(asked), drawn.files

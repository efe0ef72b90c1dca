"""What the Create tab does, as plain generators of what changes on the screen; no gradio here.

The page only watches: a job belongs to the studio and goes on when nobody looks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pixgen.recipe import Recipe, make_recipe
from pixgen.studio import Job, Run, Studio
from pixgen.studio.inputs import named_files, with_kept_pictures
from pixgen.studio.sketches import read_sketches
from pixgen.ui import canvas, queueing, sketches, status
from pixgen.ui.drawn import Drawn, with_drawn
from pixgen.ui.form import remarks, to_recipe
from pixgen.ui.mishaps import sentence
from pixgen.ui.retouching import part_of
from pixgen.ui.texts import Words
from pixgen.ui.visitors import Visitor

ENDED = ("done", "stopped", "failed")
Busy = Literal["idle", "starting", "painting", "stopping"]


@dataclass(frozen=True)
class Screen:
    """What changes on the page; None leaves a part as it is."""

    canvas: str | None = None  # HTML
    status: str | None = None  # HTML
    sketches: str | None = None  # HTML
    queue: str | None = None  # HTML
    busy: Busy | None = None
    files: tuple[Path | None, Path | None] | None = None  # the picture and the film of this run
    name: str = ""  # of the files, when they are downloaded
    resumable: bool = False  # with ``files``: whether the run was stopped before its end
    begun: bool = True  # with ``files``: False for a run that was stopped before its beginning
    forkable: bool = False  # with ``files``: whether another run can go on from it
    seat: str | None = None  # JSON: gradio patches a dict that it streams in place, and spoils it
    notice: str | None = None  # said once, in passing


def paint(
    studio: Studio, values: Mapping[str, Any], visitor: Visitor, *, words: Words
) -> Iterator[Screen]:
    """Submit what the form asks for and watch it. The first screen comes before any work; while a
    picture of the visitor's is painted, the new one waits for its turn."""
    if queueing.shown(studio, visitor) is not None:
        yield from _add(studio, values, visitor, words=words)
        return
    run, parent = visitor.run(studio), ""
    with ExitStack() as files:
        drawn = Drawn.read(values.get("drawn"), files=files, words=words)
        recipe, trusted = with_drawn(to_recipe(values, words), values, drawn, run, words=words)
        if values.get("mask") and run is not None:
            recipe, parts = part_of(run, recipe, values["mask"], files=files, words=words)
            trusted, parent = (*trusted, *parts), run.id
        yield Screen(status=status.starting(words, recipe), busy="starting", sketches="")
        job = studio.submit(
            recipe, owner=visitor.owner, trusted=trusted, parent=parent,
            metadata=values.get("metadata") is not False,
        )  # fmt: skip
    for remark in remarks(values, words):
        yield Screen(notice=remark)
    yield from follow(studio, job, visitor, words=words)


def _add(
    studio: Studio, values: Mapping[str, Any], visitor: Visitor, *, words: Words
) -> Iterator[Screen]:
    """Submit what the form asks for, and leave the screen to the picture that is painted."""
    try:
        metadata = values.get("metadata") is not False
        with ExitStack() as files:
            drawn, run = (
                Drawn.read(values.get("drawn"), files=files, words=words),
                visitor.run(studio),
            )
            recipe, trusted = with_drawn(to_recipe(values, words), values, drawn, run, words=words)
            job = studio.submit(recipe, owner=visitor.owner, trusted=trusted, metadata=metadata)
    except Exception as error:
        yield Screen(notice=sentence(error, words))
        return
    for remark in remarks(values, words):
        yield Screen(notice=remark)
    yield Screen(queue=queueing.of_visitor(words, studio, visitor))
    if not visitor.pages.watched(
        visitor.session
    ):  # the other one has ended, or is painted for a grid
        yield from follow(studio, queueing.shown(studio, visitor) or job, visitor, words=words)


def take(studio: Studio, visitor: Visitor, pick: Any, *, words: Words) -> Iterator[Screen]:
    """Paint the visitor's last picture anew, from another of its sketches; it is kept as it is."""
    run = visitor.run(studio)
    if run is None or not run.recipe.start.sketched:
        yield failed(words, words.gone)
        return
    recipe = make_recipe(
        with_kept_pictures(run.recipe, run.folder).model_dump(),
        {"start": {"sketch": {"pick": pick}}, "changes": ()},
    )
    yield Screen(status=status.starting(words, recipe), busy="starting")
    if (job := visitor.job(studio)) is not None:
        job.stop()
    job = studio.submit(
        recipe, owner=visitor.owner, trusted=named_files(recipe), parent=run.id, metadata=run.metadata,
    )  # fmt: skip
    yield from follow(studio, job, visitor, words=words)


def go_on(studio: Studio, visitor: Visitor, *, words: Words) -> Iterator[Screen]:
    """Go on with the visitor's stopped run, as if it had not been stopped."""
    run = visitor.run(studio)
    if run is None:
        yield failed(words, words.gone)
        return
    yield Screen(status=status.starting(words, run.recipe), busy="starting")
    job = studio.resume(run.id, owner=visitor.owner)
    yield from follow(studio, job, visitor, words=words)


def come_back(studio: Studio, visitor: Visitor, *, words: Words) -> Iterator[Screen]:
    """After a reload: go on watching the visitor's job, or show what became of it."""
    yield Screen()  # gradio blanks every output of a generator that yields nothing
    job, run = visitor.job(studio), visitor.run(studio)
    if (painted := queueing.shown(studio, visitor)) is not None:
        yield from follow(studio, painted, visitor, words=words)
    elif job is not None:
        yield from follow(studio, job, visitor, words=words)
    elif run is not None:
        yield _ended(run, words=words)


def follow(studio: Studio, job: Job | None, visitor: Visitor, *, words: Words) -> Iterator[Screen]:
    """What a job shows, and then the visitor's others that wait, until none does. Leaving it stops no
    job; a newer watcher of the same page ends it."""
    mark, told = visitor.pages.enter(visitor.session), False
    try:
        while job is not None and visitor.newest(mark):
            yield _seated(job, visitor)
            yield from _watch(studio, job, visitor, mark, words=words)
            another = queueing.shown(studio, visitor)
            if another is not None and job.state == "done" and visitor.newest(mark) and not told:
                told = True  # once is enough: of the others, the queue tells
                prompt = job.recipe.title
                yield Screen(notice=words.turning.next_begins.format(prompt=prompt))
            job = another
    finally:
        visitor.pages.leave(visitor.session, mark)


def look_at(studio: Studio, visitor: Visitor, *, words: Words) -> Iterator[Screen]:
    """Show the visitor's last run, whatever else is painted meanwhile."""
    yield Screen()  # gradio blanks every output of a generator that yields nothing
    job, run = visitor.job(studio), visitor.run(studio)
    if job is not None and not job.ended:
        yield from follow(studio, job, visitor, words=words)
    elif run is not None:
        visitor.pages.enter(visitor.session)  # who has watched another one leaves
        yield replace(_ended(run, words=words), queue=queueing.of_visitor(words, studio, visitor))


def _watch(
    studio: Studio, job: Job, visitor: Visitor, mark: object, *, words: Words
) -> Iterator[Screen]:
    """What a job shows until it ends, and its files then; or until another goes before it.

    Every screen says again whose job it is and that it is painted: a slow browser shows the latest of
    the screens that wait for it, and what only an earlier one said would never come.
    """
    shown, sketched = None, False
    for glimpse in job.watch():
        frame, picture, thumbnails = glimpse.frame, None, None
        if not visitor.newest(mark):
            return
        queue = queueing.of_visitor(words, studio, visitor)
        if glimpse.state in ENDED:
            still = frame.picture if frame is not None else None
            yield replace(_ended(job.run, words=words, picture=still), queue=queue)
            return
        if glimpse.state == "waiting" and queueing.shown(studio, visitor) is not job:
            return
        if frame is not None and frame.step != shown:
            picture, shown = canvas.of_frame(words, job.recipe, frame), frame.step
        if frame is not None and frame.candidates and not sketched:
            pictures, sketched = [each.picture for each in frame.candidates], True
            thumbnails = _thumbnails(job.recipe, pictures, words)
        yield replace(
            _seated(job, visitor), canvas=picture, sketches=thumbnails, queue=queue,
            status=status.of_glimpse(words, job.recipe, glimpse),
        )  # fmt: skip


def stop(studio: Studio, visitor: Visitor) -> Screen:
    """Ask the visitor's job to stop; whoever watches it shows the end."""
    job = visitor.job(studio)
    if job is None:
        return Screen(busy="idle")
    job.stop()
    return Screen(busy="stopping")


def told(screens: Iterator[Screen], *, words: Words) -> Iterator[Screen]:
    """The same screens; an error that ends them becomes the last one. Nothing is lost by it."""
    try:
        yield from screens
    except Exception as error:
        yield failed(words, sentence(error, words))


def failed(words: Words, message: str) -> Screen:
    """What was asked for was not begun, and why."""
    return Screen(status=status.failed(words, message), busy="idle", notice=message)


def _seated(job: Job, visitor: Visitor) -> Screen:
    """The browser is told which job is its own."""
    seat = json.dumps({**visitor.seat, "job": job.id, "seed": str(job.recipe.seed)})
    return Screen(seat=seat, busy="stopping" if job.stopping else "painting")


def _ended(run: Run, *, words: Words, picture: np.ndarray | None = None) -> Screen:
    """The last screen of a run: the very PNG that was written, else the picture in memory."""
    recipe, failed = run.recipe, run.state == "failed"
    file, film = (path if path.is_file() else None for path in (run.picture, run.film))
    if file is not None and not (failed and picture is not None):
        data, size = file.read_bytes(), (recipe.width, recipe.height)
    elif picture is not None:
        data, size = canvas.png(picture), picture.shape[1::-1]
    else:
        data = None
    alt = words.finished_alt if run.state == "done" else words.stopped_alt
    alt = alt.format(prompt=recipe.title, step=run.step, steps=recipe.steps)
    shown = canvas.of_picture(words, data, kind="png", alt=alt, size=size) if data else None
    return Screen(
        canvas=shown,
        status=status.of_end(words, run),
        sketches=_thumbnails(recipe, read_sketches(run.sketches, recipe), words),
        busy="idle",
        files=(file, film),
        name=file_name(recipe),
        resumable=run.state == "stopped" and (run.state_file.is_file() or not run.begun),
        begun=run.begun,
        forkable=run.state_file.is_file(),
        notice=words.sentences(run.notice) if failed else None,
    )


def _thumbnails(recipe: Recipe, pictures: Sequence[np.ndarray], words: Words) -> str:
    return sketches.of_pictures(words, pictures, picked=recipe.start.sketch.pick)


def file_name(recipe: Recipe) -> str:
    """A name for downloads, from the words and the seed."""
    words = re.sub(r"[^a-z0-9]+", "-", recipe.prompts[0][0].label.lower())[:40].strip("-")
    return f"{words or 'picture'}-{recipe.seed}"

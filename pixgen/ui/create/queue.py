"""The queue on the page: a visitor's running and waiting pictures, with the actions on each."""

import base64
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from PIL import Image

from pixgen.studio import Job, Studio, queue
from pixgen.studio.queue import QueueEntry
from pixgen.ui import canvas, status
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

_THUMBNAIL = 80  # pixels, of which the page shows half
_SIGNS = {"up": "↑", "down": "↓", "pause": "❙❙", "resume": "▸", "cancel": "×"}


def current_job(entries: Sequence[QueueEntry], visitor: BrowserSession) -> Job | None:
    """The job that a visitor's page shows: the running one, else the next; None if there is none."""
    own = [entry for entry in entries if entry.job.owner == visitor.owner]
    return min(own, key=lambda entry: (entry.paused, entry.before)).job if own else None


def queue_html(say: Translator, entries: Sequence[QueueEntry], visitor: BrowserSession) -> str:
    """The list as HTML; empty if one picture is being painted and none is waiting."""
    places = [entry for entry in entries if entry.job.owner == visitor.owner]
    if len(places) < 2 and not any(place.paused for place in places):
        return ""
    waiting = [place.job for place in places if place.job.state == "waiting"]
    items = "".join(_item(say, place, waiting=waiting) for place in places)
    title = escape(say("The queue"))
    return f'<section class="pg-queue" aria-label="{title}"><h2>{title}</h2><ol>{items}</ol></section>'


def seconds_until(entries: Sequence[QueueEntry], job: Job) -> float | None:
    """The seconds until a job's turn; None while unknown."""
    return next((entry.wait for entry in entries if entry.job is job), None)


def act_on_queue(studio: Studio, order: object, visitor: BrowserSession, *, say: Translator) -> str:
    """Apply an action, given as ``ACT RUN``, and return the new list. Other visitors' jobs are left alone."""
    name, _, run_id = str(order).partition(" ")
    job = visitor.find_job(studio, run_id) if len(run_id) <= 64 else None
    if job is not None and name in queue.ACTIONS:
        queue.apply_action(studio, job, name)
    return queue_html(say, studio.queue(), visitor)


def _item(say: Translator, place: QueueEntry, *, waiting: list[Job]) -> str:
    job = place.job
    recipe = job.recipe
    acts = ["up"] if job in waiting[1:] else []
    acts += ["down"] if job in waiting[:-1] else []
    acts += ["resume" if place.paused else "pause", "cancel"]
    facts = say.ngettext(
        "{width} × {height}, {count} step",
        "{width} × {height}, {count} steps",
        recipe.steps,
        width=recipe.width,
        height=recipe.height,
    )
    state = "paused" if place.paused else job.state
    return (
        f'<li data-run="{job.id}" data-state="{state}"><i>{_thumbnail(job)}</i><p><strong>{escape(recipe.title)}</strong>'
        f"<small>{escape(facts)}</small></p><span>{escape(' · '.join(_times(say, place)))}</span><div>"
        + "".join(_button(say, name, job) for name in acts)
        + "</div></li>"
    )


def _thumbnail(job: Job) -> str:
    """What a job has painted so far, small; empty before its first frame."""
    frame = job.frame
    if frame is None:
        return ""
    picture = Image.fromarray(frame.picture)
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL), reducing_gap=1.0)
    data = base64.b64encode(canvas.jpeg(np.asarray(picture))).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="">'


def _times(say: Translator, place: QueueEntry) -> Iterator[str]:
    if place.paused:
        yield say("Paused")
    elif place.job.state != "waiting":
        yield say("now")
        if place.takes is not None:
            yield say("{time} left", time=status.duration(say, place.takes))
        return
    elif place.wait is None:
        yield say("{count} ahead of it", count=place.before)
    else:
        yield say("in about {time}", time=status.duration(say, place.wait))
    if place.takes is not None:
        yield say("takes about {time}", time=status.duration(say, place.takes))


def _button(say: Translator, name: str, job: Job) -> str:
    said = {
        "up": say("Earlier"),
        "down": say("Later"),
        "pause": say("Pause"),
        "resume": say("Continue"),
        "cancel": say("Cancel"),
    }[name]
    label = f"{said}: {job.recipe.title}"
    return (
        f'<button type="button" data-queue="{name} {job.id}" title="{escape(said)}" '
        f'aria-label="{escape(label)}">{_SIGNS[name]}</button>'
    )

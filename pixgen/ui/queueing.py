"""The queue on the page: a visitor's pictures that are painted or wait, and what can be done with each."""

from collections.abc import Iterator
from html import escape

from pixgen.studio import Job, Studio, queue
from pixgen.studio.queue import Place
from pixgen.ui import status
from pixgen.ui.texts import Words
from pixgen.ui.visitors import Visitor

_SIGNS = {"up": "↑", "down": "↓", "pause": "❙❙", "go_on": "▸", "cancel": "×"}


def shown(studio: Studio, visitor: Visitor) -> Job | None:
    """The job that a visitor's page shows: the one that is painted, else the next; None without any."""
    own = [place.job for place in studio.queue() if place.job.owner == visitor.owner]
    return min(own, key=lambda job: (job.paused, job.place), default=None)


def of_visitor(words: Words, studio: Studio, visitor: Visitor) -> str:
    """The list as HTML; nothing where a picture is painted and no other waits."""
    places = [place for place in studio.queue() if place.job.owner == visitor.owner]
    if len(places) < 2 and not any(place.paused for place in places):
        return ""
    waiting = [place.job for place in places if place.job.state == "waiting"]
    items = "".join(_item(words, place, waiting=waiting) for place in places)
    title = escape(words.turning.queue)
    return (
        f'<section class="pg-queue" aria-label="{title}"><h3>{title}</h3><ol>{items}</ol></section>'
    )


def act(studio: Studio, order: object, visitor: Visitor, *, words: Words) -> str:
    """Do what was asked for, as ``ACT RUN``; the list then. What is none of the visitor's stays."""
    name, _, run_id = str(order).partition(" ")
    job = visitor.own(studio, run_id) if len(run_id) <= 64 else None
    if job is not None and name in queue.ACTS:
        queue.act(studio, job, name)
    return of_visitor(words, studio, visitor)


def _item(words: Words, place: Place, *, waiting: list[Job]) -> str:
    own, job = words.turning, place.job
    recipe = job.recipe
    acts = ["up"] if job in waiting[1:] else []
    acts += ["down"] if job in waiting[:-1] else []
    acts += ["go_on" if place.paused else "pause", "cancel"]
    facts = own.facts.format(width=recipe.width, height=recipe.height, steps=recipe.steps)
    state = "paused" if place.paused else job.state
    return (
        f'<li data-run="{job.id}" data-state="{state}"><p><strong>{escape(recipe.title)}</strong>'
        f"<small>{escape(facts)}</small></p><span>{escape(' · '.join(_times(words, place)))}</span><div>"
        + "".join(_button(words, name, job) for name in acts)
        + "</div></li>"
    )


def _times(words: Words, place: Place) -> Iterator[str]:
    own = words.turning
    if place.paused:
        yield own.paused
    elif place.job.state != "waiting":
        yield own.now
        if place.takes is not None:
            yield own.left.format(time=status.duration(words, place.takes))
        return
    elif place.wait is None:
        yield own.before.format(count=place.before)
    else:
        yield own.begins.format(time=status.duration(words, place.wait))
    if place.takes is not None:
        yield own.takes.format(time=status.duration(words, place.takes))


def _button(words: Words, name: str, job: Job) -> str:
    said = getattr(words.turning, name)
    label = words.turning.act_on.format(act=said, prompt=job.recipe.title)
    return (
        f'<button type="button" data-queue="{name} {job.id}" title="{escape(said)}" '
        f'aria-label="{escape(label)}">{_SIGNS[name]}</button>'
    )

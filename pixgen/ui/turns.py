"""The buttons that turn a picture or go on from it, and the queue: they stand on the Create tab."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from pixgen.studio import Studio
from pixgen.studio.forks import MORE_STEPS
from pixgen.ui import painting, queueing, turning
from pixgen.ui.controls import Parts
from pixgen.ui.mishaps import sentence
from pixgen.ui.painting import Screen
from pixgen.ui.texts import Words
from pixgen.ui.visitors import Visitor

SHOWN = ("apply", "go_on", "more", "fork")
_QUIET = {"api_visibility": "private", "show_progress": "hidden"}


def ending_buttons(words: Words) -> Parts:
    """What can be done with a picture that has ended; nothing is to be seen before."""
    labels = {
        "go_on": words.go_on, "more": words.turning.more.format(steps=MORE_STEPS),
        "fork": words.turning.fork,
    }  # fmt: skip
    return {
        name: gr.Button(
            label, visible=False, size="sm", min_width=0, elem_id=f"pg-{name.replace('_', '-')}"
        )
        for name, label in labels.items()
    }


def queue_parts(words: Words) -> Parts:
    """The list of pictures that wait, and what page.js presses when one of its buttons is pressed."""
    return {
        "queue": gr.HTML("", elem_id="pg-queue"),
        "queue_act": gr.Button(visible="hidden", elem_id="pg-queue-act"),
        "queue_order": gr.Textbox("", visible="hidden", label=words.turning.queue),
    }


def updates(screen: Screen, words: Words) -> dict[str, Any]:
    """A screen as gradio's updates of ``SHOWN``, and of what Generate does meanwhile."""
    changes: dict[str, Any] = {}
    if screen.busy is not None:
        painting_now = screen.busy == "painting"
        changes["apply"] = gr.update(interactive=painting_now)
        changes["generate"] = gr.update(
            interactive=screen.busy in ("idle", "painting"),
            value=words.turning.add if painting_now else words.generate,
        )
    if screen.busy in ("starting", "painting"):
        changes |= {name: gr.update(visible=False) for name in ("go_on", "more", "fork")}
    if screen.files:
        label = words.go_on if screen.begun else words.begin
        changes["go_on"] = gr.update(visible=screen.resumable, value=label)
        changes |= {name: gr.update(visible=screen.forkable) for name in ("more", "fork")}
    return changes


def wire(
    studio: Studio, words: Words, parts: Parts, names: Sequence[str], *,
    known: Callable[[gr.Request, Any], Visitor],
    shown: Callable[[Iterator[Screen]], Iterator[tuple]],
    watching: dict[str, Any],
) -> None:  # fmt: skip
    """Connect the buttons.

    Args:
        names: of the form's parts.
        known: who has pressed.
        shown: screens as gradio's updates of the outputs in ``watching``.
    """

    def form(values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(names, values, strict=True))

    def go_on(request: gr.Request, seat: Any) -> Iterator[tuple]:
        yield from shown(painting.go_on(studio, known(request, seat), words=words))

    def more(request: gr.Request, seat: Any) -> Iterator[tuple]:
        yield from shown(turning.more(studio, known(request, seat), words=words))

    def fork(request: gr.Request, seat: Any, *values: Any) -> Iterator[tuple]:
        yield from shown(turning.fork(studio, form(values), known(request, seat), words=words))

    def apply(request: gr.Request, seat: Any, *values: Any) -> None:
        try:
            said = turning.apply(studio, form(values), known(request, seat), words=words)
        except Exception as error:
            gr.Warning(sentence(error, words), duration=8)
        else:
            gr.Info(said, duration=5)

    def act(request: gr.Request, seat: Any, order: Any) -> str:
        return queueing.act(studio, order, known(request, seat), words=words)

    asked = [parts["seat"], *(parts[name] for name in names)]
    parts["go_on"].click(go_on, parts["seat"], **watching)
    parts["more"].click(more, parts["seat"], **watching)
    # What is brushed on the page goes along; the brush of a part to change belongs to Generate alone.
    drawn = {"js": "(...values) => [...values.slice(0, -2), window.pixgenPad.drawn(), '']"}
    parts["fork"].click(fork, asked, **watching, **drawn)
    parts["apply"].click(apply, asked, None, concurrency_limit=None, **_QUIET, **drawn)
    parts["queue_act"].click(
        act, [parts["seat"], parts["queue_order"]], parts["queue"], queue=False, **_QUIET,
        js="(seat) => [seat, document.getElementById('pg-queue-act').dataset.order]",
    )  # fmt: skip

"""The buttons that turn a picture or go on from it, and the queue: they stand on the Create tab."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from pixgen.studio import Studio
from pixgen.studio.runs.forks import MORE_STEPS
from pixgen.ui.create import actions, edit_actions
from pixgen.ui.create import queue as queueing
from pixgen.ui.create.actions import Screen
from pixgen.ui.create.controls import Parts
from pixgen.ui.create.form_values import CreateForm
from pixgen.ui.errors import guarded, warned
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

SHOWN = ("apply", "go_on", "more", "fork")
_QUIET = {"api_visibility": "private", "show_progress": "hidden"}


def ending_buttons(say: Translator) -> Parts:
    """What can be done with a picture that has ended; nothing is to be seen before."""
    labels = {
        "go_on": say("Go on"),
        "more": say("+{steps} steps", steps=MORE_STEPS),
        "fork": say("Go on with these words"),
    }
    return {
        name: gr.Button(label, visible=False, size="sm", min_width=0, elem_id=f"pg-{name.replace('_', '-')}")
        for name, label in labels.items()
    }


def queue_parts(say: Translator) -> Parts:
    """The list of pictures that wait, and what page.js presses when one of its buttons is pressed."""
    return {
        "queue": gr.HTML("", elem_id="pg-queue"),
        "queue_act": gr.Button(visible="hidden", elem_id="pg-queue-act"),
        "queue_order": gr.Textbox("", visible="hidden", label=say("The queue")),
    }


def updates(screen: Screen, say: Translator) -> dict[str, Any]:
    """A screen as gradio's updates of ``SHOWN``, and of what Generate does meanwhile."""
    changes: dict[str, Any] = {}
    if screen.busy is not None:
        painting_now = screen.busy == "painting"
        changes["apply"] = gr.update(interactive=painting_now)
        changes["generate"] = gr.update(
            interactive=screen.busy in ("idle", "painting"),
            value=say("Add to the queue") if painting_now else say("Generate"),
        )
    if screen.busy in ("starting", "painting"):
        changes |= {name: gr.update(visible=False) for name in ("go_on", "more", "fork")}
    if screen.files:
        label = say("Go on") if screen.begun else say("Begin")
        changes["go_on"] = gr.update(visible=screen.resumable, value=label)
        changes |= {name: gr.update(visible=screen.forkable) for name in ("more", "fork")}
    return changes


def wire(
    studio: Studio,
    say: Translator,
    parts: Parts,
    names: Sequence[str],
    *,
    known: Callable[[gr.Request, Any], BrowserSession],
    shown: Callable[[Iterator[Screen]], Iterator[tuple]],
    watching: dict[str, Any],
) -> None:
    """Connect the buttons.

    Args:
        names: of the form's parts.
        known: who has pressed.
        shown: screens as gradio's updates of the outputs in ``watching``.
    """

    def form(values: Sequence[Any]) -> CreateForm:
        return CreateForm.read(dict(zip(names, values, strict=True)))

    def go_on(request: gr.Request, session: Any) -> Iterator[tuple]:
        yield from shown(actions.go_on(studio, known(request, session), say=say))

    def more(request: gr.Request, session: Any) -> Iterator[tuple]:
        yield from shown(edit_actions.more(studio, known(request, session), say=say))

    def fork(request: gr.Request, session: Any, *values: Any) -> Iterator[tuple]:
        yield from shown(edit_actions.fork(studio, form(values), known(request, session), say=say))

    @guarded(say, warned())
    def apply(request: gr.Request, session: Any, *values: Any) -> None:
        said = edit_actions.apply(studio, form(values), known(request, session), say=say)
        gr.Info(said, duration=5)

    def act(request: gr.Request, session: Any, order: Any) -> str:
        return queueing.act(studio, order, known(request, session), say=say)

    asked = [parts["session"], *(parts[name] for name in names)]
    parts["go_on"].click(go_on, parts["session"], **watching)
    parts["more"].click(more, parts["session"], **watching)
    # What is brushed on the page goes along; the brush of a part to change belongs to Generate alone.
    drawn = {"js": "(...values) => [...values.slice(0, -2), window.pixgenPad.drawn(), '']"}
    parts["fork"].click(fork, asked, **watching, **drawn)
    parts["apply"].click(apply, asked, None, concurrency_limit=None, **_QUIET, **drawn)
    parts["queue_act"].click(
        act,
        [parts["session"], parts["queue_order"]],
        parts["queue"],
        queue=False,
        **_QUIET,
        js="(session) => [session, document.getElementById('pg-queue-act').dataset.order]",
    )

"""The endpoint ``/queue``: lists the runs that are painting or waiting, and moves, pauses or cancels one."""

from typing import Any

import gradio as gr

from pixgen.errors import StudioError
from pixgen.studio import Studio
from pixgen.studio.queue import ACTIONS, QueueEntry, apply_action
from pixgen.ui.errors import error_text
from pixgen.ui.i18n import Translator


def add_queue_api(studio: Studio, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def queue(request: gr.Request, wanted: str, run: str) -> list[dict[str, Any]]:
        try:
            if wanted:
                apply_action(studio, _one(studio, request, run), wanted)
        except StudioError as error:
            raise gr.Error(error_text(error, say), title=say("Queue"), print_exception=False) from error
        return [_facts(place) for place in _seen(studio, request)]

    with gr.Column(visible=False):
        inputs = [gr.Textbox("", label=", ".join(ACTIONS)), gr.Textbox("", label="run")]
        gr.Button().click(
            queue, inputs, gr.JSON(label=say("Queue")), api_name="queue",
            api_description=say("Lists the runs that are painting or waiting, after an optional action on one of them: up, down, pause, resume or cancel. On a public page, only the runs of the person who has logged in."), concurrency_limit=8, show_progress="hidden",
        )  # fmt: skip


def _seen(studio: Studio, request: gr.Request) -> list[QueueEntry]:
    """All jobs; on a public page only those of the person who has logged in."""
    owner = request.username
    return [
        place for place in studio.queue() if not studio.policy.public or (owner and place.job.owner == owner)
    ]


def _one(studio: Studio, request: gr.Request, run: str) -> Any:
    job = next((place.job for place in _seen(studio, request) if place.job.id == run), None)
    if job is None:
        raise StudioError(
            "The run “{run}” is not in the queue: `pixgen queue` lists those that are.",
            run=run[:60],
        )
    return job


def _facts(place: QueueEntry) -> dict[str, Any]:
    job = place.job
    recipe = job.recipe
    return {
        "run": job.id,
        "prompt": recipe.prompt,
        "state": "paused" if place.paused else job.state,
        "before": place.before,
        "wait": place.wait,
        "takes": place.takes,
        "steps": recipe.steps,
        "step": 0 if job.frame is None else max(0, job.frame.step),
        "size": f"{recipe.width}x{recipe.height}",
    }

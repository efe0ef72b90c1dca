"""The Classify tab's public endpoint, ``/classify``: what is in pictures, for ``gradio_client``."""

import json
import threading
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.models import available_clips
from pixgen.studio.library.classifier import ClassifierService
from pixgen.ui.classify import actions
from pixgen.ui.errors import error_text
from pixgen.ui.i18n import Translator


def add_classify_api(service: ClassifierService, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built; nothing of it is to be seen."""

    def classify(
        pictures: list[str], labels: str, label_set: str, templates: str,
        multi: bool, or_else: bool, none_below: float, top: int, model: str,
    ) -> dict[str, Any]:  # fmt: skip
        below = none_below is not None and none_below > -1
        none = ("both" if or_else else "below") if below else "else" if or_else else "never"
        form = {
            "pictures": pictures,
            "labels": labels,
            "label_set": label_set,
            "templates": templates,
            "own_templates": "",
            "mode": "several" if multi else "one",
            "model": model or available_clips()[0],
            "none": none,
            "none_below": none_below,
            "top": max(1, int(top or 5)),
        }
        try:
            *_, last = actions.classify(service, form, threading.Event(), say=say)
            if last.tables is None:
                raise gr.Error(
                    say("The time for one request here is over: what was seen until then is shown."),
                    title=say("Not classified"),
                    print_exception=False,
                )
        except PixgenError as error:
            raise gr.Error(
                error_text(error, say), title=say("Not classified"), print_exception=False
            ) from error
        return json.loads(last.tables[1])

    with gr.Column(visible=False):
        inputs = [
            gr.File(label=say("Pictures"), file_types=["image", ".zip"], file_count="multiple"),
            gr.Textbox("", label=say("What could it be")),
            gr.Textbox("", label=say("Fill in a set of labels")),
            gr.Textbox("", label=say("Sentences")),
            gr.Checkbox(False, label=say("Which ones")),
            gr.Checkbox(False, label=say("None of these")),
            gr.Number(-1, label=say("The limit")),
            gr.Number(5, label=say("Labels a picture"), precision=0),
            gr.Textbox(available_clips()[0], label=say("Looked at by")),
        ]
        gr.Button().click(
            classify,
            inputs,
            gr.JSON(label=say("The answers")),
            api_name="classify",
            api_description=say(
                "Names what is in pictures. Labels: typed, else a set by its name. None of these "
                "below a cosine; -1: never."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )

"""The Classify tab's public endpoint, ``/classify``, for ``gradio_client`` and HTTP."""

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
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def classify(
        pictures: list[str], labels: str, label_set: str, templates: str,
        multi: bool, or_else: bool, none_below: float, top: int, model: str,
    ) -> dict[str, Any]:  # fmt: skip
        below = none_below is not None and none_below > -1
        none = ("both" if or_else else "below") if below else "else" if or_else else "never"
        form = actions.ClassifyForm.read(
            {
                "pictures": pictures, "labels": labels, "label_set": label_set, "templates": templates,
                "mode": "several" if multi else "one", "model": model, "none": none,
                "none_below": none_below, "top": top,
            }
        )  # fmt: skip
        try:
            *_, last = actions.classify(service, form, threading.Event(), say=say)
            if last.tables is None:
                raise gr.Error(
                    say("The time limit for one request was reached: these are the results so far."),
                    title=say("Couldn't classify"),
                    print_exception=False,
                )
        except PixgenError as error:
            raise gr.Error(
                error_text(error, say), title=say("Couldn't classify"), print_exception=False
            ) from error
        return json.loads(last.tables[1])

    with gr.Column(visible=False):
        inputs = [
            gr.File(label=say("Pictures"), file_types=["image", ".zip"], file_count="multiple"),
            gr.Textbox("", label=say("Labels")),
            gr.Textbox("", label=say("Label set")),
            gr.Textbox("", label=say("Prompt templates")),
            gr.Checkbox(False, label=say("Multiple labels")),
            gr.Checkbox(False, label=say("None of these")),
            gr.Number(-1, label=say("Threshold")),
            gr.Number(5, label=say("Labels per picture"), precision=0),
            gr.Textbox(available_clips()[0], label=say("CLIP model")),
        ]
        gr.Button().click(
            classify,
            inputs,
            gr.JSON(label=say("The answers")),
            api_name="classify",
            api_description=say(
                "Classifies pictures. Labels are typed, or a label set is named. none_below: answer “none of these” below this cosine; -1: never."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )

"""The Classify tab's public endpoint, ``/classify``: what is in pictures, for ``gradio_client``."""

import json
import threading
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.models import available_clips
from pixgen.studio.naming import Namer
from pixgen.ui import classifying
from pixgen.ui.mishaps import sentence
from pixgen.ui.texts import Words


def add_classify_api(namer: Namer, words: Words) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built; nothing of it is to be seen."""
    own = words.classifying

    def classify(
        pictures: list[str], labels: str, label_set: str, templates: str,
        multi: bool, or_else: bool, none_below: float, top: int, model: str,
    ) -> dict[str, Any]:  # fmt: skip
        below = none_below is not None and none_below > -1
        none = ("both" if or_else else "below") if below else "else" if or_else else "never"
        form = {
            "pictures": pictures, "labels": labels, "label_set": label_set, "templates": templates,
            "own_templates": "", "mode": "several" if multi else "one", "model": model or available_clips()[0],
            "none": none, "none_below": none_below,
            "top": max(1, int(top or 5)),
        }  # fmt: skip
        try:
            *_, last = classifying.classify(namer, form, threading.Event(), words=words)
            if last.tables is None:
                raise gr.Error(own.out_of_time, title=own.failed, print_exception=False)
        except PixgenError as error:
            raise gr.Error(
                sentence(error, words), title=own.failed, print_exception=False
            ) from error
        return json.loads(last.tables[1])

    with gr.Column(visible=False):
        inputs = [
            gr.File(label=own.pictures, file_types=["image", ".zip"], file_count="multiple"),
            gr.Textbox("", label=own.labels),
            gr.Textbox("", label=own.label_set),
            gr.Textbox("", label=own.templates),
            gr.Checkbox(False, label=own.several),
            gr.Checkbox(False, label=own.none),
            gr.Number(-1, label=own.none_below),
            gr.Number(5, label=own.top, precision=0),
            gr.Textbox(available_clips()[0], label=words.models.clip),
        ]
        gr.Button().click(
            classify, inputs, gr.JSON(label=own.answers), api_name="classify", api_description=own.api,
            concurrency_limit=8, show_progress="hidden",
        )  # fmt: skip

"""What goes from one tab to another: a painted picture to be classified, a label to be painted."""

from typing import Any

import gradio as gr

from pixgen.studio import Studio
from pixgen.ui.controls import Parts
from pixgen.ui.files import servable
from pixgen.ui.i18n import Translator
from pixgen.ui.painting import Visitor

_QUIET = {"api_visibility": "private", "show_progress": "hidden"}


def exchange(
    studio: Studio, say: Translator, *, tabs: gr.Tabs, create: Parts, classify: Parts, run: dict[str, Any]
) -> None:  # fmt: skip
    """Connect the tabs; ``run`` are the arguments of an event that classifies."""

    def classify_this(request: gr.Request, seat: Any) -> tuple:
        painted = Visitor.known(seat, request.username).run(studio)
        if painted is None or not painted.picture.is_file():
            raise gr.Error(
                say("The picture is not finished yet: wait for it, or stop it."),
                title=say("Not classified"),
                print_exception=False,
            )
        picture = servable(painted.picture, classify["pictures"], name=painted.picture.name)
        return gr.update(selected="classify"), [picture]

    def paint_this(pressed: gr.EventData) -> tuple:
        return gr.update(selected="create"), str(pressed.paint)

    create["classify_this"].click(
        classify_this, create["seat"], [tabs, classify["pictures"]], **_QUIET
    ).success(**run)
    classify["answers"].submit(paint_this, None, [tabs, create["prompt"]], **_QUIET)

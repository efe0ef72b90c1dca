"""Enlarging the picture on the page."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.studio import Studio
from pixgen.studio.upscaling import BUNDLED, save_upscaled, upscale_picture
from pixgen.ui.files import servable
from pixgen.ui.mishaps import sentence
from pixgen.ui.texts import Words
from pixgen.ui.visitors import Visitor

Parts = Mapping[str, gr.components.Component]


def upscale_parts(words: Words, *, public: bool) -> dict[str, gr.components.Component]:
    """The button, what it made, and, where there are learned ones, by what."""
    from pixgen.models.upscalers import available_upscalers

    learned = [] if public else available_upscalers()
    choices = [(words.pad.crisp, BUNDLED), *((name, name) for name in learned)]
    return {
        "enlarge_by": gr.Dropdown(
            choices, value=BUNDLED, label=words.pad.enlarged_by, container=False,
            visible=bool(learned), min_width=120, elem_id="pg-enlarge-by",
        ),
        "enlarge": gr.Button(words.pad.enlarge, size="sm", min_width=0, elem_id="pg-enlarge"),
        "large": gr.DownloadButton("", visible=False, size="sm", min_width=0, elem_id="pg-large"),
    }  # fmt: skip


def wire_upscaling(studio: Studio, words: Words, parts: Parts) -> None:
    """A press makes the visitor's last picture twice as large, and offers it."""

    def enlarge(request: gr.Request, seat: Any, method: Any) -> Any:
        run = Visitor.known(seat, request.username).run(studio)
        if run is None or not run.picture.is_file():
            raise gr.Error(words.classifying.not_there, title="", print_exception=False)
        chosen = method if isinstance(method, str) and not studio.policy.public else BUNDLED
        try:
            with studio.exclusive():
                larger, how = upscale_picture(run.picture, method=chosen, device=studio.device)
            with tempfile.TemporaryDirectory(prefix="pixgen-") as folder:
                path = Path(folder) / "large.png"
                save_upscaled(larger, path, source=run.picture, how=how)
                file = servable(path, parts["large"], name=f"{run.id}-2x.png")
        except PixgenError as error:
            raise gr.Error(
                sentence(error, words), title=words.pad.enlarge, print_exception=False
            ) from error
        label = words.pad.enlarged.format(width=larger.width, height=larger.height)
        return gr.update(value=file, label=label, visible=True)

    quiet = {"api_visibility": "private", "show_progress": "minimal"}
    parts["enlarge"].click(
        enlarge, [parts["seat"], parts["enlarge_by"]], parts["large"], concurrency_limit=2, **quiet
    )
    parts["generate"].click(
        lambda: gr.update(visible=False), None, parts["large"], queue=False, **quiet
    )

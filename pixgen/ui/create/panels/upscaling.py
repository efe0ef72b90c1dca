"""Enlarging the picture on the page."""

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from pixgen.images import picture_size
from pixgen.studio import Studio
from pixgen.studio.runs.run import FINAL_STATES
from pixgen.studio.upscaling import AUTO, CRISP, save_upscaled, upscale_picture
from pixgen.ui import canvas
from pixgen.ui.components import Parts, servable
from pixgen.ui.errors import error_toast
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

A_SCREEN = 1024  # pixels


def upscale_parts(say: Translator, *, public: bool) -> Parts:
    """The button, the enlarged picture, and a choice of upscalers if there are others than the bundled
    one."""
    from pixgen.models.upscalers import available_upscalers

    bundled, *others = available_upscalers()
    learned = [] if public else others
    choices = [
        (say("automatic"), AUTO),
        (say("learned (new edges)"), bundled),
        (say("crisp edges, nothing invented"), CRISP),
        *((name, name) for name in learned),
    ]
    return {
        "enlarge_by": gr.Dropdown(
            choices,
            value=AUTO,
            label=say("Upscaler"),
            container=False,
            visible=bool(learned),
            min_width=120,
            elem_id="pg-enlarge-by",
        ),
        "enlarge": gr.Button(say("Enlarge"), interactive=False, size="sm", min_width=0, elem_id="pg-enlarge"),
        "large": gr.DownloadButton("", visible=False, size="sm", min_width=0, elem_id="pg-large"),
    }


def wire_upscaling(studio: Studio, say: Translator, parts: Parts) -> None:
    """Connect the button: it enlarges the visitor's last picture, shows it and offers it for download."""

    def enlarge(request: gr.Request, session: Any, method: Any) -> Any:
        run = BrowserSession.from_request(session, request).run(studio)
        if run is None or not run.picture.is_file():
            raise gr.Error(
                say("The picture is not finished yet: wait for it, or stop it."),
                title="",
                print_exception=False,
            )
        offered = [value for _, value in parts["enlarge_by"].choices]
        chosen = method if method in offered else AUTO
        with error_toast(say, title=say("Enlarge")):
            with studio.exclusive():
                larger, how = upscale_picture(
                    run.picture, scale=_scale(run.picture), method=chosen, device=studio.device
                )
            with tempfile.TemporaryDirectory(prefix="pixgen-") as folder:
                path = Path(folder) / "large.png"
                save_upscaled(larger, path, source=run.picture, how=how)
                file = servable(path, parts["large"], name=f"{run.id}-{how.scale:g}x.png")
        label = say("Picture {width} × {height}", width=larger.width, height=larger.height)
        shown = canvas.picture_html(
            say,
            canvas.jpeg(np.asarray(larger)),
            kind="jpeg",
            alt=f"{run.recipe.title}, {label}",
            size=larger.size,
        )
        return {"run": run.id, "file": file, "label": label, "canvas": shown}

    def show(request: gr.Request, session: object, made: dict) -> Any:
        run = BrowserSession.from_request(session, request).run(studio)
        if run is None or run.id != made["run"]:
            return gr.skip(), gr.skip()  # another run has been started meanwhile
        large = gr.update(value=made["file"], label=made["label"], visible=True)
        return large, made["canvas"] if run.state in FINAL_STATES else gr.skip()

    quiet = {"api_visibility": "private", "show_progress": "minimal"}
    made = gr.State()
    parts["enlarge"].click(
        enlarge, [parts["session"], parts["enlarge_by"]], made, concurrency_limit=2, **quiet
    ).success(show, [parts["session"], made], [parts["large"], parts["canvas"]], **quiet)


def _scale(picture: Path) -> float:
    """Four times where the result fits on a screen, else twice."""
    return 4.0 if max(picture_size(picture)) * 4 <= A_SCREEN else 2.0

"""The picture as a wall of tiles, and its strokes or cells as SVG: two buttons among the effects."""

import base64
import io
from html import escape
from typing import Any

import gradio as gr
from PIL import Image

from pixgen.errors import StudioError
from pixgen.studio import Studio
from pixgen.studio.gallery.walls import wall_kind, wall_of_file
from pixgen.studio.runs.record import run_svg
from pixgen.studio.runs.run import Run
from pixgen.ui.components import QUIET, Parts, servable_bytes
from pixgen.ui.create.actions import file_name
from pixgen.ui.errors import guard_handler, show_warning
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

_LARGEST_PREVIEW = 768  # pixels a side


def shapes_parts(say: Translator) -> Parts:
    """The buttons and the preview; ``wire_shapes`` connects them."""
    with gr.Row(elem_classes="pg-pad-open"):
        parts: Parts = {
            "lay_wall": gr.Button(say("Show 3 × 3 tiles"), size="sm", min_width=120, elem_id="pg-lay-wall"),
            "make_svg": gr.Button(say("Save as SVG"), size="sm", min_width=120, elem_id="pg-make-svg"),
            "svg": gr.DownloadButton(say("Download SVG"), size="sm", min_width=120, visible=False),
        }
    parts["laid_wall"] = gr.HTML("", elem_id="pg-laid-wall")
    return parts


def wire_shapes(studio: Studio, say: Translator, parts: Parts) -> None:
    """Connect the buttons: both buttons are about the session's run."""

    @guard_handler(say, show_warning(gr.skip()))
    def lay(request: gr.Request, kept: object) -> str:
        return wall_html(_run(studio, request, kept), say)

    @guard_handler(say, show_warning(gr.skip()))
    def save(request: gr.Request, kept: object) -> Any:
        run = _run(studio, request, kept)
        copy = servable_bytes(run_svg(run).encode(), parts["svg"], name=f"{file_name(run.recipe)}.svg")
        return gr.update(value=copy, visible=True)

    parts["lay_wall"].click(lay, parts["session"], parts["laid_wall"], **QUIET)
    parts["make_svg"].click(save, parts["session"], parts["svg"], **QUIET)


def _run(studio: Studio, request: gr.Request, kept: object) -> Run:
    run = BrowserSession.from_request(kept, request).run(studio)
    if run is None or not run.picture.is_file():
        raise StudioError("There is no picture yet: paint something first.")
    return run


def wall_html(run: Run, say: Translator) -> str:
    """The picture of a run as a wall of 3 by 3 tiles."""
    wall = wall_of_file(run.picture, kind=run.recipe.wall.kind or wall_kind(run.picture))
    wall.thumbnail((_LARGEST_PREVIEW,) * 2, Image.Resampling.LANCZOS)
    data = io.BytesIO()
    wall.save(data, "JPEG", quality=88)
    source = f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
    alt = escape(say("Wall of 3 × 3 tiles: {prompt}", prompt=run.recipe.title[:200]))
    return f'<img class="pg-wall-preview" src="{source}" alt="{alt}">'

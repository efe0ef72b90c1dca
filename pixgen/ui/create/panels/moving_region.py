"""A region that moves: an uploaded video, white where a prompt applies, with its first frame as a preview."""

import base64
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.events import Dependency

from pixgen.errors import PixgenError
from pixgen.images import LARGEST_UPLOAD
from pixgen.recipe.prompts import VIDEO_SUFFIXES, is_video_path
from pixgen.studio import Studio
from pixgen.studio.video.source import Opening, read_opening
from pixgen.ui import canvas, html
from pixgen.ui.components import QUIET, Parts, fold
from pixgen.ui.create.form import REGION_NUMBERS
from pixgen.ui.create.form_recipe import BaseRecipe
from pixgen.ui.errors import error_text
from pixgen.ui.i18n import Translator

LONGEST = 20.0  # minutes of a video that is uploaded as a region
_PREVIEW = 240  # pixels a side
_ERROR = "data-upload-error"


def moving_region_controls(say: Translator) -> Parts:
    """The folded group of controls; ``wire_moving_region`` connects them."""
    parts: Parts = {}
    with fold(say("Moving region"), elem_id="pg-moving-region"):
        gr.HTML(
            html.note(
                say(
                    "A video says where a prompt applies: where it is white, frame by frame. It takes the place of what is brushed for this prompt."
                )
            )
        )
        parts["region_video"] = gr.File(
            label=say("Video of the region"),
            file_types=list(VIDEO_SUFFIXES),
            height=120,
            elem_id="pg-region-video",
        )
        parts["region_note"] = gr.HTML("", elem_id="pg-region-note", padding=False)
        too_large = say(
            "“{name}” is too large: at most {limit} MB.", name="{name}", limit=LARGEST_UPLOAD // 2**20
        )
        gr.HTML(
            f'<p hidden class="pg-upload-error" role="alert" data-largest="{LARGEST_UPLOAD}" data-said="{escape(too_large)}"></p>',
            padding=False,
        )
        parts["region_prompt"] = gr.Dropdown(
            [(say("Prompt {number}", number=number), number) for number in REGION_NUMBERS],
            value=REGION_NUMBERS[0],
            label=say("For which prompt"),
            info=say("Prompts are counted from the left, as | separates them."),
        )
    return parts


def wire_moving_region(studio: Studio, say: Translator, parts: Parts, *, restored: Dependency) -> None:
    """Check a video when it is added, not when it is painted; and show its first frame.

    Args:
        restored: the event after which a video of before a reload is in its field.
    """

    def look(path: Any, number: Any, basis: Any, note: Any) -> tuple[Any, Any]:
        if path:
            try:
                return gr.skip(), opening_html(_open(Path(path)), Path(path).name, number, say)
            except PixgenError as error:
                return None, error_html(error_text(error, say))
        if _ERROR in str(note):  # of a video that was removed because of it
            return gr.skip(), gr.skip()
        return gr.skip(), kept_html(studio, BaseRecipe.read(basis), say)

    event = {
        "fn": look,
        "inputs": [parts[name] for name in ("region_video", "region_prompt", "basis", "region_note")],
        "outputs": [parts["region_video"], parts["region_note"]],
        "concurrency_limit": None,
        **QUIET,
    }
    restored.then(**event)
    gr.on([parts[name].change for name in ("region_video", "region_prompt", "basis")], **event)


def _open(path: Path) -> Opening:
    """The opening of a video that may be a region. Raises VideoError."""
    return read_opening(path, longest=60 * LONGEST)


def opening_html(opening: Opening, name: str, number: object, say: Translator) -> str:
    """The first frame of a video, and how large and long it is."""
    said = say(
        "First frame of {name}: {width} × {height}, {seconds:.3g} s, for prompt {number}",
        name=name[:60],
        width=opening.width,
        height=opening.height,
        seconds=opening.seconds,
        number=number,
    )
    frame = opening.frame.copy()
    frame.thumbnail((_PREVIEW,) * 2)
    source = f"data:image/jpeg;base64,{base64.b64encode(canvas.jpeg(np.asarray(frame))).decode()}"
    return f'<figure class="pg-opening"><img src="{source}" alt=""><figcaption>{escape(said)}</figcaption></figure>'


def error_html(message: str) -> str:
    """Why a video cannot be used, beside its field."""
    return f'<p class="pg-upload-error" role="alert" {_ERROR}>{escape(message)}</p>'


def kept_html(studio: Studio, basis: BaseRecipe | None, say: Translator) -> str:
    """The first frames of the moving regions that come with reused settings; empty if there are none."""
    if basis is None:
        return ""
    shown = {}
    for scene in basis.recipe.prompts:
        for number, prompt in enumerate(scene, start=1):
            if not is_video_path(prompt.mask) or prompt.mask in shown:
                continue
            try:
                shown[prompt.mask] = opening_html(
                    _open(studio.find_picture(prompt.mask)), basis.name, number, say
                )
            except PixgenError:  # on a public page, or the run is gone: painting says so
                said = say("Prompt {number} of {name} has a moving region.", number=number, name=basis.name)
                shown[prompt.mask] = html.note(said)
    return "".join(shown.values())

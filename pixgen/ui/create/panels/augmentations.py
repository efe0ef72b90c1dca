"""Augmentations on the page: the searchable list of kornia's, its preview, and the cutouts that CLIP sees."""

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from pixgen.images import open_picture
from pixgen.paths import ASSETS
from pixgen.recipe.kornia_classes import (
    apply_always,
    build_example,
    kornia_names,
    parse_augmentation,
    suggest_arguments,
)
from pixgen.studio import Studio
from pixgen.ui import html
from pixgen.ui.canvas import jpeg
from pixgen.ui.components import QUIET, Parts, fold
from pixgen.ui.create import queue as queue_view
from pixgen.ui.create.form_recipe import MOST_AUGMENTATIONS, chosen_augmentations
from pixgen.ui.errors import guard_handler, show_warning
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

if TYPE_CHECKING:
    from pixgen.studio import Job


_SIDE = 112  # pixels of a preview
_SECONDS = 1.0  # between two updates of the cutouts
_IS_OPEN = "document.getElementById('pg-see').hasAttribute('data-open')"


def augment_controls(say: Translator) -> Parts:
    """The folded list of augmentations, and its preview."""
    with fold(say("Augmentations"), elem_id="pg-augment"):
        chosen = gr.Dropdown(
            [(name, suggest_arguments(name)) for name in kornia_names()],
            value=[],
            multiselect=True,
            allow_custom_value=True,
            filterable=True,
            max_choices=MOST_AUGMENTATIONS,
            label=say("More augmentations"),
            info=say(
                "Any kornia augmentation, with its arguments: RandomThinPlateSpline:p=0.5,scale=0.2. Type to search."
            ),
        )
        preview = gr.Button(say("Preview"), size="sm", min_width=0, elem_id="pg-augment-preview")
        shown = gr.HTML(
            f"<p>{escape(say('Shows each augmentation on the current picture; all of them if none is chosen.'))}</p>",
            elem_id="pg-augmented",
            padding=False,
        )
    return {"augment": chosen, "augment_preview": preview, "augment_shown": shown}


def cutouts_fold(say: Translator) -> Parts:
    """The folded view of the cutouts of the current step; they are shown while it is open."""
    with fold(say("See what CLIP sees"), elem_id="pg-see", toggled="pg-see-toggled"):
        gr.HTML(html.note(say("The cutouts of the current step, while a picture is painted.")), padding=False)
        shown = gr.HTML("", elem_id="pg-cutouts", padding=False)
    return {
        "see": gr.Checkbox(False, visible="hidden", label=say("See what CLIP sees")),
        "see_toggled": gr.Button(visible="hidden", elem_id="pg-see-toggled"),
        "seen": shown,
        "see_timer": gr.Timer(_SECONDS, active=False),
    }


def wire_augmentations(
    studio: Studio,
    say: Translator,
    parts: Parts,
    *,
    known: Callable[[gr.Request, Any], BrowserSession],
) -> None:
    """Connect the preview and the view of cutouts; ``known`` finds the browser's session."""

    @guard_handler(say, show_warning())
    def preview(request: gr.Request, session: object, chosen: object) -> Any:
        return preview_html(studio, known(request, session), chosen_augmentations(chosen))

    def look(request: gr.Request, session: object) -> str:
        visitor = known(request, session)
        return cutouts_html(queue_view.current_job(studio.queue(), visitor) or visitor.job(studio), say)

    parts["augment_preview"].click(
        preview, [parts["session"], parts["augment"]], parts["augment_shown"], **QUIET
    )
    parts["see_toggled"].click(
        lambda is_open: (gr.Timer(active=bool(is_open)), ""),
        parts["see"],
        [parts["see_timer"], parts["seen"]],
        js=f"() => {_IS_OPEN}",
        queue=False,
        **QUIET,
    )
    looked = parts["see_timer"].tick(look, parts["session"], parts["seen"], queue=False, **QUIET)
    # An answer may arrive after the fold has been closed.
    looked.then(
        None, parts["seen"], parts["seen"], js=f"(shown) => {_IS_OPEN} ? shown : ''", queue=False, **QUIET
    )


def preview_html(studio: Studio, visitor: BrowserSession, chosen: Sequence[str]) -> str:
    """The visitor's last picture, or an example, under each chosen augmentation; under all of them if none is
    chosen. Raises PixgenError."""
    from pixgen.synthesis.cutouts.sheets import preview_augmentations
    from pixgen.synthesis.tensors import to_pixels, to_tensor

    run = visitor.run(studio)
    file = run.picture if run is not None and run.picture.is_file() else ASSETS / "examples/fox.png"
    members = [apply_always(parse_augmentation(text)) for text in chosen]
    members = members or [build_example(name) for name in kornia_names()]
    pictures = preview_augmentations(to_tensor(open_picture(file)), members, size=_SIDE, seed=0)
    figures = "".join(
        f'<figure><img src="{_source(to_pixels(picture))}" alt="{escape(each.text)}" width="{_SIDE}" '
        f'height="{_SIDE}"><figcaption>{escape(each.name)}</figcaption></figure>'
        for each, picture in zip(members, pictures, strict=True)
    )
    return f'<div class="pg-augmented">{figures}</div>'


def cutouts_html(job: "Job | None", say: Translator) -> str:
    """The cutouts of a job's current step; from now on, the job keeps them for a while."""
    if job is None or job.ended:
        return f"<p>{escape(say('Nothing is being painted at the moment.'))}</p>"
    job.request_cutouts()
    step, sheet = job.cutouts()
    if sheet is None:
        return f"<p>{escape(say('The cutouts appear with the next step.'))}</p>"
    alt = say("Cutouts of step {step}", step=step)
    return f'<img class="pg-cutouts" src="{_source(sheet)}" alt="{escape(alt)}" title="{escape(alt)}">'


def _source(picture: np.ndarray) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(picture)).decode()}"

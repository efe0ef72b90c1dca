"""Augmentations on the page: the searchable list of kornia's, its preview, and what CLIP sees live."""

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from pixgen.images import open_picture
from pixgen.kornia_classes import always, example, kornia_names, parse_augmentation, suggestion
from pixgen.paths import ASSETS
from pixgen.studio import Studio
from pixgen.ui import queueing
from pixgen.ui.canvas import jpeg
from pixgen.ui.fields import Field, Parts
from pixgen.ui.mishaps import sentence
from pixgen.ui.texts import Words
from pixgen.ui.visitors import Visitor

if TYPE_CHECKING:
    from pixgen.studio import Job

MOST = 8  # augmentations that the page adds to a set
_LONGEST = 300  # characters of one
_SIDE = 112  # pixels of a preview
_SECONDS = 1.0  # between two looks at the cutouts
_QUIET = {"api_visibility": "private", "show_progress": "hidden"}


def augment_fields() -> dict[str, Field]:
    """What a browser keeps of the list."""
    return {"augment": Field([], longest=_LONGEST)}


def chosen_augmentations(value: Any) -> tuple[str, ...]:
    """What the list has, as it is typed on the command line; anything else is left out."""
    texts = value if isinstance(value, (list, tuple)) else ()
    return tuple(text for text in texts if isinstance(text, str) and 0 < len(text) <= _LONGEST)[
        :MOST
    ]


def augment_controls(words: Words) -> Parts:
    """The folded list, and its preview."""
    own = words.augmenting
    with gr.Accordion(own.title, open=False, elem_classes="pg-more", elem_id="pg-augment"):
        chosen = gr.Dropdown(
            [(name, suggestion(name)) for name in kornia_names()], value=[], multiselect=True,
            allow_custom_value=True, filterable=True, max_choices=MOST, label=own.choose,
            info=own.choose_help,
        )  # fmt: skip
        preview = gr.Button(own.preview, size="sm", min_width=0, elem_id="pg-augment-preview")
        shown = gr.HTML(f"<p>{escape(own.preview_help)}</p>", elem_id="pg-augmented", padding=False)
    return {"augment": chosen, "augment_preview": preview, "augment_shown": shown}


def cutouts_fold(words: Words) -> Parts:
    """The folded view of the cutouts of the current step."""
    own = words.augmenting
    with gr.Accordion(own.see, open=False, elem_classes="pg-more", elem_id="pg-see"):
        see = gr.Checkbox(False, label=own.see, info=own.see_help, elem_id="pg-see-cutouts")
        shown = gr.HTML("", elem_id="pg-cutouts", padding=False)
    return {"see": see, "seen": shown, "see_timer": gr.Timer(_SECONDS, active=False)}


def wire_augmenting(
    studio: Studio, words: Words, parts: Parts, *, known: Callable[[gr.Request, Any], Visitor]
) -> None:
    """Connect the preview and the view; ``known`` says who asks."""

    def preview(request: gr.Request, seat: Any, chosen: Any) -> Any:
        try:
            return preview_html(studio, known(request, seat), chosen_augmentations(chosen))
        except Exception as error:
            gr.Warning(sentence(error, words), duration=8)
            return gr.skip()

    def look(request: gr.Request, seat: Any) -> str:
        visitor = known(request, seat)
        return cutouts_html(queueing.shown(studio, visitor) or visitor.job(studio), words)

    parts["augment_preview"].click(
        preview, [parts["seat"], parts["augment"]], parts["augment_shown"], **_QUIET
    )
    parts["see"].change(
        lambda on: (gr.Timer(active=bool(on)), ""), parts["see"],
        [parts["see_timer"], parts["seen"]], queue=False, **_QUIET,
    )  # fmt: skip
    parts["see_timer"].tick(look, parts["seat"], parts["seen"], queue=False, **_QUIET)


def preview_html(studio: Studio, visitor: Visitor, chosen: Sequence[str]) -> str:
    """What each augmentation makes of the visitor's last picture, or else of an example; all that there
    are, if none is chosen. Raises PixgenError."""
    from pixgen.synthesis.cutout_sheets import augmented
    from pixgen.synthesis.frames import as_pixels
    from pixgen.synthesis.starts import as_tensor

    run = visitor.run(studio)
    file = run.picture if run is not None and run.picture.is_file() else ASSETS / "examples/fox.png"
    members = [always(parse_augmentation(text)) for text in chosen]
    members = members or [example(name) for name in kornia_names()]
    pictures = augmented(as_tensor(open_picture(file)), members, size=_SIDE, seed=0)
    figures = "".join(
        f'<figure><img src="{_source(as_pixels(picture))}" alt="{escape(each.text)}" width="{_SIDE}" '
        f'height="{_SIDE}"><figcaption>{escape(each.name)}</figcaption></figure>'
        for each, picture in zip(members, pictures, strict=True)
    )
    return f'<div class="pg-augmented">{figures}</div>'


def cutouts_html(job: "Job | None", words: Words) -> str:
    """The cutouts of a job's current step; from now on, the job keeps them for a while."""
    own = words.augmenting
    if job is None or job.ended:
        return f"<p>{escape(own.nothing)}</p>"
    job.want_cutouts()
    step, sheet = job.cutouts()
    if sheet is None:
        return f"<p>{escape(own.soon)}</p>"
    alt = own.cutouts_alt.format(step=step)
    return (
        f'<img class="pg-cutouts" src="{_source(sheet)}" alt="{escape(alt)}" title="{escape(alt)}">'
    )


def _source(picture: np.ndarray) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(picture)).decode()}"

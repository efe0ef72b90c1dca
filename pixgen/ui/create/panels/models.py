"""The models to choose from as a list: a sample, the purpose, the speed, the memory, and whether each is here.

A click on one chooses it; one that is not here is downloaded when it first paints.
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from pixgen.models.catalog import Entry, Kind, find_entry
from pixgen.models.registry import state_of
from pixgen.ui import canvas
from pixgen.ui.components import QUIET, Parts
from pixgen.ui.i18n import Translator

KINDS: dict[str, Kind] = {"model": "vqgan", "clip": "clip", "sketcher": "sketcher"}  # by the form's fields
_SAMPLE = "a red fox on a snowy hill"  # of the wall: the bundled models painted it
_CHOOSE = """(model, clip, sketcher) => {
  const [field, name] = document.getElementById('pg-choose-model').dataset.sent.split(' ');
  const values = { model, clip, sketcher };
  values[field] = field === 'clip' ? [name] : name;
  return [values.model, values.clip, values.sketcher];
}"""


def models_html(say: Translator, field: str, names: Sequence[str]) -> str:
    """The models of a field of the form as a list of buttons."""
    entries = [entry for name in names if (entry := find_entry(name, KINDS[field])) is not None]
    items = "".join(_item(say, field, entry) for entry in entries)
    return f'<ul class="pg-models">{items}</ul>'


def wire_models(parts: Parts, *, keep: dict[str, object]) -> None:
    """Let a click on a model choose it; ``keep`` saves the form in the browser."""
    chosen = [parts[name] for name in KINDS]
    parts["choose_model"].click(None, chosen, chosen, js=_CHOOSE, **QUIET).then(**keep)


def choose_button() -> Parts:
    """The hidden button that page.js presses when a model is clicked."""
    return {"choose_model": gr.Button(visible="hidden", elem_id="pg-choose-model")}


def _item(say: Translator, field: str, entry: Entry) -> str:
    state = state_of(entry)
    facts = [
        *([say("fast on a CPU")] if entry.bundled else []),
        *(
            [say("{gflops:,.0f} GFLOPs a cutout", gflops=entry.gflops)]
            if not entry.bundled and entry.gflops
            else []
        ),
        *([] if entry.bundled or entry.gflops else [say("made for a GPU")]),
        *([say("{megabytes:,} MB of memory", megabytes=entry.megabytes)] if entry.megabytes else []),
    ]
    here = {"bundled": say("included"), "to fetch": say("downloaded when first used")}.get(
        state, say("installed")
    )
    return (
        f'<li><button type="button" data-model="{field} {escape(entry.name)}" data-state="{state.replace(" ", "-")}">'
        f"<i>{_sample(entry)}</i><span><strong>{escape(entry.name)}</strong><em>{escape(say(entry.paints))}</em>"
        f"<small>{escape(' · '.join([*facts, here]))}</small></span></button></li>"
    )


def _sample(entry: Entry) -> str:
    """A picture that a bundled model has painted; the initial of another, of which no sample is here."""
    if not entry.bundled:
        return escape(entry.name[:1].upper())
    pictures = dict(canvas.wall())
    source = pictures.get(_SAMPLE) or next(iter(pictures.values()), "")
    return f'<img src="{source}" alt="">' if source else escape(entry.name[:1].upper())

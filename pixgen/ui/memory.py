"""The line below the size: how much memory the picture takes, and whether that is there."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.studio import Studio
from pixgen.studio.room import Outlook, in_words, outlook
from pixgen.ui.asking import answered, when_paused
from pixgen.ui.create_form import CreateForm
from pixgen.ui.form import to_recipe
from pixgen.ui.i18n import Translator

ASKED = ("preset", "size", "drawer", "cutouts", "cutout_set", "start")  # what decides it
_ASK = "pg-ask-memory"

Look = Callable[[Any, str], Outlook | None]


def memory_line(say: Translator, found: Outlook | None) -> str:
    """The line as HTML; empty where nothing can be known."""
    if found is None or found.verdict == "unknown":
        return ""
    said = {
        "fits": say("fits"),
        "tight": say("tight"),
        "too much": say("will not fit: less is done at once, or choose a smaller size"),
    }[found.verdict]
    needs = say("Takes about {size} of memory", size=in_words(found.needed))
    return (
        f'<p class="pg-memory" data-verdict="{found.verdict.replace(" ", "-")}">'
        f"<span>{escape(needs)}</span> · <b>{escape(said)}</b></p>"
    )


def foretold(
    form: CreateForm, device: Callable[[], str], say: Translator, *, look: Look = outlook
) -> str:
    """The line for a filled-in form; empty while the form makes no recipe."""
    # Pictures that it starts from matter little, and may not be there yet.
    start = "codes" if form.start in ("picture", "idea") else form.start
    asked = replace(form, prompt="-", seed="0", start=start)
    try:
        return memory_line(say, look(to_recipe(asked), device()))
    except PixgenError:  # told when it is painted
        return ""


def wire_memory(
    studio: Studio, say: Translator, page: gr.Blocks, parts: Mapping[str, gr.components.Component]
) -> None:
    """Keep the line ``parts["memory"]`` true."""

    def told(*values: Any) -> str:
        form = CreateForm.read(dict(zip(ASKED, values, strict=True)))
        return foretold(form, lambda: studio.device, say)

    inputs = [parts[name] for name in ASKED]
    ask = when_paused([page.load, *(part.change for part in inputs)], _ASK)
    answer = ask.click(
        told, inputs, parts["memory"], trigger_mode="multiple", concurrency_limit=1,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    answered(answer, _ASK)

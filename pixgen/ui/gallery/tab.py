"""The Gallery tab's components: the list of runs with its filters, and one opened run."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from pixgen.studio.runs.retention import RetentionLimits
from pixgen.ui import html
from pixgen.ui.components import Parts, fold
from pixgen.ui.i18n import Translator

# What is clicked in the tab's own HTML, as gradio's events.
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-run], [data-star], [data-page], [data-undo]');
    if (!pressed) return;
    const { run, star, page, undo } = pressed.dataset;
    if (run !== undefined) trigger('select', { run });
    else if (star !== undefined) {
        pressed.ariaPressed = pressed.ariaPressed !== 'true';
        trigger('like', { run: star, on: pressed.ariaPressed === 'true' });
    } else if (page !== undefined) trigger('submit', { page: Number(page) });
    else trigger('undo', { run: undo });
});"""

_DAY = '<label><span>${label}</span><input type="date" value="${value}"></label>'
_CHOSEN = """element.addEventListener('change', (event) => {
    props.value = event.target.value;
    trigger('input');
});"""


def gallery_tab(say: Translator, keep: RetentionLimits = RetentionLimits()) -> Parts:  # noqa: B008 - it is frozen
    """Build the tab inside a ``gr.Blocks``; its parts, by name. events.py connects them.

    Args:
        keep: how long runs are kept, shown as a note.
    """
    gr.HTML("", elem_id="pg-gallery-top")
    with gr.Column(elem_classes="pg-gallery") as shelf_column:
        parts = _form(say)
        if said := _kept(say, keep):
            gr.HTML(html.note(said))
        with gr.Row(elem_id="pg-shelf-said", elem_classes="pg-shelf-said"):
            parts["said"] = gr.HTML("", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-said")
            parts["empty"] = gr.Button(
                say("Empty trash"), visible=False, size="sm", min_width=0, elem_id="pg-empty-bin"
            )
        parts["grid"] = gr.HTML("", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-grid")
    with gr.Column(visible=False, elem_classes="pg-gallery") as opened_column:
        parts |= _opened(say)
    parts |= {"shelf_column": shelf_column, "opened_column": opened_column}
    parts["page"], parts["run"] = gr.State(0), gr.State("")
    parts["sure"] = gr.Checkbox(
        False, visible="hidden", label=say("Delete everything in the trash permanently?")
    )
    return parts


def _form(say: Translator) -> Parts:

    def choice(kind: Callable[..., Any], name: str, label: str, rows: tuple[tuple[str, str], ...]) -> Any:
        return kind(
            [(title, value) for value, title in rows],
            value=rows[0][0],
            label=label,
            min_width=120,
            elem_id=f"pg-gallery-{name}",
        )

    with gr.Row(elem_classes="pg-gallery-form"):
        parts: Parts = {
            "query": gr.Textbox(
                label=say("Search your pictures"),
                placeholder=say("prompt or tag"),
                max_lines=1,
                scale=3,
                min_width=220,
                elem_id="pg-gallery-query",
            ),
            "place": choice(
                gr.Dropdown,
                "place",
                say("Search in"),
                (("words", say("prompts and tags")), ("looks", say("picture content"))),
            ),
            "view": choice(
                gr.Dropdown,
                "view",
                say("Show"),
                (("all", say("All")), ("favourites", say("Favourites")), ("bin", say("Trash"))),
            ),
            "sort": choice(
                gr.Dropdown,
                "sort",
                say("Sort by"),
                (
                    ("newest", say("newest first")),
                    ("oldest", say("oldest first")),
                    ("similarity", say("closest to the prompt")),
                    ("longest", say("longest painting time")),
                    ("prompt", say("by prompt")),
                ),
            ),
        }
    with (
        fold(say("Filters"), classes="pg-quiet-fold pg-gallery-filters"),
        gr.Row(elem_classes="pg-gallery-form"),
    ):
        parts |= {
            "state": choice(
                gr.Dropdown,
                "state",
                say("State"),
                (
                    ("", say("any")),
                    ("painting", say("painting")),
                    ("done", say("done")),
                    ("stopped", say("stopped")),
                    ("failed", say("failed")),
                ),
            ),
            "preset": choice(gr.Dropdown, "preset", say("Preset"), (("", say("any")),)),
            "tag": choice(gr.Dropdown, "tag", say("Tag"), (("", say("any")),)),
            "since": _day("since", say("From")),
            "until": _day("until", say("Until")),
        }
    return parts


def _day(name: str, label: str) -> gr.HTML:
    """A date field with the browser's own calendar, in the visitor's language."""
    return gr.HTML(
        "",
        label=label,
        html_template=_DAY,
        js_on_load=_CHOSEN,
        apply_default_css=False,
        elem_id=f"pg-gallery-{name}",
        elem_classes="pg-day",
    )


def _kept(say: Translator, keep: RetentionLimits) -> str:
    if keep.days is None:
        return (
            ""
            if keep.runs is None
            else say("Your newest {runs} pictures are kept here; favourites stay.", runs=keep.runs)
        )
    if keep.runs is None:
        return say("Pictures are kept here for {days:g} days; favourites stay.", days=keep.days)
    return say(
        "Your newest {runs} pictures are kept here, for {days:g} days; favourites stay.",
        runs=keep.runs,
        days=keep.days,
    )


def _opened(say: Translator) -> Parts:
    parts: Parts = {"back": gr.Button(say("All pictures"), size="sm", min_width=0, elem_id="pg-back")}
    with gr.Row(elem_classes="pg-opened"):
        with gr.Column(elem_classes="pg-opened-picture"):
            parts["picture"] = gr.HTML("", apply_default_css=False, elem_id="pg-opened-picture")
            with gr.Row(elem_classes="pg-actions"):
                for name, label in (
                    ("use", say("Reuse settings")),
                    ("go_on", say("Continue")),
                    ("favourite", say.pgettext("button", "Add to favourites")),
                    ("copy_link", say("Copy link")),
                    ("delete", say("Delete")),
                    ("restore", say("Restore")),
                ):
                    parts[name] = gr.Button(
                        label,
                        size="sm",
                        min_width=0,
                        elem_id=f"pg-run-{name}".replace("_", "-"),
                    )
            with gr.Row(elem_classes="pg-actions pg-send", elem_id="pg-run-send"):
                gr.HTML(html.note(say("Send to")), padding=False)
                for name, label in (
                    ("use_start", say("Start from this picture")),
                    ("use_prompt", say("Use as picture prompt")),
                    ("classify_it", say("Classify")),
                    ("search_it", say("Search")),
                ):
                    parts[name] = gr.Button(
                        label, size="sm", min_width=0, elem_id=f"pg-run-{name}".replace("_", "-")
                    )
            with gr.Row(elem_classes="pg-actions"):
                for name, label in (
                    ("download", say("Picture")),
                    ("film", say("Video")),
                    ("recipe", say("Recipe")),
                ):
                    parts[name] = gr.DownloadButton(label, size="sm", min_width=0, elem_id=f"pg-run-{name}")
        with gr.Column(elem_classes="pg-opened-facts"):
            parts["facts"] = gr.HTML("", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-facts")
            parts["tags"] = gr.Textbox(
                label=say("Tags"),
                placeholder=say("sea, for the kitchen"),
                max_lines=1,
                elem_id="pg-run-tags",
            )
    return parts

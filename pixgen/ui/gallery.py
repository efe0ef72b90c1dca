"""The Gallery tab's parts: every picture that was painted, and one of them opened."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from pixgen.studio.limits import Keep
from pixgen.ui import html
from pixgen.ui.controls import Parts
from pixgen.ui.texts import Words

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


def gallery_tab(words: Words, keep: Keep = Keep()) -> Parts:  # noqa: B008 - it is frozen
    """Build the tab inside a ``gr.Blocks``; its parts, by name. gallery_events.py makes it work.

    Args:
        keep: until when runs are kept, which is told.
    """
    own = words.gallery
    gr.HTML("", elem_id="pg-gallery-top")
    with gr.Column(elem_classes="pg-gallery") as shelf_column:
        parts = _form(words)
        if said := _kept(words, keep):
            gr.HTML(html.note(said))
        with gr.Row(elem_id="pg-shelf-said", elem_classes="pg-shelf-said"):
            parts["said"] = gr.HTML(
                "", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-said"
            )
            parts["empty"] = gr.Button(
                own.empty, visible=False, size="sm", min_width=0, elem_id="pg-empty-bin"
            )
        parts["grid"] = gr.HTML("", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-grid")
    with gr.Column(visible=False, elem_classes="pg-gallery") as opened_column:
        parts |= _opened(words)
    parts |= {"shelf_column": shelf_column, "opened_column": opened_column}
    parts["page"], parts["run"] = gr.State(0), gr.State("")
    parts["sure"] = gr.Checkbox(False, visible="hidden", label=own.empty_sure)
    return parts


def _form(words: Words) -> Parts:
    own = words.gallery

    def choice(kind: Callable[..., Any], name: str, rows: tuple[tuple[str, str], ...]) -> Any:
        return kind(
            [(label, value) for value, label in rows], value=rows[0][0], label=getattr(own, name),
            min_width=120, elem_id=f"pg-gallery-{name}",
        )  # fmt: skip

    with gr.Row(elem_classes="pg-gallery-form"):
        parts: Parts = {
            "query": gr.Textbox(
                label=own.query, placeholder=own.query_placeholder, max_lines=1, scale=3, min_width=220,
                elem_id="pg-gallery-query",
            ),
            "place": choice(gr.Dropdown, "place", own.places),
            "view": choice(gr.Dropdown, "view", own.views),
            "sort": choice(gr.Dropdown, "sort", own.sorts),
            "state": choice(gr.Dropdown, "state", own.states),
            "preset": choice(gr.Dropdown, "preset", (("", own.every),)),
            "tag": choice(gr.Dropdown, "tag", (("", own.every),)),
            **{name: _day(name, getattr(own, name)) for name in ("since", "until")},
        }  # fmt: skip
    return parts


def _day(name: str, label: str) -> gr.HTML:
    """A day, by the browser's own calendar: it fits a phone, and speaks the language of who looks."""
    return gr.HTML(
        "", label=label, html_template=_DAY, js_on_load=_CHOSEN, apply_default_css=False,
        elem_id=f"pg-gallery-{name}", elem_classes="pg-day",
    )  # fmt: skip


def _kept(words: Words, keep: Keep) -> str:
    own = words.gallery
    if keep.days is None:
        return "" if keep.runs is None else own.kept_runs.format(runs=keep.runs)
    if keep.runs is None:
        return own.kept_days.format(days=keep.days)
    return own.kept.format(runs=keep.runs, days=keep.days)


def _opened(words: Words) -> Parts:
    own = words.gallery
    parts: Parts = {"back": gr.Button(own.back, size="sm", min_width=0, elem_id="pg-back")}
    with gr.Row(elem_classes="pg-opened"):
        with gr.Column(elem_classes="pg-opened-picture"):
            parts["picture"] = gr.HTML("", apply_default_css=False, elem_id="pg-opened-picture")
            with gr.Row(elem_classes="pg-actions"):
                for name, label in (
                    ("use", words.info.use),
                    ("go_on", words.go_on),
                    *((name, getattr(own, name)) for name in ("favourite", "delete", "restore")),
                ):
                    parts[name] = gr.Button(
                        label, size="sm", min_width=0, elem_id=f"pg-run-{name}".replace("_", "-"),
                    )  # fmt: skip
                for name, label in (
                    ("download", words.download_picture), ("film", words.download_film), ("recipe", words.recipe),
                ):  # fmt: skip
                    parts[name] = gr.DownloadButton(
                        label, size="sm", min_width=0, elem_id=f"pg-run-{name}"
                    )
        with gr.Column(elem_classes="pg-opened-facts"):
            parts["facts"] = gr.HTML(
                "", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-facts"
            )
            parts["tags"] = gr.Textbox(
                label=own.tags, placeholder=own.tags_placeholder, max_lines=1, elem_id="pg-run-tags"
            )
    return parts

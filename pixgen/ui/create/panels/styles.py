"""The styles below the prompt: chosen by their thumbnails; custom styles are saved in the browser.

Two hidden texts hold the chosen and the custom styles as JSON. Custom styles never stay on the server.
"""

import base64
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import RecipeError
from pixgen.recipe.styles import (
    LONGEST_TEMPLATE,
    LONGEST_TITLE,
    MOST,
    Style,
    available_styles,
    make_style,
    read_styles,
)
from pixgen.text_files import decode, parse_json
from pixgen.ui.components import QUIET, Parts, fold, servable_bytes
from pixgen.ui.create.form import LONGEST_STYLES
from pixgen.ui.errors import guard_handler, show_warning
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import event_value

_OWN = "="  # before the title of a custom style; no bundled style's name begins with it
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-style], [data-forget]');
    if (!pressed) return;
    const { style, forget } = pressed.dataset;
    if (forget !== undefined) trigger('clear', { forget });
    else trigger('select', { style });
});"""


def styles_strip(say: Translator) -> Parts:
    """The strip of thumbnails, and the folded form for a custom style."""
    parts: Parts = {
        "styles": gr.Textbox("", visible="hidden", label=say("Style")),
        "own_styles": gr.Textbox("", visible="hidden", label=say("Custom style")),
        "styles_show": gr.Button(visible="hidden", elem_id="pg-show-styles"),  # pressed by form.js
        "style_strip": gr.HTML(
            strip(say, "", ""), js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-styles"
        ),
    }
    with fold(say("Custom style"), classes="pg-own-style"):
        parts["style_title"] = gr.Textbox(
            label=say("Name"),
            placeholder=say("Oil"),
            max_lines=1,
            max_length=LONGEST_TITLE,
        )
        parts["style_template"] = gr.Textbox(
            label=say("Template ({} stands for your prompt)"),
            placeholder="oil painting of {}, soft light",
            max_lines=1,
            max_length=LONGEST_TEMPLATE,
        )
        with gr.Row(elem_classes="pg-actions"):
            parts["style_save"] = gr.Button(
                say("Save in this browser"), size="sm", min_width=0, elem_id="pg-style-save"
            )
            parts["style_bring"] = gr.UploadButton(
                say("Import"),
                file_types=[".json"],
                size="sm",
                min_width=0,
                elem_id="pg-style-bring",
            )
            parts["style_share"] = gr.DownloadButton(
                say("Download custom styles"),
                visible=False,
                size="sm",
                min_width=0,
                elem_id="pg-style-share",
            )
    return parts


def wire_styles(parts: Parts, say: Translator, *, keep: dict[str, Any]) -> None:
    """Connect the strip; ``keep`` are the arguments of an event that saves the form in the browser."""
    held = [parts["styles"], parts["own_styles"]]

    def on_toggle(chosen: str, mine: str, pressed: gr.EventData) -> str:
        return toggle(chosen, mine, str(event_value(pressed, "style")))

    def forget(chosen: str, mine: str, pressed: gr.EventData) -> tuple[str, str]:
        return remove_custom(chosen, mine, str(event_value(pressed, "forget")))

    def shown(chosen: str, mine: str) -> tuple:
        kept = read_custom(mine)
        file = None
        if kept:
            values = [style.value() for style in kept]
            data = json.dumps(
                values[0] if len(values) == 1 else {"styles": values}, ensure_ascii=False, indent=1
            )
            file = servable_bytes(f"{data}\n".encode(), parts["style_share"], name="styles.json")
        return strip(say, chosen, mine), gr.update(value=file, visible=bool(kept))

    @guard_handler(say, show_warning((gr.skip(),) * 4))
    def add(chosen: str, mine: str, title: str, template: str) -> tuple:
        style = make_style({"title": title, "template": template})
        more = add_custom(mine, [style])
        gr.Info(say("“{title}” is saved in this browser.", title=style.title))
        rest, _ = remove_custom(chosen, mine, style.title)
        return toggle(rest, more, f"{_OWN}{style.title}"), more, "", ""

    @guard_handler(say, show_warning())
    def bring(mine: str, file: str) -> Any:
        brought = read_styles(decode(Path(file).read_bytes()))
        more = add_custom(mine, brought)
        gr.Info(say.ngettext("{count} style was imported.", "{count} styles were imported.", len(brought)))
        return more

    parts["style_strip"].select(on_toggle, held, parts["styles"], **QUIET).then(**keep)
    parts["style_strip"].clear(forget, held, held, **QUIET).then(**keep)
    gr.on(
        [*(part.change for part in held), parts["styles_show"].click],
        shown,
        held,
        [parts["style_strip"], parts["style_share"]],
        queue=False,
        **QUIET,
    )
    written = [parts["style_title"], parts["style_template"]]
    gr.on(
        [parts["style_save"].click, parts["style_template"].submit],
        add,
        [*held, *written],
        [*held, *written],
        **QUIET,
    ).then(**keep)
    parts["style_bring"].upload(
        bring, [parts["own_styles"], parts["style_bring"]], parts["own_styles"], **QUIET
    ).then(**keep)


def chosen_styles(text: object) -> tuple[Style, ...]:
    """The chosen styles, in their order, from the browser's JSON; invalid ones are left out."""
    found = []
    for value in _list(text):
        if isinstance(value, str) and value in available_styles():
            found.append(available_styles()[value])
        elif isinstance(value, dict):
            found += _made(value)
    return tuple(found)


def read_custom(text: object) -> tuple[Style, ...]:
    """The custom styles, from the browser's JSON."""
    return tuple(style for value in _list(text)[:MOST] for style in _made(value))


def toggle(chosen: str, mine: str, which: str) -> str:
    """The chosen styles as JSON after a click on one: a bundled name, or ``=`` and a custom title."""
    styles = list(chosen_styles(chosen))
    own = {f"{_OWN}{style.title}": style for style in read_custom(mine)}
    style = available_styles().get(which) or own.get(which)
    if style in styles:
        styles.remove(style)
    elif style is not None:
        styles.append(style)
    return _printed([style.name or style.value() for style in styles])


def remove_custom(chosen: str, mine: str, title: str) -> tuple[str, str]:
    """The chosen and the custom styles as JSON after a custom style is deleted."""
    rest = [style for style in read_custom(mine) if style.title != title]
    styles = [style for style in chosen_styles(chosen) if style.name or style.title != title]
    return (
        _printed([style.name or style.value() for style in styles]),
        _printed([style.value() for style in rest]),
    )


def add_custom(mine: str, more: Sequence[Style]) -> str:
    """The custom styles as JSON with more; a style of the same title is replaced. Raises RecipeError if there
    are too many."""
    kept = {style.title: style for style in (*read_custom(mine), *more)}
    text = _printed([style.value() for style in kept.values()])
    if len(kept) > MOST or len(text) > LONGEST_STYLES:
        raise RecipeError("There can be at most {most} custom styles: delete some first.", most=MOST)
    return text


def strip(say: Translator, chosen: str, mine: str) -> str:
    """The thumbnails in a row as HTML; the chosen ones are pressed."""
    pressed = chosen_styles(chosen)
    tiles = [
        _tile(style.name, say(style.title), style, style in pressed) for style in available_styles().values()
    ]
    tiles += [
        _tile(
            f"{_OWN}{style.title}",
            style.title,
            style,
            style in pressed,
            forget=say("Delete “{title}”", title=style.title),
        )
        for style in read_custom(mine)
    ]
    return (
        f'<section aria-label="{escape(say("Style"))}"><h2>{escape(say("Style"))}</h2>'
        f'<ul class="pg-styles">{"".join(tiles)}</ul></section>'
    )


def _tile(key: str, title: str, style: Style, pressed: bool, *, forget: str = "") -> str:
    source = _thumbnail(style.name)
    face = (
        f'<img src="{source}" alt="" width="64" height="64">'
        if source
        else f'<i aria-hidden="true">{escape(title[:1])}</i>'
    )
    away = (
        f'<button type="button" class="pg-forget" data-forget="{escape(title)}" title="{escape(forget)}" '
        f'aria-label="{escape(forget)}">×</button>'
        if forget
        else ""
    )
    return (
        f'<li><button type="button" data-style="{escape(key)}" aria-pressed="{str(pressed).lower()}" '
        f'title="{escape(style.template)}">{face}<span>{escape(title)}</span></button>{away}</li>'
    )


@cache
def _thumbnail(name: str) -> str:
    if not name or not (path := available_styles()[name].thumbnail).is_file():
        return ""
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _made(value: object) -> list[Style]:
    try:
        return [make_style(value)]
    except RecipeError:
        return []


def _list(text: object) -> list[Any]:
    try:
        value = parse_json(text) if isinstance(text, str) and len(text) <= LONGEST_STYLES else []
    except (ValueError, RecursionError):
        value = []
    return value if isinstance(value, list) else []


def _printed(values: list[Any]) -> str:
    return json.dumps(values, ensure_ascii=False) if values else ""

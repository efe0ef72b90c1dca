"""The quiet lines below the prompt: how many tokens it has, what is not read, and words never seen."""

import re
from html import escape
from typing import Any

import gradio as gr

from pixgen.alternatives import word_lists
from pixgen.studio.prompt_help import Reading, read_typed
from pixgen.ui.asking import answered, when_paused
from pixgen.ui.fields import Parts
from pixgen.ui.i18n import Translator
from pixgen.ui.styles import chosen_styles
from pixgen.words import words_of

_QUIET = {"api_visibility": "private", "show_progress": "hidden"}
_ASK = "pg-ask-help"
_LONGEST = 80  # characters of what is not read, when it is told
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-by]');
    if (pressed) trigger('select', { word: pressed.dataset.word, by: pressed.dataset.by });
});"""


def help_line(say: Translator) -> Parts:
    """Build the lines inside a ``gr.Blocks``."""
    shown = told(say, Reading(), "")
    return {"help": gr.HTML(shown, js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-help")}


def wire_help(parts: Parts, say: Translator, *, keep: dict[str, Any]) -> None:
    """Keep the lines as the prompt and its styles are; ``keep`` keeps the form in the browser."""

    def read(text: str, styles: str) -> str:
        text = text or ""
        return told(say, read_typed(text, styles=chosen_styles(styles)), text)

    def replace(text: str, pressed: gr.EventData) -> str:
        return replaced(text, str(pressed.word), str(pressed.by))

    typed = [parts["prompt"], parts["styles"]]
    answer = when_paused([part.change for part in typed], _ASK).click(
        read, typed, parts["help"], queue=False, trigger_mode="multiple", **_QUIET
    )
    answered(answer, _ASK)
    parts["help"].select(replace, parts["prompt"], parts["prompt"], **_QUIET).then(**keep)


def told(say: Translator, reading: Reading, text: str) -> str:
    """The lines as HTML; nothing for an empty prompt."""
    lines = [
        say("CLIP reads no further than here; this is left out: “{text}”", text=_short(part))
        for part in reading.lost
    ]
    lines += [
        say("The sketcher does not read as far as “{text}”.", text=_short(part))
        for part in reading.unsketched
    ]
    said = [f"<p>{escape(line)}</p>" for line in lines]
    said += [_unknown(say, word, near) for word, near in reading.unknown]
    if "__" in text:
        said.append(_lists(say))
    over = " pg-over" if reading.lost else ""
    count = say("{tokens} of {places} tokens", tokens=reading.tokens, places=reading.places)
    shown = f'<small class="pg-tokens{over}">{escape(count)}</small>' if reading.tokens else ""
    return (
        f'<section class="pg-help" aria-label="{escape(say("How the models read it"))}">{shown}'
        f'<div aria-live="polite">{"".join(said)}</div></section>'
    )


def replaced(text: str, word: str, by: str) -> str:
    """The prompt with one of its words, as ``words_of`` finds it, replaced; at the beginning of an
    unfinished word list's name, that is completed."""
    if by.startswith("__"):
        return re.sub(r"__(?:[A-Za-z0-9-]*(?:__)?)?(?=\W*$)|__(?=\s|$)", by, text, count=1)
    for found in re.finditer(r"[^\W_]+(?:[’'][^\W_]+)*", text):
        if words_of(found[0]) == [word]:
            return text[: found.start()] + by + text[found.end() :]
    return text


def _unknown(say: Translator, word: str, near: tuple[str, ...]) -> str:
    said = escape(say("The bundled models have never seen “{word}”.", word=word))
    if not near:
        return f"<p>{said}</p>"
    chips = "".join(
        _chip(
            known,
            word=word,
            said=say("Write “{known}” instead of “{word}”", known=known, word=word),
        )
        for known in near
    )
    return f"<p>{said} {escape(say('Perhaps'))}: {chips}</p>"


def _lists(say: Translator) -> str:
    names = [f"__{name}__" for name in word_lists()]
    chips = "".join(_chip(name, word="__", said=say("Write {list}", list=name)) for name in names)
    return f"<p>{escape(say('One of a list, drawn by the seed:'))} {chips}</p>"


def _chip(by: str, *, word: str, said: str) -> str:
    return (
        f'<button type="button" data-word="{escape(word)}" data-by="{escape(by)}" '
        f'title="{escape(said)}" aria-label="{escape(said)}">{escape(by)}</button>'
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

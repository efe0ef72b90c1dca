"""Help with the prompt and the size: tokens, text that is cut off, unknown words, and memory.

The answers come as soon as typing pauses, and always match the latest text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.models.catalog import entries, find_entry
from pixgen.models.vocabulary import completions, split_words
from pixgen.recipe.wildcards import word_lists
from pixgen.studio import Studio
from pixgen.studio.memory_check import MemoryCheck, check_memory, format_bytes
from pixgen.studio.prompt_help import LONGEST_CHECKED, MAX_UNKNOWN_WORDS, PromptCheck, check_typed_prompt
from pixgen.translation import LANGUAGE_NAMES, Translation
from pixgen.ui.components import QUIET, Parts, on_answer, on_pause
from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.form_recipe import to_recipe
from pixgen.ui.create.panels.styles import chosen_styles
from pixgen.ui.i18n import ENGLISH, Translator
from pixgen.ui.protection.events import event_value

ASKED = (
    "preset",
    "size",
    "drawer",
    "cutouts",
    "cutout_set",
    "start",
)  # fields that decide how much memory is needed
_ASK_MEMORY = "pg-ask-memory"
_ASK_HELP = "pg-ask-help"
_LONGEST = 80  # characters of cut-off text that are shown
_LIST_NAME = re.compile(r"__[A-Za-z0-9-]*(?:__)?")
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-by]');
    if (pressed) trigger('select', { word: pressed.dataset.word, by: pressed.dataset.by });
});"""

Look = Callable[[Any, str], MemoryCheck | None]


def memory_line(say: Translator, found: MemoryCheck | None) -> str:
    """The memory estimate as HTML; empty if there is none."""
    if found is None or found.verdict == "unknown":
        return ""
    said = {
        "fits": say("fits"),
        "tight": say("tight"),
        "too much": say("will not fit: smaller batches will be used, or choose a smaller size"),
    }[found.verdict]
    needs = say("Takes about {size} of memory", size=format_bytes(found.needed))
    return (
        f'<p class="pg-memory" data-verdict="{found.verdict.replace(" ", "-")}">'
        f"<span>{escape(needs)}</span> · <b>{escape(said)}</b></p>"
    )


def memory_text(
    form: CreateForm, device: Callable[[], str], say: Translator, *, look: Look = check_memory
) -> str:
    """The memory estimate of a form as HTML; empty while the form makes no recipe."""
    # A starting picture needs little memory, and may not be uploaded yet.
    start = "codes" if form.start in ("picture", "idea") else form.start
    asked = replace(form, prompt="-", seed="0", start=start)
    try:
        return memory_line(say, look(to_recipe(asked), device()))
    except PixgenError:  # the message comes when the picture is painted
        return ""


def wire_memory(
    studio: Studio, say: Translator, page: gr.Blocks, parts: Mapping[str, gr.components.Component]
) -> None:
    """Keep the estimate in ``parts["memory"]`` up to date."""

    def estimate(*values: Any) -> str:
        form = CreateForm.read(dict(zip(ASKED, values, strict=True)))
        return memory_text(form, lambda: studio.device, say)

    inputs = [parts[name] for name in ASKED]
    ask = on_pause([page.load, *(part.change for part in inputs)], _ASK_MEMORY)
    answer = ask.click(
        estimate,
        inputs,
        parts["memory"],
        trigger_mode="multiple",
        concurrency_limit=1,
        show_progress="hidden",
        api_visibility="private",
    )
    on_answer(answer, _ASK_MEMORY)


def help_line(say: Translator) -> Parts:
    """The area below the prompt, built inside a ``gr.Blocks``."""
    shown = help_html(say, PromptCheck(), "")
    return {
        "help": gr.HTML(shown, js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-help"),
        # For completion.js, which asks for them when somebody begins to type.
        "load_words": gr.Button(visible="hidden", elem_id="pg-load-words"),
        "words": gr.HTML("", visible="hidden", elem_id="pg-words"),
    }


def wire_help(parts: Parts, say: Translator, *, keep: dict[str, Any]) -> None:
    """Update the help when the prompt or the styles change; ``keep`` saves the form in the browser."""

    def read(text: str, styles: str, clips: object) -> str:
        text, names = text or "", [str(each) for each in clips] if isinstance(clips, list) else []
        return help_html(say, check_typed_prompt(text, styles=chosen_styles(styles)), text, clips=names)

    def replace(text: str, pressed: gr.EventData) -> str:
        return replace_word(
            text or "", str(event_value(pressed, "word")), str(event_value(pressed, "by") or "")
        )

    typed = [parts["prompt"], parts["styles"], parts["clip"]]
    answer = on_pause([part.change for part in typed], _ASK_HELP).click(
        read, typed, parts["help"], queue=False, trigger_mode="multiple", **QUIET
    )
    on_answer(answer, _ASK_HELP)
    parts["load_words"].click(lambda: completions_html(say), None, parts["words"], queue=False, **QUIET)
    parts["help"].select(replace, parts["prompt"], parts["prompt"], **QUIET).then(**keep)


def help_html(say: Translator, reading: PromptCheck, text: str, *, clips: Sequence[str] = ()) -> str:
    """Tokens, cut-off text and unknown words as HTML; nothing for an empty prompt.

    Args:
        clips: the names of the CLIPs that the picture is painted with.
    """
    lines = [
        say("The prompt is too long for CLIP; it ignores “{text}”.", text=_short(part))
        for part in reading.truncated
    ]
    lines += [
        say("The prompt is too long for the sketch model; it ignores “{text}”.", text=_short(part))
        for part in reading.truncated_for_sketch
    ]
    said = [_translation(say, typed, each) for typed, each in reading.translations]
    if any(found.language != ENGLISH.language for _typed, found in reading.translations):
        said.append(_other_clips(say, clips))
    said += [f"<p>{escape(line)}</p>" for line in lines]
    said += [_unknown(say, word, near) for word, near in reading.unknown]
    if "__" in text:
        said.append(_lists(say))
    over = " pg-over" if reading.truncated else ""
    count = say("{tokens} of {places} tokens", tokens=reading.tokens, places=reading.limit)
    shown = f'<small class="pg-tokens{over}">{escape(count)}</small>' if reading.tokens else ""
    return (
        f'<section class="pg-help" aria-label="{escape(say("How the models read the prompt"))}">{shown}'
        f'<div aria-live="polite">{"".join(said)}</div></section>'
    )


def completions_html(say: Translator) -> str:
    """The words to complete a prompt with, as data: on an English page the bundled models' vocabulary, on every
    page the lists of wildcards."""
    words = completions() if say.language == ENGLISH.language else ()
    lists = (f"__{name}__" for name in word_lists())
    return f'<span data-words="{escape(" ".join(words))}" data-lists="{escape(" ".join(lists))}"></span>'


def replace_word(text: str, word: str, by: str) -> str:
    """The prompt with one of its words (as ``split_words`` finds it) replaced; the unfinished name of a word
    list is completed."""
    if len(text) > LONGEST_CHECKED:
        return text
    if by.startswith("__"):
        return _complete_list(text, by)
    for found in re.finditer(r"[^\W_]+(?:[’'][^\W_]+)*", text):
        if split_words(found[0]) == [word]:
            return text[: found.start()] + by + text[found.end() :]
    return text.replace(word, by, 1)  # a whole text, by its translation


def _complete_list(text: str, name: str) -> str:
    """The prompt with the first unfinished name of a word list completed: one at its end, or ``__`` alone."""
    words_end = len(re.sub(r"\W", " ", text).rstrip())
    at = text.find("__")
    while at >= 0:
        end = _LIST_NAME.match(text, at).end()
        if end >= words_end:
            return text[:at] + name + text[end:]
        if text[at + 2].isspace():
            return text[:at] + name + text[at + 2 :]
        at = text.find("__", at + 1)
    return text


def _other_clips(say: Translator, clips: Sequence[str]) -> str:
    """The CLIPs that read many languages, as buttons, where those of a picture read English alone; else empty. The
    bundled one is given English."""
    chosen = [entry for name in clips if (entry := find_entry(name, "clip")) is not None]
    offered = [entry.name for entry in entries("clip") if entry.multilingual]
    if not chosen or not offered or any(entry.bundled or entry.multilingual for entry in chosen):
        return ""
    line = say("“{clip}” was trained on English texts. One for many languages:", clip=chosen[0].name)
    buttons = " ".join(
        f'<button type="button" data-model="clip {escape(name)}">{escape(name)}</button>' for name in offered
    )
    return f"<p>{escape(line)} {buttons}</p>"


def _unknown(say: Translator, word: str, near: tuple[str, ...]) -> str:
    said = escape(say("“{word}” is not in the bundled models’ vocabulary.", word=word))
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
    return f"<p>{said} {escape(say('Did you mean'))}: {chips}</p>"


def _translation(say: Translator, typed: str, found: Translation) -> str:
    """How a text in another language is read, with a button that writes the English into the prompt."""
    if found.nearest:
        line = " ".join(
            say("“{noun}” is painted as “{thing}”.", noun=noun, thing=thing) for noun, thing in found.nearest
        )
    else:
        name = LANGUAGE_NAMES[found.language]
        line = say("Read as “{english}” ({language}).", english=_short(found.text), language=name)
    left_out = ""
    if found.unknown:
        words = ", ".join(f"“{word}”" for word in found.unknown[:MAX_UNKNOWN_WORDS])
        left_out = f" {escape(say('Not understood: {words}.', words=words))}"
    said = say("Put the English text into the prompt")
    chip = _chip(found.text, word=typed, said=said, label=say("Edit the English"))
    return f"<p>{escape(line)}{left_out} {chip}</p>"


def _lists(say: Translator) -> str:
    names = [f"__{name}__" for name in word_lists()]
    chips = "".join(_chip(name, word="__", said=say("Write {list}", list=name)) for name in names)
    return f"<p>{escape(say('One of a list, chosen by the seed:'))} {chips}</p>"


def _chip(by: str, *, word: str, said: str, label: str = "") -> str:
    return (
        f'<button type="button" data-word="{escape(word)}" data-by="{escape(by)}" '
        f'title="{escape(said)}" aria-label="{escape(said)}">{escape(label or by)}</button>'
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

"""Gradio components and events as the whole page uses them.

Here are the control of a recipe's setting, folds of settings, questions that go to the server as soon as typing pauses, and files
handed to the browser.

Questions are asked one at a time, and always the last one: a gradio event that is triggered "always_last" forgets
the last letters where an answer takes a while. So the parts that change only say so, and typing.js presses a hidden
button when it is time. Files are copied into gradio's cache, so that no folder is opened.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.base import Component
from gradio.events import Dependency

from pixgen.recipe.base import Setting
from pixgen.recipe.prompts import LONGEST_TEXT
from pixgen.ui.i18n import Translator

# What an event of the page has that is neither an endpoint nor shown as busy.
QUIET = {"api_visibility": "private", "show_progress": "hidden"}
# What a gr.File of pictures takes. Browsers and systems do not all count the last ones as pictures.
PICTURE_TYPES = ["image", ".heic", ".heif", ".avif"]
Parts = dict[str, gr.components.Component]  # of a tab, by name


@dataclass(frozen=True)
class Field:
    """One setting: its default, and what it may hold. form.js, which gets the same limits, decides about what a
    browser has stored."""

    default: Any
    low: float | None = None  # with ``high`` and ``step``: a number
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()  # without: any text
    longest: int = LONGEST_TEXT  # of a text

    def nearest(self, value: Any) -> Any:
        """What the form shows for a recipe's value: the nearest number of the range; the default for a choice
        that is not offered and a text that is too long."""
        if self.low is not None:
            return min(max(value, self.low), self.high)
        texts = value if isinstance(value, list) else [value]
        if self.choices:
            return value if all(each in self.choices for each in texts) else self.default
        return value if all(len(each) <= self.longest for each in texts) else self.default


def setting_field(setting: Setting, default: object) -> Field:
    """The field of a recipe's setting."""
    if setting.choices:
        return Field(default, choices=tuple(setting.choices))
    if setting.kind in (int, float):
        return Field(default, setting.low, setting.high, setting.step)
    return Field(default)


def slider(field: Field, label: str, *, info: str | None = None) -> gr.Slider:
    """The slider of a field that is a number."""
    return gr.Slider(
        field.low, field.high, field.default, step=field.step, label=label, info=info, buttons=[]
    )


def setting_control(
    field: Field, setting: Setting, say: Translator, *, label: str = "", min_width: int | None = None
) -> gr.components.Component:
    """The control of a recipe's setting: a menu, a slider or a text box, with the setting's title and
    description.

    Args:
        label: instead of the setting's title.
        min_width: of a line of text, in pixels.
    """
    label, info = label or say(setting.title), say(setting.description) or None
    if setting.choices:
        choices = [(say(title), value) for value, title in setting.choices.items()]
        return gr.Dropdown(choices, value=field.default, label=label, info=info)
    if field.low is not None:
        return slider(field, label, info=info)
    return gr.Textbox(
        field.default,
        label=label,
        info=info,
        placeholder=setting.example or None,
        max_lines=1,
        max_length=400,
        min_width=min_width or 160,
    )


@contextmanager
def fold(
    title: str, *, classes: str = "pg-more", elem_id: str | None = None, toggled: str = ""
) -> Iterator[None]:
    """A group of controls behind a button; form.js opens it.

    Args:
        toggled: the id of a hidden button that is pressed when it has been opened or closed.

    A gr.Accordion builds its controls when it is opened, and gives them their first values a moment later:
    what somebody has typed by then is lost. These are built with the page, and only hidden.
    """
    with gr.Column(elem_classes=["pg-folded", *classes.split()], elem_id=elem_id):
        gr.HTML(
            f'<button type="button" class="pg-unfold" data-unfold="{toggled}" aria-expanded="false">{escape(title)}</button>',
            padding=False,
        )
        with gr.Column(elem_classes="pg-inside"):
            yield


def on_pause(events: Sequence[Any], name: str) -> gr.Button:
    """The hidden button that is pressed when ``events`` have paused.

    Args:
        name: its id; who answers its click says so with ``on_answer``. Those that are alike up to "--" wait
            for each other, and one that ends with "--now" asks without a pause.
    """
    gr.on(events, None, js=_say("changed", name), trigger_mode="multiple", api_visibility="private")
    return gr.Button(visible="hidden", elem_id=name)


def on_answer(answer: Dependency, name: str) -> None:
    """Allow the next request when ``answer`` has arrived or failed."""
    for ended in (answer.then, answer.failure):  # gradio runs only the latter after an error
        ended(None, js=_say("answered", name), api_visibility="private")


def _say(what: str, name: str) -> str:
    return f"() => {{ document.dispatchEvent(new CustomEvent('pixgen-{what}', {{ detail: '{name}' }})) }}"


def servable(path: Path, component: Component, *, name: str) -> str:
    """A copy of a file under a name for downloading, byte by byte the same; the file stays where it is."""
    return servable_bytes(path.read_bytes(), component, name=name)


def servable_bytes(data: bytes, component: Component, *, name: str) -> str:
    """A file with these bytes under a name for downloading.

    It lies in a folder named by its content, which cannot be guessed; gradio deletes it after a day.
    """
    copy = Path(component.GRADIO_CACHE) / hashlib.sha256(data).hexdigest() / name
    if copy.is_file():
        os.utime(copy)  # its age counts from now, as for a new copy
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        part = copy.with_suffix(f".{secrets.token_hex(4)}.part")  # two tabs may want the same file at once
        part.write_bytes(data)
        part.replace(copy)
    return str(copy)

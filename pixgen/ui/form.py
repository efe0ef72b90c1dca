"""One setting of the page: its value at first, what else it may be, and its slider."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from pixgen.recipe.base import Setting
from pixgen.recipe.prompts import LONGEST_TEXT
from pixgen.ui.i18n import Translator

Parts = dict[str, gr.components.Component]  # of a tab, by name


@dataclass(frozen=True)
class Field:
    """One setting: its value at first, and what else it may be."""

    default: Any
    low: float | None = None  # with ``high`` and ``step``: a number
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()  # without: any text
    longest: int = LONGEST_TEXT  # of a text

    def allowed(self, value: Any) -> Any:
        """The value if it may be used, else the default. For values that a browser kept."""
        if isinstance(self.default, list):  # several of the choices
            chosen = isinstance(value, list) and bool(value)
            if not self.choices:  # any texts
                texts = chosen and all(isinstance(each, str) for each in value)
                return value if texts and max(map(len, value)) <= self.longest else self.default
            return value if chosen and all(each in self.choices for each in value) else self.default
        if self.low is not None:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return value if number and self.low <= value <= self.high else self.default
        if isinstance(self.default, bool):
            return value if isinstance(value, bool) else self.default
        if not isinstance(value, str) or len(value) > self.longest:
            return self.default
        return value if not self.choices or value in self.choices else self.default

    def nearest(self, value: Any) -> Any:
        """The allowed value that is nearest to one that a recipe has."""
        if self.low is not None and isinstance(value, (int, float)):
            return min(max(value, self.low), self.high)
        return self.allowed(value)


def setting_field(setting: Setting, default: Any) -> Field:
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
    """The control of a recipe's setting: a menu, a slider or a line of text, with the setting's own words.

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

"""The choice of a preset: buttons, a description below, and the values that it fills in, in the browser."""

import json
from html import escape
from typing import Any

import gradio as gr

from pixgen.recipe.presets import DEFAULT, available_presets
from pixgen.studio.policy import Policy
from pixgen.ui import html
from pixgen.ui.components import Field, Parts
from pixgen.ui.create.form import offered_presets, preset_size, preset_values
from pixgen.ui.i18n import Translator

_VIDEO = ("story", "journey", "restyle")
_QUALITY = ("draft", "balanced", "best")
_VIEWS = ("quality", "medium", "motion")  # radios that show the preset; each has a part of the presets

# The size goes with a preset that names one, and goes back with it, unless another was chosen meanwhile.
_FILL = """(name, size, before) => {{
  name = name || {default};
  const {{ presets, views }} = window.pixgenForm, {{ values, own }} = presets[name];
  return [name, ...views(name), ...values, own ?? (size === presets[before]?.own ? {usual} : size)];
}}"""


def preset_state(fields: dict[str, Field], policy: Policy, say: Translator) -> Parts:
    """The hidden preset, shown by the radio buttons for quality, medium and video."""
    names = list(offered_presets(policy))
    return {
        "preset": gr.Dropdown(names, value=fields["preset"].default, label=say("Preset"), visible="hidden")
    }


def quality_controls(policy: Policy, say: Translator) -> Parts:
    """Draft, Balanced and Best, and the description of the chosen preset."""
    told = _preset_choices(policy, say)
    radio = _view([(told[name][0], name) for name in _QUALITY if name in told], DEFAULT, say("Quality"))
    radio.elem_id = "pg-preset"
    return {
        "quality": radio,
        "preset_about": gr.HTML(_sentences(told), elem_id="pg-preset-about", padding=False),
    }


def medium_controls(policy: Policy, say: Translator) -> Parts:
    """The choice of a medium: a VQGAN, cells, waves, strokes, or larger models."""
    told = _preset_choices(policy, say)
    others = [(title, name) for name, (title, _) in told.items() if name not in (*_QUALITY, *_VIDEO)]
    return {"medium": _view([(say("VQGAN"), ""), *others], "", say("Medium"))}


def video_controls(policy: Policy, say: Translator) -> Parts:
    """The choice between a picture and the kinds of video."""
    told = _preset_choices(policy, say)
    kinds = [(told[name][0], name) for name in _VIDEO if name in told]
    return {"motion": _view([(say("a picture"), ""), *kinds], "", say("Video"))}


def _view(choices: list[tuple[str, str]], value: str, label: str) -> gr.Radio:
    return gr.Radio(choices, value=value, label=label, elem_classes=["pg-pills", "pg-view"])


def wire_presets(parts: Parts, fields: dict[str, Field], *, keep: dict[str, Any]) -> None:
    """Let a click fill in the preset's values, and its size if it names one.

    Args:
        keep: an event's arguments that keep the form in the browser.
    """
    order = preset_order()
    views = [parts[name] for name in _VIEWS]
    fill = _FILL.format(default=json.dumps(DEFAULT), usual=json.dumps(fields["size"].default))
    for view in views:
        view.input(
            None,
            [view, parts["size"], parts["preset"]],
            [parts["preset"], *views, *(parts[name] for name in order), parts["size"]],
            js=fill,
        ).then(**keep)
    parts["preset"].change(None, parts["preset"], views, js="(name) => window.pixgenForm.views(name)")


def preset_order() -> list[str]:
    """The fields that a preset sets, in the order of ``preset_table``."""
    return list(preset_values(DEFAULT))


def preset_table() -> dict[str, dict[str, Any]]:
    """The values and the size that each preset sets, for form.js."""
    order = preset_order()
    values = {name: preset_values(name) for name in available_presets()}
    return {
        name: {"values": [of_preset[each] for each in order], "own": preset_size(name)}
        for name, of_preset in values.items()
    }


def _sentences(choices: dict[str, tuple[str, str]]) -> str:
    """The description of each preset; form.js shows only that of the chosen one."""
    shown = ", ".join(f':root[data-preset="{name}"] [data-about="{name}"]' for name in choices)
    notes = "".join(
        f'<div data-about="{escape(name)}">{html.note(sentence)}</div>'
        for name, (_, sentence) in choices.items()
    )
    return f"<style>{shown} {{ display: block !important; }}</style>{notes}"


def _preset_choices(policy: Policy, say: Translator) -> dict[str, tuple[str, str]]:
    """The presets to choose from by name, each with its title and description."""
    return {name: (say(preset.title), say(preset.about)) for name, preset in offered_presets(policy).items()}

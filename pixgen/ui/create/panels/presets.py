"""The choice of a preset: its name to click, its sentence below, and what it fills in, in the browser."""

import json
from typing import Any

import gradio as gr

from pixgen.recipe.presets import available_presets
from pixgen.studio.policy import Policy
from pixgen.ui import html
from pixgen.ui.create.form import offered_presets, preset_size, preset_values
from pixgen.ui.form import Field, Parts
from pixgen.ui.i18n import Translator

# The size goes with a preset that names one, and goes back with it, unless another was chosen meanwhile.
_FILL = """(name, size) => {{
  const {{ values, own }} = ({table})[name];
  const brought = window.pixgenSizeOfPreset;
  window.pixgenSizeOfPreset = own;
  return [...values, own ?? (size === brought ? {usual} : size)];
}}"""


def preset_controls(fields: dict[str, Field], policy: Policy, say: Translator) -> Parts:
    """The names, and the sentence of the one that is chosen."""
    told = _preset_choices(policy, say)
    default = fields["preset"].default
    return {
        "preset": gr.Radio(
            [(title, name) for name, (title, _) in told.items()],
            value=default,
            label=say("Quality"),
            elem_id="pg-preset",
        ),
        "preset_about": gr.HTML(html.note(told[default][1]), elem_id="pg-preset-about", padding=False),
    }


def wire_presets(
    parts: Parts, fields: dict[str, Field], policy: Policy, say: Translator, *, keep: dict[str, Any]
) -> None:
    """Let a click fill in what the preset decides, and its size where it names one.

    Args:
        keep: an event's arguments that keep the form in the browser.
    """
    decided = {name: preset_values(name) for name in available_presets()}
    order = list(next(iter(decided.values())))
    table = {
        name: {"values": [values[each] for each in order], "own": preset_size(name)}
        for name, values in decided.items()
    }
    usual = json.dumps(fields["size"].default)
    parts["preset"].input(
        None,
        [parts["preset"], parts["size"]],
        [*(parts[name] for name in order), parts["size"]],
        js=_FILL.format(table=json.dumps(table), usual=usual),
    ).then(**keep)
    about = {name: html.note(sentence) for name, (_, sentence) in _preset_choices(policy, say).items()}
    parts["preset"].change(
        None,
        parts["preset"],
        parts["preset_about"],
        js=f"(name) => ({json.dumps(about)})[name] ?? ''",
    )


def _preset_choices(policy: Policy, say: Translator) -> dict[str, tuple[str, str]]:
    """The presets to choose from by name, each with its title and its sentence."""
    return {name: (say(preset.title), say(preset.about)) for name, preset in offered_presets(policy).items()}

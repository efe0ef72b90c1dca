"""The folded group of losses: its fields, its controls, and what they ask of a recipe."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import gradio as gr

from pixgen.losses import Losses
from pixgen.recipe.base import set_path, settings_of
from pixgen.ui import html
from pixgen.ui.form import Field, setting_field, slider
from pixgen.ui.i18n import Translator

UPLOAD = "wished_picture"


def _name(path: str) -> str:
    """The form's name of a setting: ``symmetry`` for ``symmetry.weight``, ``symmetry_kind`` for its kind."""
    return path.removesuffix(".weight").replace(".", "_")


SETTINGS = {_name(each.path): each for each in settings_of(Losses)}


def loss_name(name: str, say: Translator) -> str:
    """What a loss, or one of the group's settings, is called on the page.

    ``prompts``, the loss of the prompts themselves, is called as their field is; one that has no field stays
    as it is.
    """
    titles = {
        "prompts": say("What to paint"),
        "total_variation": say("Smoothness"),
        "start_latent": say("Stay near the start, in kind"),
        "start_pixels": say("Stay near the start, in colour"),
        "latent_decay": say("Calm"),
    }
    if name in titles:
        return titles[name]
    return say(SETTINGS[name].title) if name in SETTINGS else name


def loss_values(losses: Losses) -> dict[str, Any]:
    """A recipe's losses by the form's names."""
    values = {}
    for name, setting in SETTINGS.items():
        value = attrgetter(setting.path)(losses)
        values[name] = ", ".join(value) if isinstance(value, tuple) else value
    return values


def loss_fields(preset: Mapping[str, Any]) -> dict[str, Field]:
    """The settings of the group, by name, in the page's order."""
    return {name: setting_field(setting, preset[name]) for name, setting in SETTINGS.items()}


def loss_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """The group's controls, folded."""
    parts = {}
    with gr.Accordion(say("Losses"), open=False, elem_classes="pg-more", elem_id="pg-losses"):
        gr.HTML(html.heading(say("What else is wanted")))
        for name, setting in SETTINGS.items():
            label, info = loss_name(name, say), say(setting.description) or None
            field = fields[name]
            if field.choices:
                choices = [(say(title), value) for value, title in setting.choices.items()]
                parts[name] = gr.Dropdown(choices, value=field.default, label=label, info=info)
            elif field.low is None:
                parts[name] = gr.Textbox(
                    field.default,
                    label=label,
                    max_lines=1,
                    max_length=400,
                    info=info,
                    placeholder=setting.example or None,
                )
            else:
                parts[name] = slider(field, label, info=info)
        parts[UPLOAD] = gr.File(
            label=say("A picture for colours and style"), file_types=["image"], height=120
        )
    return parts


def chosen_losses(values: Mapping[str, Any], *, picture: str) -> dict[str, Any]:
    """What the group asks of a recipe, as a part of its ``losses``.

    Args:
        values: those that are given, by the names of ``SETTINGS``.
        picture: the path of the upload for colours and style, if there is one.
    """
    asked: dict[str, Any] = {}
    for name, value in values.items():
        set_path(asked, SETTINGS[name].path, value)
    if picture:
        if not values.get("palette_colours", "").strip():
            set_path(asked, "palette.picture", picture)
        set_path(asked, "style.picture", picture)
    return asked

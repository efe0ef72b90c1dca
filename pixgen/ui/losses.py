"""The folded group of losses: its fields, its controls, and what they ask of a recipe."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from pixgen.losses import Losses
from pixgen.ui import html
from pixgen.ui.fields import Field, slider
from pixgen.ui.loss_texts import LossWords
from pixgen.ui.texts import Words

UPLOAD = "wished_picture"
PLACES = {
    "total_variation": "total_variation",
    "start_latent": "start_latent",
    "start_pixels": "start_pixels",
    "latent_decay": "latent_decay",
    "smoothness": "smoothness.weight",
    "smoothness_kind": "smoothness.kind",
    "saturation": "saturation",
    "palette": "palette.weight",
    "palette_colours": "palette.colours",
    "symmetry": "symmetry.weight",
    "symmetry_kind": "symmetry.kind",
    "edge": "edge.weight",
    "edge_colour": "edge.colour",
    "edge_margin": "edge.margin",
    "tiling": "tiling",
    "anti_text": "anti_text",
    "aesthetics": "aesthetics",
    "style": "style.weight",
}  # the form's names, and the fields of a recipe's losses
_SLIDERS_OF_THE_START = ("total_variation", "start_latent", "start_pixels", "latent_decay")
_MOST = {"start_pixels": 20, "palette": 20, "symmetry": 50, "edge": 20, "tiling": 50, "style": 10}


def loss_name(name: str, words: Words) -> str:
    """What a loss, or one of the group's settings, is called on the page.

    ``prompts``, the loss of the prompts themselves, is called as their field is; one that has no field stays
    as it is.
    """
    if name == "prompts":
        return words.prompt
    return getattr(words if name in _SLIDERS_OF_THE_START else words.losing, name, name)


def loss_values(losses: Losses) -> dict[str, Any]:
    """A recipe's losses by the form's names."""
    values = {}
    for name, place in PLACES.items():
        value: Any = losses
        for part in place.split("."):
            value = getattr(value, part)
        values[name] = ", ".join(value) if isinstance(value, tuple) else value
    return values


def loss_fields(preset: Mapping[str, Any], words: LossWords) -> dict[str, Field]:
    """The settings of the group, by name, in the page's order."""
    kinds = {"smoothness_kind": words.smoothness_kinds, "symmetry_kind": words.symmetry_kinds}
    found = {}
    for name in PLACES:
        if name in kinds:
            found[name] = Field(preset[name], choices=tuple(kind for _, kind in kinds[name]))
        elif isinstance(preset[name], str):
            found[name] = Field(preset[name])
        elif name == "edge_margin":
            found[name] = Field(preset[name], 0.01, 0.5, 0.01)
        else:
            found[name] = Field(preset[name], 0, _MOST.get(name, 5), 0.05)
    return found


def loss_controls(fields: Mapping[str, Field], words: Words) -> dict[str, gr.components.Component]:
    """The group's controls, folded."""
    own, parts = words.losing, {}
    with gr.Accordion(own.title, open=False, elem_classes="pg-more", elem_id="pg-losses"):
        gr.HTML(html.heading(words.losses))
        for name in PLACES:
            label = loss_name(name, words)
            field, info = fields[name], getattr(own, f"{name}_help", None)
            if field.choices:
                parts[name] = gr.Dropdown(
                    list(getattr(own, f"{name}s")), value=field.default, label=label
                )
            elif field.low is None:
                parts[name] = gr.Textbox(
                    field.default, label=label, max_lines=1, max_length=400, info=info,
                    placeholder=getattr(own, f"{name}_placeholder", None),
                )  # fmt: skip
            else:
                parts[name] = slider(field, label, info=info)
        parts[UPLOAD] = gr.File(label=own.wished_picture, file_types=["image"], height=120)
    return parts


def loss_assignments(values: Mapping[str, Any]) -> list[str]:
    """What the group asks of a recipe, each as ``key=value``."""
    asked = [
        f"losses.{place}={values[name]}"
        for name, place in PLACES.items()
        if values.get(name) is not None
    ]
    if picture := values.get(UPLOAD):
        if not (values.get("palette_colours") or "").strip():
            asked.append(f"losses.palette.picture={picture}")
        asked.append(f"losses.style.picture={picture}")
    return asked

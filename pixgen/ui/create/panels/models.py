"""The folded group of models: its fields, its controls, and what they ask of a recipe."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from pixgen.models.catalog import Kind, find_entry
from pixgen.models.registry import list_models
from pixgen.recipe.recipe import MOST_CLIPS, Recipe
from pixgen.studio.policy import Policy
from pixgen.ui.form import Field
from pixgen.ui.i18n import Translator

_KINDS: dict[str, Kind] = {"model": "vqgan", "clip": "clip", "sketcher": "sketcher"}


def model_values(recipe: Recipe) -> dict[str, Any]:
    """A recipe's models by the form's names."""
    return {
        "model": recipe.model,
        "clip": list(recipe.clip_names),
        "sketcher": recipe.init.sketch.model,
    }


def model_fields(preset: Mapping[str, Any], policy: Policy) -> dict[str, Field]:
    """The settings of the group: names only, so that nobody chooses a path or an address here."""
    return {
        "model": Field(preset["model"], choices=names("vqgan", policy)),
        "clip": Field(preset["clip"], choices=names("clip", policy)),
        "sketcher": Field(preset["sketcher"], choices=names("sketcher", policy)),
    }


def names(kind: Kind, policy: Policy) -> tuple[str, ...]:
    """The models of a kind that may be chosen."""
    found = [each.entry.name for each in list_models() if each.entry.kind == kind]
    return tuple(name for name in found if policy.models is None or name in policy.models)


def clip_choice(policy: Policy, say: Translator, *, value: str, elem_id: str) -> gr.Dropdown:
    """What looks, for a tab of its own; where the policy lets one, any that open_clip knows by name."""
    free = policy.models is None
    return gr.Dropdown(
        [(_label(name, "clip"), name) for name in names("clip", policy)],
        value=value,
        allow_custom_value=free,
        label=say("Looked at by"),
        info=say(
            "The bundled one has seen drawings only; larger ones, fetched once, know photographs. "
            "Any name of open_clip's can be written, ViT-B-32/laion2b_s34b_b79k for example, or the path of your own CLIP."
        )
        if free
        else None,
        elem_id=elem_id,
    )


def model_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """The group's controls, folded."""
    texts = {
        "model": (
            say("Drawn by"),
            say("A larger model is fetched when it is first used. It wants a GPU, or patience."),
        ),
        "clip": (say("Looked at by"), say("Several look together.")),
        "sketcher": (
            say("Sketched by"),
            (
                say(
                    "What writes the start, where it is a sketch. dalle-mini and dalle-mega read words "
                    "alone; karlo words or pictures."
                )
            ),
        ),
    }
    with gr.Accordion(say("Models"), open=False, elem_classes="pg-more", elem_id="pg-models"):
        return {
            name: gr.Dropdown(
                [(_label(choice, kind), choice) for choice in fields[name].choices],
                value=fields[name].default,
                label=texts[name][0],
                elem_id=f"pg-{name}",
                info=texts[name][1],
                multiselect=name == "clip",
                max_choices=MOST_CLIPS if name == "clip" else None,
                visible=name != "sketcher" or len(fields[name].choices) > 1,
            )
            for name, kind in _KINDS.items()
        }


def _label(name: str, kind: Kind) -> str:
    entry = find_entry(name, kind)
    size = None if entry is None or entry.bundled else entry.megabytes
    return name if size is None else f"{name} · {size:,} MB"

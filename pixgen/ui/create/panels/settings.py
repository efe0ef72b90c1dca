"""The folded groups of settings: models, losses, story and journey.

The labels, hints and ranges of losses and journeys are those of the recipe's own fields.
"""

from collections.abc import Callable, Mapping

import gradio as gr

from pixgen.models.catalog import Kind, find_entry
from pixgen.recipe.recipe import MOST_CLIPS
from pixgen.studio.policy import Policy
from pixgen.studio.video.sound import SOUND_SUFFIXES
from pixgen.ui import html
from pixgen.ui.components import PICTURE_TYPES, Field, Parts, fold, setting_control, slider
from pixgen.ui.create.form import (
    EFFECT_SETTINGS,
    JOURNEY_SETTINGS,
    LOSS_PICTURE,
    LOSS_SETTINGS,
    model_names,
)
from pixgen.ui.create.panels.models import KINDS, model_buttons, models_fold
from pixgen.ui.create.panels.shapes import shapes_parts
from pixgen.ui.create.panels.story import journey_preview_html, story_cards_html
from pixgen.ui.i18n import Translator


def clip_choice(policy: Policy, say: Translator, *, value: str, elem_id: str) -> gr.Dropdown:
    """The choice of a CLIP on another tab; any open_clip model can be typed where the policy allows it."""
    free = policy.models is None
    return gr.Dropdown(
        [(_label(name, "clip"), name) for name in model_names("clip", policy)],
        value=value,
        allow_custom_value=free,
        label=say("Guidance model (CLIP)"),
        info=say(
            "The bundled model was trained on drawings only; larger ones, downloaded once, also know "
            "photographs. You can type any open_clip model, for example ViT-B-32/laion2b_s34b_b79k, or "
            "the path of your own CLIP."
        )
        if free
        else None,
        elem_id=elem_id,
    )


def model_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """A folded group of controls."""
    texts = {
        "model": (
            say("Image model"),
            say("A larger model is downloaded when it is first used. Slow without a GPU."),
        ),
        "clip": (say("Guidance model (CLIP)"), say("Several can guide the picture together.")),
        "sketcher": (
            say("Sketch model"),
            (
                say(
                    "Paints the first sketch, if the picture starts from one. dalle-mini and dalle-mega read text only; karlo reads text or pictures."
                )
            ),
        ),
    }
    parts: Parts = {}
    with fold(say("Models"), elem_id="pg-models"):
        for name, kind in KINDS.items():
            several = len(fields[name].choices) > 1
            parts[name] = gr.Dropdown(
                [(_label(choice, kind), choice) for choice in fields[name].choices],
                value=fields[name].default,
                label=texts[name][0],
                elem_id=f"pg-{name}",
                info=texts[name][1],
                multiselect=name == "clip",
                max_choices=MOST_CLIPS if name == "clip" else None,
                visible=name != "sketcher" or several,
            )
            if several:
                parts |= models_fold(say, name, fields[name].choices)
        parts |= model_buttons(say)
    return parts


def _label(name: str, kind: Kind) -> str:
    entry = find_entry(name, kind)
    size = None if entry is None or entry.bundled else entry.megabytes
    return name if size is None else f"{name} · {size:,} MB"


def loss_name(name: str, say: Translator) -> str:
    """The label of a loss or of one of its settings; a name without a label is returned as it is."""
    titles = {
        "prompts": say("Prompt"),
        "total_variation": say("Smoothness"),
        "start_latent": say("Keep the subject"),
        "start_pixels": say("Keep the colours"),
        "latent_decay": say("Latent decay"),
        "wall": say("Wall of tiles"),
    }
    if name in titles:
        return titles[name]
    return say(LOSS_SETTINGS[name].title) if name in LOSS_SETTINGS else name


def loss_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """A folded group of controls."""
    parts = {}
    with fold(say("Fine-tuning (losses)"), elem_id="pg-losses"):
        for name, setting in LOSS_SETTINGS.items():
            parts[name] = setting_control(fields[name], setting, say, label=loss_name(name, say))
        parts[LOSS_PICTURE] = gr.File(
            label=say("A picture for colours and style"), file_types=PICTURE_TYPES, height=120
        )
    return parts


def effect_controls(fields: Mapping[str, Field], say: Translator) -> Parts:
    """The folded group of controls of what is done to the picture while it is painted."""
    parts: Parts = {}

    def put(*names: str) -> None:
        for name in names:
            parts[name] = setting_control(fields[name], EFFECT_SETTINGS[name], say, min_width=120)

    with fold(say("Tiles, overlay and colours"), elem_id="pg-effects"):
        put("wall_kind", "wall_seams")
        parts["overlay_picture"] = gr.File(label=say("Overlay"), file_types=PICTURE_TYPES, height=120)
        put("overlay_every", "overlay_alpha", "overlay_until")
        parts["colours_picture"] = gr.File(
            label=say("Colours of a picture"), file_types=PICTURE_TYPES, height=120
        )
        parts["lookup_file"] = gr.File(label=say("Colour lookup (.cube)"), file_types=[".cube"], height=120)
        put("colour_strength")
        gr.HTML(html.heading(say("Cells of one colour")))
        put("cell_shape", "cell_size")
        gr.HTML(html.heading(say("The finished picture")))
        parts |= shapes_parts(say)
    return parts


def journey_controls(
    fields: Mapping[str, Field], say: Translator, *, first: Callable[[], Parts] = dict
) -> Parts:
    """The folded group of controls, below those that ``first`` makes."""
    parts: Parts = {}

    def put(*names: str) -> None:
        for name in names:
            parts[name] = setting_control(fields[name], JOURNEY_SETTINGS[name], say, min_width=120)

    with fold(say("Story and camera"), elem_id="pg-journey"):
        parts |= first()
        gr.HTML(html.heading(say("Story")))
        gr.HTML(
            html.note(
                say(
                    "Write scenes in the prompt with ^, or here, a card each. The cards replace the prompt; without seconds, they share the steps evenly."
                )
            )
        )
        gr.HTML(story_cards_html(say), padding=False)
        parts["story_rows"] = gr.Textbox("", visible="hidden", label=say("Story"))
        put("fade", "blend")
        gr.HTML(html.heading(say("Camera journey")))
        gr.HTML(
            html.note(
                say(
                    "Each frame of the video takes some steps, then the view moves. Values can change over time: 0:1, 60:1.02 goes from 1 at frame 0 to 1.02 at frame 60, and 1 + 0.02*sin(t) follows the second t; with a sound, bass, mid, treble and onset are its levels."
                )
            )
        )
        parts["frames"] = slider(fields["frames"], say("Frames"), info=say("0: a still picture."))
        put("every", "after")
        gr.HTML(journey_preview_html(say), padding=False)
        with gr.Row():
            put("zoom", "turn")
        with gr.Row():
            put("x", "y")
        with gr.Row():
            put("tilt", "pan")
        put("dolly")
        parts["depth_picture"] = gr.File(label=say("Depth picture"), file_types=PICTURE_TYPES, height=120)
        put("where", "border", "smooth")
        parts["rate_factor"] = setting_control(fields["rate_factor"], EFFECT_SETTINGS["rate_factor"], say)
        parts["smooth_fps"] = setting_control(fields["smooth_fps"], EFFECT_SETTINGS["smooth_fps"], say)
        parts["sound"] = gr.File(
            label=say("A sound to follow"), file_types=["audio", *SOUND_SUFFIXES], height=120
        )
        parts["curves"] = gr.HTML("", elem_id="pg-curves")
        parts["video"] = gr.File(label=say("Or paint over a video"), file_types=["video", ".gif"], height=120)
        put("carry")
    return parts

"""The Create tab's controls, each under its field's name; tab.py connects them."""

from collections.abc import Mapping
from html import escape

import gradio as gr

from pixgen.recipe.init import INIT_KINDS
from pixgen.recipe.prompts import LONGEST_TEXT
from pixgen.studio.policy import Policy
from pixgen.ui import html
from pixgen.ui.components import PICTURE_TYPES, Field, Parts, fold, slider
from pixgen.ui.create.form import DRAWN, LAST, sizes
from pixgen.ui.create.panels.augmentations import augment_controls
from pixgen.ui.create.panels.moving_region import moving_region_controls
from pixgen.ui.create.panels.presets import medium_controls, preset_state, quality_controls, video_controls
from pixgen.ui.create.panels.settings import (
    effect_controls,
    journey_controls,
    loss_controls,
    model_controls,
)
from pixgen.ui.create.panels.story import story_note_html
from pixgen.ui.create.panels.styles import styles_strip
from pixgen.ui.create.prompt_help import help_line
from pixgen.ui.i18n import Translator


def rail(fields: dict[str, Field], policy: Policy, say: Translator) -> Parts:
    """The main controls: prompt, style, quality, size, number of pictures, and Generate."""
    parts: Parts = {
        "prompt": gr.Textbox(
            label=say("Prompt"),
            placeholder=say("a red fox on a snowy hill"),
            lines=3,
            max_lines=8,
            max_length=LONGEST_TEXT,
            elem_id="pg-prompt",
        )
    }
    parts |= help_line(say)
    gr.HTML(story_note_html(say), padding=False, elem_classes="pg-scenes-said")
    gr.HTML(html.prompt_tips(say), padding=False)
    with fold(say("Negative prompt"), classes="pg-quiet-fold", elem_id="pg-negative"):
        parts["leave_out"] = gr.Textbox(
            label=say("Negative prompt"),
            show_label=False,
            placeholder=say("things to avoid"),
            max_lines=1,
            max_length=LONGEST_TEXT,
            elem_id="pg-leave-out",
        )
    with fold(say("Style"), classes="pg-quiet-fold", elem_id="pg-style"):
        parts |= styles_strip(say)
    parts |= quality_controls(policy, say)
    with gr.Row(elem_classes="pg-pair"):
        parts["size"] = gr.Dropdown(
            sizes(policy),
            value=fields["size"].default,
            label=say("Size"),
            allow_custom_value=True,
            min_width=150,
            elem_id="pg-size",
        )
        parts["count"] = gr.Dropdown(
            list(range(1, int(fields["count"].high or 1) + 1)),
            value=1,
            label=say("Pictures"),
            min_width=90,
            elem_id="pg-count",
        )
    parts["memory"] = gr.HTML("", elem_id="pg-memory", padding=False)
    with gr.Row(elem_classes="pg-go"):
        gr.HTML('<p id="pg-go-line" aria-hidden="true"></p>', padding=False, elem_classes="pg-go-status")
        parts["generate"] = gr.Button(
            say("Generate"), variant="primary", elem_id="pg-generate", scale=3, min_width=120
        )
        parts["stop"] = gr.Button(say("Stop"), interactive=False, elem_id="pg-stop", scale=1, min_width=80)
    parts["apply"] = gr.Button(say("Update this picture"), interactive=False, size="sm", elem_id="pg-apply")
    # Pressed by page.js when a picture of the wall is clicked.
    parts["wall"] = gr.Button(visible="hidden", elem_id="pg-wall-pick")
    return parts


def advanced_drawer(fields: dict[str, Field], policy: Policy, say: Translator) -> Parts:
    """All other settings, folded, with a search; form.js lists in each group what was changed in it."""
    parts: Parts = _basis(say)
    parts |= preset_state(fields, policy, say)
    with fold(say("Advanced"), classes="pg-more pg-drawer", elem_id="pg-advanced"):
        search = escape(say("Search the settings"))
        nothing = say("No setting matches. What the prompt itself can say is under “Prompt tips”.")
        gr.HTML(
            f'<input type="search" id="pg-advanced-search" placeholder="{search}" aria-label="{search}">'
            f'<p id="pg-advanced-none" class="pg-note" role="status" hidden>{escape(nothing)}</p>',
            padding=False,
        )
        parts |= _seed(say)
        with gr.Row(elem_classes="pg-pad-open"):
            parts["draw"] = gr.Button(say("Draw a starting point"), size="sm", min_width=0, elem_id="pg-draw")
            parts["regions"] = gr.Button(say("Place by region"), size="sm", min_width=0, elem_id="pg-regions")
        parts |= moving_region_controls(say)
        parts |= medium_controls(policy, say)
        parts |= journey_controls(fields, say, first=lambda: video_controls(policy, say))
        with fold(say("Start and picture prompts")):
            parts |= _start(fields, say)
        with fold(say("Optimisation")):
            parts |= _work(fields, say)
        parts |= model_controls(fields, say)
        parts |= loss_controls(fields, say)
        parts |= effect_controls(fields, say)
        parts |= augment_controls(say)
        parts["metadata"] = gr.Checkbox(
            fields["metadata"].default,
            label=say("Save the recipe in the picture and video"),
            info=say("Off: people you share them with cannot read how they were made. You still can, here."),
        )
    return parts


def _seed(say: Translator) -> Parts:
    with gr.Row(elem_classes="pg-seed"):
        return {
            "seed": gr.Textbox(
                label=say("Seed"),
                placeholder=say("random"),
                max_lines=1,
                max_length=19,
                min_width=110,
                elem_id="pg-seed",
            ),
            "seed_new": gr.Button(say("Random seed"), min_width=0, scale=0, elem_id="pg-seed-new"),
            "seed_reuse": gr.Button(
                say("Reuse the last seed"), min_width=0, scale=0, elem_id="pg-seed-reuse"
            ),
        }


def _basis(say: Translator) -> Parts:
    """The base recipe of the form, if there is one; a click discards it."""
    forget = say("Discard the settings that are not shown here")
    return {
        "basis": gr.Textbox("", visible="hidden", label=forget),
        "basis_show": gr.Button(visible="hidden", elem_id="pg-show-basis"),  # pressed by form.js
        "basis_forget": gr.Button(forget, visible=False, size="sm", min_width=0, elem_id="pg-basis"),
    }


def _work(fields: dict[str, Field], say: Translator) -> Parts:
    return {
        "drawer": gr.Dropdown(
            [
                (say("the VQGAN"), "vqgan"),
                (say("cells of one colour"), "pixels"),
                (say("waves"), "fourier"),
                (say("every resolution at once"), "multires"),
                (say("brush strokes"), "lines"),
            ],
            value=fields["drawer"].default,
            label=say("Drawing method"),
        ),
        "grow": grow_control(say),
        "steps": slider(
            fields["steps"], say("Steps"), info=say("More steps give finer detail and take longer.")
        ),
        "learning_rate": slider(
            fields["learning_rate"], say("Learning rate"), info=say("How far each step goes.")
        ),
        "cutouts": slider(
            fields["cutouts"],
            say("Cutouts"),
            info=say("How many crops of the picture CLIP scores in each step. Fewer need less memory."),
        ),
        "cutout_set": gr.Dropdown(
            list(fields["cutout_set"].choices),
            value=fields["cutout_set"].default,
            label=say("Cutout set"),
            info=say("How the crops are taken and augmented."),
        ),
    }


def _start(fields: dict[str, Field], say: Translator) -> Parts:
    start = gr.Dropdown(
        [
            *((say(kind.title), name) for name, kind in INIT_KINDS.items() if kind.title),
            (say("your drawing"), DRAWN),
            (say("the last picture"), LAST),
        ],
        value=fields["start"].default,
        label=say("Start from"),
    )
    picture = gr.File(
        label=say("Starting picture"),
        file_types=PICTURE_TYPES,
        height=120,
        elem_id="pg-start-picture",
        elem_classes="pg-start-upload",
    )
    of_picture = start_controls(fields, say)
    idea_words = gr.Textbox(
        label=say("Combine with text (optional)"),
        placeholder="winter | summer :-1",
        max_lines=1,
        max_length=LONGEST_TEXT,
        elem_classes="pg-start-words",
    )
    pictures = gr.File(
        label=say("Paint something like these pictures"),
        file_types=PICTURE_TYPES,
        file_count="multiple",
        height=120,
        elem_id="pg-picture-prompts",
    )
    weight = slider(fields["pictures_weight"], say("Weight"))
    return {
        "start": start,
        "start_picture": picture,
        **of_picture,
        "idea_words": idea_words,
        "pictures": pictures,
        "pictures_weight": weight,
    }


def start_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """The settings for starting from a picture; page.css shows them when the form starts from one."""
    made = {
        "start_fit": gr.Dropdown(
            [
                (say("fill and crop"), "cover"),
                (say("whole picture, with margins"), "contain"),
                (say("stretched"), "stretch"),
            ],
            value="cover",
            label=say("Fit"),
        ),
        "start_strength": slider(
            fields["start_strength"],
            say("Strength"),
            info=say("0: the picture itself. 1: random noise."),
        ),
        "start_extend": gr.Dropdown(
            [
                (say("no"), "no"),
                (say("to the left"), "left"),
                (say("to the right"), "right"),
                (say("at the top"), "top"),
                (say("at the bottom"), "bottom"),
            ],
            value="no",
            label=say("Extend the canvas"),
            info=say("Choose a size with room on that side."),
        ),
    }
    for each in made.values():
        each.elem_classes = ["pg-start-from"]
    return made


def grow_control(say: Translator) -> gr.Dropdown:
    """The control for starting small."""
    return gr.Dropdown(
        [
            (say("no: full size from the start"), "never"),
            (say("half the size, doubled near the end"), "0.9"),
            (say("a quarter, then half, then whole"), "0.5,0.85"),
        ],
        value="never",
        label=say("Start small, then enlarge"),
        info=say("A large picture in less than half the time."),
    )

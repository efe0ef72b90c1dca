"""The Create tab's controls, each under its field's name; tab.py connects them."""

from collections.abc import Mapping

import gradio as gr

from pixgen.recipe.prompts import LONGEST_TEXT
from pixgen.studio.policy import Policy
from pixgen.ui import html
from pixgen.ui.components import Field, Parts, slider
from pixgen.ui.create.form import sizes
from pixgen.ui.create.panels.augmentations import augment_controls
from pixgen.ui.create.panels.settings import journey_controls, loss_controls, model_controls, preset_controls
from pixgen.ui.create.panels.styles import styles_strip
from pixgen.ui.create.prompt_help import help_line
from pixgen.ui.i18n import Translator

EXAMPLES = (
    "a red fox on a snowy hill",
    "an owl in the forest",
    "a watercolour of a sailboat at sunset",
    "3d render of a green dragon in the sky",
    "a panda eating a watermelon",
    "a cat :2 | purple background",
)  # prompts to click; the bundled models read English


def prompt_column(say: Translator) -> Parts:
    """Prompt, what to leave out, Generate and Stop, and examples."""
    prompt = gr.Textbox(
        label=say("Prompt"),
        placeholder="a red fox on a snowy hill",
        lines=3,
        max_lines=8,
        max_length=LONGEST_TEXT,
        elem_id="pg-prompt",
    )
    help_with = help_line(say)
    leave_out = gr.Textbox(
        label=say("Negative prompt"),
        placeholder=say("things to avoid"),
        max_lines=1,
        max_length=LONGEST_TEXT,
        elem_id="pg-leave-out",
    )
    gr.HTML(html.prompt_tips(say))
    styles = styles_strip(say)
    with gr.Row(elem_classes="pg-pad-open"):
        draw = gr.Button(say("Draw a starting point"), size="sm", min_width=0, elem_id="pg-draw")
        regions = gr.Button(say("Place by region"), size="sm", min_width=0, elem_id="pg-regions")
    with gr.Row(elem_classes="pg-go"):
        generate = gr.Button(
            say("Generate"), variant="primary", elem_id="pg-generate", scale=3, min_width=120
        )
        stop = gr.Button(say("Stop"), interactive=False, elem_id="pg-stop", scale=1, min_width=80)
    turning = gr.Button(say("Update this picture"), interactive=False, size="sm", elem_id="pg-apply")
    with gr.Column(elem_classes="pg-examples"):
        gr.HTML(html.heading(say("Examples")))
        with gr.Row():
            examples = {
                f"example {number}": gr.Button(text, size="sm", min_width=0, elem_classes="pg-chip")
                for number, text in enumerate(EXAMPLES)
            }
    return {
        "prompt": prompt,
        "leave_out": leave_out,
        "draw": draw,
        "regions": regions,
        "generate": generate,
        "stop": stop,
        "apply": turning,
        **help_with,
        **styles,
        **examples,
    }


def settings_column(fields: dict[str, Field], policy: Policy, say: Translator) -> Parts:
    """Preset, size and seed, and the rest folded."""
    parts: Parts = _basis(say)
    parts |= preset_controls(fields, policy, say)
    with gr.Row(elem_classes="pg-pair"):
        parts["size"] = gr.Dropdown(
            sizes(policy),
            value=fields["size"].default,
            label=say("Size"),
            allow_custom_value=True,
            min_width=150,
            elem_id="pg-size",
        )
        with gr.Row(elem_classes="pg-seed"):
            parts["seed"] = gr.Textbox(
                label=say("Seed"),
                placeholder=say("random"),
                max_lines=1,
                max_length=19,
                min_width=110,
                elem_id="pg-seed",
            )
            parts["seed_new"] = gr.Button(say("Random seed"), min_width=0, scale=0, elem_id="pg-seed-new")
            parts["seed_reuse"] = gr.Button(
                say("Reuse the last seed"),
                min_width=0,
                scale=0,
                elem_id="pg-seed-reuse",
            )
    parts["memory"] = gr.HTML("", elem_id="pg-memory", padding=False)
    with gr.Accordion(say("More settings"), open=False, elem_classes="pg-more"):
        parts |= _work(fields, say) | _start(fields, say)
        parts["metadata"] = gr.Checkbox(
            fields["metadata"].default,
            label=say("Save the recipe in the picture and video"),
            info=say("Off: people you share them with cannot read how they were made. You still can, here."),
        )
    parts |= journey_controls(fields, say)
    parts |= model_controls(fields, say)
    parts |= loss_controls(fields, say)
    parts |= augment_controls(say)
    return parts


def _basis(say: Translator) -> Parts:
    """The recipe behind the form, where there is one; a click forgets it."""
    forget = say("Discard the settings that are not shown here")
    return {
        "basis": gr.Textbox("", visible="hidden", label=forget),
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
            (label, kind)
            for kind, label in (
                ("sketch", say("a sketch by the transformer")),
                ("codes", say("random codes")),
                ("perlin", say("clouds")),
                ("gradient", say("a gradient")),
                ("snow", say("coloured noise")),
                ("grey", say("plain grey")),
                ("picture", say("your picture")),
                ("idea", say("the idea of your picture")),
                ("drawn", say("your drawing")),
                ("last", say("the last picture")),
            )
        ],
        value=fields["start"].default,
        label=say("Start from"),
    )
    picture = gr.File(label=say("Starting picture"), file_types=["image"], visible=False, height=120)
    of_picture = start_controls(fields, say)
    idea_words = gr.Textbox(
        label=say("Combine with text (optional)"),
        placeholder="winter | summer :-1",
        visible=False,
        max_lines=1,
        max_length=LONGEST_TEXT,
    )
    pictures = gr.File(
        label=say("Paint something like these pictures"),
        file_types=["image"],
        file_count="multiple",
        height=120,
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


START_SETTINGS = ("start_strength", "start_fit", "start_extend")  # of a start from a picture


def start_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """The settings of a start from a picture; not to be seen at first."""
    made = {
        "start_fit": gr.Dropdown(
            [
                (say("fill and crop"), "cover"),
                (say("whole picture, with margins"), "contain"),
                (say("stretched"), "stretch"),
            ],
            value="cover",
            label=say("Fit"),
            visible=False,
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
            visible=False,
        ),
    }
    made["start_strength"].visible = False
    return made


def grow_control(say: Translator) -> gr.Dropdown:
    """Whether the canvas grows."""
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

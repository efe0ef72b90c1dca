"""The Create tab's controls, each under its field's name. They only stand there; create.py wires them."""

import gradio as gr

from pixgen.prompts import LONGEST_TEXT
from pixgen.studio.policy import Policy
from pixgen.ui import html
from pixgen.ui.augmenting import augment_controls
from pixgen.ui.fields import Field, Parts, slider
from pixgen.ui.form import sizes
from pixgen.ui.journeys import journey_controls
from pixgen.ui.losses import loss_controls
from pixgen.ui.models import model_controls
from pixgen.ui.pad import grow_control, start_controls
from pixgen.ui.preset_choice import preset_controls
from pixgen.ui.prompt_help import help_line
from pixgen.ui.styles import styles_strip
from pixgen.ui.texts import Words


def words_column(words: Words) -> Parts:
    """Prompt, what to leave out, Generate and Stop, and examples."""
    prompt = gr.Textbox(
        label=words.prompt, placeholder=words.prompt_placeholder, lines=3, max_lines=8,
        max_length=LONGEST_TEXT, elem_id="pg-prompt",
    )  # fmt: skip
    help_with = help_line(words)
    leave_out = gr.Textbox(
        label=words.leave_out, placeholder=words.leave_out_placeholder, max_lines=1,
        max_length=LONGEST_TEXT, elem_id="pg-leave-out",
    )  # fmt: skip
    gr.HTML(html.grammar(words))
    styles = styles_strip(words)
    with gr.Row(elem_classes="pg-pad-open"):
        draw = gr.Button(words.pad.draw, size="sm", min_width=0, elem_id="pg-draw")
        regions = gr.Button(words.pad.regions, size="sm", min_width=0, elem_id="pg-regions")
    with gr.Row(elem_classes="pg-go"):
        generate = gr.Button(
            words.generate, variant="primary", elem_id="pg-generate", scale=3, min_width=120
        )
        stop = gr.Button(words.stop, interactive=False, elem_id="pg-stop", scale=1, min_width=80)
    turning = gr.Button(words.turning.apply, interactive=False, size="sm", elem_id="pg-apply")
    with gr.Column(elem_classes="pg-examples"):
        gr.HTML(html.heading(words.examples_title))
        with gr.Row():
            examples = {
                f"example {number}": gr.Button(text, size="sm", min_width=0, elem_classes="pg-chip")
                for number, text in enumerate(words.examples)
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


def settings_column(fields: dict[str, Field], policy: Policy, words: Words) -> Parts:
    """Preset, size and seed, and the rest folded."""
    parts: Parts = _basis(words)
    parts |= preset_controls(fields, policy, words)
    with gr.Row(elem_classes="pg-pair"):
        parts["size"] = gr.Dropdown(
            sizes(policy), value=fields["size"].default, label=words.size,
            allow_custom_value=True, min_width=150, elem_id="pg-size",
        )  # fmt: skip
        with gr.Row(elem_classes="pg-seed"):
            parts["seed"] = gr.Textbox(
                label=words.seed, placeholder=words.seed_placeholder, max_lines=1, max_length=19,
                min_width=110, elem_id="pg-seed",
            )  # fmt: skip
            parts["seed_new"] = gr.Button(
                words.seed_new, min_width=0, scale=0, elem_id="pg-seed-new"
            )
            parts["seed_reuse"] = gr.Button(
                words.seed_reuse, min_width=0, scale=0, elem_id="pg-seed-reuse"
            )
    parts["memory"] = gr.HTML("", elem_id="pg-memory", padding=False)
    with gr.Accordion(words.more, open=False, elem_classes="pg-more"):
        parts |= _work(fields, words) | _start(fields, words)
        parts["metadata"] = gr.Checkbox(
            fields["metadata"].default, label=words.info.metadata, info=words.info.metadata_help,
        )  # fmt: skip
    parts |= journey_controls(fields, words)
    parts |= model_controls(fields, words.models)
    parts |= loss_controls(fields, words)
    parts |= augment_controls(words)
    return parts


def _basis(words: Words) -> Parts:
    """The recipe behind the form, where there is one; a click forgets it."""
    forget = words.info.basis_forget
    return {
        "basis": gr.Textbox("", visible="hidden", label=forget),
        "basis_forget": gr.Button(
            forget, visible=False, size="sm", min_width=0, elem_id="pg-basis"
        ),
    }


def _work(fields: dict[str, Field], words: Words) -> Parts:
    return {
        "drawer": gr.Dropdown(
            list(words.losing.drawers), value=fields["drawer"].default, label=words.losing.drawer
        ),
        "grow": grow_control(words),
        "steps": slider(fields["steps"], words.steps, info=words.steps_help),
        "learning_rate": slider(fields["learning_rate"], words.learning_rate, info=words.learning_rate_help),
        "cutouts": slider(fields["cutouts"], words.cutouts, info=words.cutouts_help),
        "cutout_set": gr.Dropdown(
            list(fields["cutout_set"].choices), value=fields["cutout_set"].default,
            label=words.cutout_set, info=words.cutout_set_help,
        ),
    }  # fmt: skip


def _start(fields: dict[str, Field], words: Words) -> Parts:
    start = gr.Dropdown(
        [(label, kind) for kind, label in words.starts],
        value=fields["start"].default,
        label=words.start,
    )
    picture = gr.File(label=words.start_picture, file_types=["image"], visible=False, height=120)
    of_picture = start_controls(fields, words)
    idea_words = gr.Textbox(
        label=words.idea_words, placeholder=words.idea_words_placeholder, visible=False,
        max_lines=1, max_length=LONGEST_TEXT,
    )  # fmt: skip
    pictures = gr.File(
        label=words.pictures, file_types=["image"], file_count="multiple", height=120
    )
    weight = slider(fields["pictures_weight"], words.pictures_weight)
    return {
        "start": start,
        "start_picture": picture,
        **of_picture,
        "idea_words": idea_words,
        "pictures": pictures,
        "pictures_weight": weight,
    }

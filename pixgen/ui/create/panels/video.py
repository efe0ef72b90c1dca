"""The folded group for films whose every frame is painted: stories, journeys, and videos painted over."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import RecipeError
from pixgen.recipe.base import find_setting
from pixgen.recipe.journey import format_keyframes
from pixgen.recipe.options import Options, parse_size, recipe_from
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.story import COLUMNS
from pixgen.studio.video.journeys import plan_journey, plan_restyle
from pixgen.ui import html
from pixgen.ui.create.form_values import CreateForm
from pixgen.ui.form import Field, setting_field, slider
from pixgen.ui.i18n import Translator

PARTS = ("story_rows", "video")  # of the form, beside the fields; a browser does not keep them
_ROWS = 3
_MOST_FRAMES = 400  # that the page offers
_KEYFRAMES = ("zoom", "x", "y", "turn")
_OF_JOURNEY = ("every", "after", *_KEYFRAMES, "where", "border", "smooth")


def journey_values(recipe: Recipe) -> dict[str, Any]:
    """What a recipe's story and journey are, by the form's names."""
    journey = recipe.journey
    return {
        "fade": recipe.story.fade,
        "blend": recipe.story.blend,
        "frames": journey.frames(recipe.steps),
        "every": journey.every or 3,
        "after": journey.after,
        **{name: format_keyframes(getattr(journey, name)) for name in _KEYFRAMES},
        "where": journey.where,
        "border": journey.border,
        "smooth": journey.smooth,
        "carry": journey.carry,
    }


_PLACES = {
    **{name: f"story.{name}" for name in ("fade", "blend")},
    **{name: f"journey.{name}" for name in (*_OF_JOURNEY, "carry")},
}
SETTINGS = {name: find_setting(Recipe, place) for name, place in _PLACES.items()}


def journey_fields(preset: Mapping[str, Any], most_steps: int) -> dict[str, Field]:
    """The settings of the group, by name, in the page's order."""
    found = {}
    for name in journey_values(Recipe(prompts="-")):
        if name == "frames":
            found[name] = Field(preset[name], 0, min(_MOST_FRAMES, most_steps), 1)
        else:
            found[name] = setting_field(SETTINGS[name], preset[name])
    after = found["after"]
    return found | {"after": replace(after, high=min(after.high or 0, most_steps))}


def journey_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """The group's controls, folded."""
    parts: dict[str, gr.components.Component] = {}

    def put(*names: str) -> None:
        for name in names:
            field, setting = fields[name], SETTINGS[name]
            shown: dict[str, Any] = {
                "label": say(setting.title),
                "info": say(setting.description) or None,
            }
            if setting.choices:
                choices = [(say(title), value) for value, title in setting.choices.items()]
                parts[name] = gr.Dropdown(choices, value=field.default, **shown)
            elif field.low is None:
                parts[name] = gr.Textbox(field.default, **shown, max_lines=1, max_length=400, min_width=120)
            else:
                parts[name] = slider(field, **shown)

    with gr.Accordion(say("Story and journey"), open=False, elem_classes="pg-more", elem_id="pg-journey"):
        gr.HTML(html.heading(say("A story")))
        gr.HTML(
            html.note(
                say(
                    "Write scenes above with ^, or here row by row: from which step, what, how much, and "
                    "how it comes. These rows win over the words above."
                )
            )
        )
        parts["story_rows"] = gr.Dataframe(
            [[""] * len(COLUMNS)] * _ROWS,
            headers=[say("From step"), say("What"), say("Weight"), say("How")],
            row_count=_ROWS,
            column_count=(len(COLUMNS), "fixed"),
            type="array",
            interactive=True,
            wrap=True,
            show_label=False,
            label=say("A story"),
            elem_id="pg-story",
            buttons=[],
            datatype="str",
        )
        put("fade", "blend")
        gr.HTML(html.heading(say("A journey")))
        gr.HTML(
            html.note(
                say(
                    "Each frame of the film takes some steps, and then the view moves on. Values may "
                    "change on the way: 0:1, 60:1.02 is from 1 at frame 0 to 1.02 at frame 60."
                )
            )
        )
        parts["frames"] = slider(fields["frames"], say("Frames"), info=say("0: a picture, no journey."))
        put("every", "after")
        with gr.Row():
            put("zoom", "turn")
        with gr.Row():
            put("x", "y")
        put("where", "border", "smooth")
        parts["video"] = gr.File(label=say("Or paint over a video"), file_types=["video", ".gif"], height=120)
        put("carry")
    return parts


def journey_recipe(form: CreateForm, options: Options) -> Recipe:
    """The recipe of the form's options, as a story, a journey or over a video if the form asks for
    one. Raises RecipeError, VideoError."""
    more = {**options.more, "story": form.given("fade", "blend")}
    options = replace(options, story=_rows(form), more=more)
    frames, given = form.frames or 0, form.given(*_OF_JOURNEY)
    if form.video:
        size = None if options.size is None else parse_size(options.size)
        kept = {name: given[name] for name in ("every", "smooth") if name in given}
        return plan_restyle(
            Path(form.video),
            replace(options, size=None),
            frames=frames or None,
            area=size,
            carry=form.carry,
            **kept,
        )
    if options.preset == "restyle":
        raise RecipeError(
            "To paint over a video, add it under “Story and journey” first, or choose another preset."
        )
    if frames:
        return plan_journey(options, frames=frames, **given)
    if form.frames is not None:  # the preset's journey is not wanted
        options = replace(options, more={**options.more, "journey": {"every": 0, "after": 0}})
    return recipe_from(options)


def _rows(form: CreateForm) -> list[dict[str, Any]]:
    rows = [dict(zip(COLUMNS, row, strict=False)) for row in form.story_rows or ()]
    return [row for row in rows if str(row.get("prompt") or "").strip()]

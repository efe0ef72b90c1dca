"""What is drawn on the page: the pad's HTML and controls, and from what was drawn to a recipe."""

import json
import tempfile
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.commands.regions import with_regions
from pixgen.errors import RecipeError
from pixgen.recipe import Recipe, make_recipe
from pixgen.studio import Run
from pixgen.ui.basis import Basis
from pixgen.ui.fields import Field, slider
from pixgen.ui.retouching import decoded
from pixgen.ui.texts import Words

DRAWN, LAST = "drawn", "last"  # starts that the page alone has
OF_PICTURES = ("picture", DRAWN, LAST)  # starts that have the settings
SETTINGS = ("start_strength", "start_fit", "start_extend")  # of a start from a picture
_LARGEST = 16 * 2**20  # characters of all that was drawn
_BRUSHES = (("small", 6), ("medium", 12), ("large", 20))


def pad_fields(words: Words) -> dict[str, Field]:
    """The settings that a browser keeps, by name."""
    own = words.pad
    return {
        "start_strength": Field(0, 0, 1, 0.05),
        "start_fit": Field("cover", choices=tuple(value for _, value in own.fits)),
        "start_extend": Field("no", choices=tuple(value for _, value in own.extends)),
        "grow": Field("never", choices=tuple(value for _, value in own.growths)),
    }


def start_controls(fields: Mapping[str, Field], words: Words) -> dict[str, gr.components.Component]:
    """The settings of a start from a picture; not to be seen at first."""
    own = words.pad
    made = {
        "start_fit": gr.Dropdown(list(own.fits), value="cover", label=own.fit, visible=False),
        "start_strength": slider(fields["start_strength"], own.strength, info=own.strength_help),
        "start_extend": gr.Dropdown(
            list(own.extends), value="no", label=own.extend, info=own.extend_help, visible=False
        ),
    }
    made["start_strength"].visible = False
    return made


def grow_control(words: Words) -> gr.Dropdown:
    """Whether the canvas grows."""
    own = words.pad
    return gr.Dropdown(list(own.growths), value="never", label=own.grow, info=own.grow_help)


def pad_html(words: Words) -> str:
    """The pad, put away; pad.js opens it and fills in colours or prompts."""
    own = words.pad
    brushes = "".join(
        f'<button type="button" data-brush="{name}" title="{escape(getattr(own, name))}" '
        f'aria-label="{escape(getattr(own, name))}"><i style="width:{size}px;height:{size}px"></i></button>'
        for name, size in _BRUSHES
    )
    acts = "".join(
        f'<button type="button" data-do="{name}">{escape(label)}</button>'
        for name, label in (
            ("erase", own.eraser), ("undo", own.undo), ("clear", own.clear), ("done", own.done),
        )
    )  # fmt: skip
    return (
        f'<section id="pg-pad" hidden data-draw="{escape(own.drawing_help)}" '
        f'data-regions="{escape(own.regions_help)}" data-empty="{escape(own.regions_empty)}">'
        f'<figure class="pg-mat"><div class="pg-pad-mat"><canvas role="img" '
        f'aria-label="{escape(own.canvas)}"></canvas></div></figure><p></p>'
        f'<div class="pg-pad-inks" role="group" aria-label="{escape(own.colours)}"></div>'
        f'<div class="pg-pad-tools" role="group" aria-label="{escape(own.sizes)}">{brushes}{acts}</div>'
        "</section>"
    )


def with_drawn(
    recipe: Recipe, values: Mapping[str, Any], run: Run | None, *, files: ExitStack, words: Words
) -> tuple[Recipe, Collection[str]]:
    """The recipe with what the form and the pad say of its start and its regions, and the pictures of
    these, which may be used wherever they lie.

    Args:
        values: the form; ``drawn`` is the pad's JSON.
        run: the visitor's last, which a start may be.
        files: what was drawn lives as files as long as it is open.

    Raises RecipeError if something is missing or did not arrive.
    """
    start, regions = _read(values.get("drawn"), words)
    basis = Basis.read(values.get("basis"))
    values = values if basis is None else basis.changed(values)
    folder = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="pixgen-")))
    trusted = []

    def kept(data: str, name: str) -> str:
        (folder / name).write_bytes(decoded(data, words))
        trusted.append(str(folder / name))
        return trusted[-1]

    kind = values.get("start")
    if kind == DRAWN:
        if not start:
            raise RecipeError(words.pad.not_drawn)
        recipe = _from_picture(recipe, kept(start, "drawing.png"))
    elif kind == LAST:
        if run is None or not run.picture.is_file():
            raise RecipeError(words.pad.nothing_last)
        trusted.append(str(run.picture))
        recipe = _from_picture(recipe, trusted[-1])
    settings = _settings(values)
    if settings and recipe.start.kind == "picture":
        recipe = make_recipe(recipe.model_dump(), {"start": settings})
    most = max(map(len, recipe.prompts))
    painted = [
        (number, {"region": "everywhere", "mask": kept(data, f"region-{number}.png")})
        for number, data in sorted(regions.items())
        if number <= most
    ]
    if painted:
        scenes = with_regions(recipe.prompts, painted)
        recipe = make_recipe(recipe.model_dump(), {"prompts": scenes})
    return recipe, trusted


def _from_picture(recipe: Recipe, path: str) -> Recipe:
    start = {"kind": "picture", "picture": path, "idea": (), "mask": "", "extend": ""}
    return make_recipe(recipe.model_dump(), {"start": start})


def _settings(values: Mapping[str, Any]) -> dict[str, Any]:
    side = values.get("start_extend")
    if side not in (None, "no"):
        return {"extend": side, "strength": 0.0}
    asked = {"strength": values.get("start_strength"), "fit": values.get("start_fit")}
    return {name: value for name, value in asked.items() if value is not None}


def _read(drawn: Any, words: Words) -> tuple[str, dict[int, str]]:
    """The drawn start and the regions by their prompts' numbers, as ``data:`` addresses."""
    if not drawn:
        return "", {}
    try:
        if len(drawn) > _LARGEST:
            raise ValueError
        value = json.loads(drawn)
        regions = {int(number): data for number, data in value["regions"].items()}
        return value["start"], regions
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecipeError(words.pad.not_arrived) from error

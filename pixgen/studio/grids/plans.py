"""Plan grids, which vary one or two fields of a recipe, and strips, which interpolate between two ideas.

In come options and axes such as ``seed=1-4``, or the two ends of a strip. Out comes a ``Plan``: a recipe for
each cell, with the titles of rows and columns.
"""

import json
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pixgen.errors import RecipeError
from pixgen.recipe.base import current_path
from pixgen.recipe.options import (
    LARGEST_DRAWN_SEED,
    Options,
    check_field,
    load_chosen_styles,
    recipe_from,
)
from pixgen.recipe.prompts import Prompt, Scene, format_prompts, parse, set_weights
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.recipe.styles import apply_styles
from pixgen.recipe.wildcards import draw_wildcards, escape_wildcards, expand_wildcards
from pixgen.studio.grids.grid import MOST_CELLS, Cell, Plan
from pixgen.studio.runs.run import Run
from pixgen.text_files import parse_json

MOST_AXES = 2

_WEIGHT = re.compile(r"weight of prompt (\d{1,3})", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,19})\s*-\s*(\d{1,19})")
_OPTIONS = ("prompt", "preset", "size", "model", "init")  # written as for ``generate``


@dataclass(frozen=True)
class Axis:
    """A field and its values: a dotted name, ``prompt``, ``preset``, ``size``, ``model``,
    ``clip``, ``init``, or ``weight of prompt 2``. Raises RecipeError if it has no value."""

    field: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", current_path(self.field))
        if not self.values:
            raise RecipeError("“{field}” has no values: write for example seed=1-4.", field=self.field)
        if len(self.values) > MOST_CELLS:
            raise RecipeError(
                "“{field}” has {count} values: a grid may have at most {limit} pictures.",
                field=self.field,
                count=len(self.values),
                limit=MOST_CELLS,
            )

    def title(self, index: int) -> str:
        """The title of the row or column of one value."""
        value = self.values[index]
        return draw_wildcards(str(value), 0) if self.field == "prompt" else f"{self.field} {value}"

    def options(self, options: Options, index: int) -> Options:
        """The options with one value. Raises RecipeError."""
        value = self.values[index]
        if self.field in _OPTIONS:
            chosen: dict[str, Any] = {self.field: str(value)}
            return replace(options, **chosen)
        if self.field == "clip":
            return replace(options, clip=tuple(str(value).split("+")))
        if _WEIGHT.fullmatch(self.field):
            return options
        assignment = f"{self.field}={json.dumps(value, ensure_ascii=False)}"
        check_field(assignment)
        return replace(options, assignments=(*options.assignments, assignment))

    def recipe(self, recipe: Recipe, index: int) -> Recipe:
        """Set the weight of one prompt, which options cannot express. Raises RecipeError."""
        found = _WEIGHT.fullmatch(self.field)
        if not found:
            return recipe
        scenes = set_weights(recipe.prompts, {int(found[1]): self.values[index]})
        return make_recipe(recipe.model_dump(), {"prompts": scenes})


def read_axis(text: str) -> Axis:
    """Parse an axis from ``seed=1-4``, ``weight of prompt 2=0.2,0.5,1`` (``:`` does for ``=``) or, where a
    value has a comma, a JSON list: ``prompt=["a, b", "c"]``. Raises RecipeError."""
    found = re.fullmatch(r"([^=:]+)[=:](.*)", text.strip(), re.DOTALL)
    if not found or not found[1].strip():
        raise RecipeError(
            "“{text}” is not of the form field=values: write for example seed=1-4, or "
            "cutouts.kind=gentle,crowson.",
            text=text[:60],
        )
    field, values = (part.strip() for part in found.groups())
    if span := _RANGE.fullmatch(values):
        first, last = map(int, span.groups())
        if last - first >= MOST_CELLS:
            raise RecipeError(
                "“{values}” are too many values: a grid may have at most {limit} pictures.",
                values=values,
                limit=MOST_CELLS,
            )
        return Axis(field, tuple(range(first, last + 1)))
    if values.startswith("["):
        try:
            return Axis(field, tuple(parse_json(values)))
        except ValueError as error:
            raise RecipeError(
                'The values of “{field}” are not a JSON list: write for example {field}=["one, two", '
                '"three"].',
                field=field,
            ) from error
    return Axis(field, tuple(_parse_value(each.strip()) for each in values.split(",") if each.strip()))


def plan_grid(options: Options, axes: Sequence[Axis]) -> Plan:
    """Plan a grid: the first axis gives the rows, the second the columns; a single axis gives columns.

    The wildcards of the prompt become an axis if there is only one other; otherwise the seed chooses among
    them. All cells share one seed, unless the seed varies. Raises RecipeError.
    """
    axes = [_expand_prompts(axis) if axis.field == "prompt" else axis for axis in axes]
    if len(axes) < MOST_AXES and options.prompt and "prompt" not in {axis.field for axis in axes}:
        prompts = _expand_prompts(Axis("prompt", (options.prompt,)))
        if len(prompts.values) > 1:
            axes.insert(0, prompts)
    if not 1 <= len(axes) <= MOST_AXES:
        raise RecipeError(
            "A grid varies one or two fields: write for example --over seed=1-4, or {a|b} in the prompt."
        )
    if len({axis.field for axis in axes}) < len(axes):
        raise RecipeError("“{field}” is given twice: put all its values into one.", field=axes[0].field)
    if options.seed is None and options.recipe is None:
        options = replace(options, seed=secrets.randbelow(LARGEST_DRAWN_SEED + 1))
    down, across = axes if len(axes) == 2 else (None, axes[0])
    rows = range(len(down.values)) if down else (0,)
    cells = tuple(
        Cell(recipe=_cell_recipe(options, [*([(down, row)] if down else []), (across, column)]))
        for row in rows
        for column in range(len(across.values))
    )
    titles = {cell.recipe.title for cell in cells}
    return Plan(
        rows=tuple(map(down.title, rows)) if down else ("",),
        columns=tuple(map(across.title, range(len(across.values)))),
        cells=cells,
        title=titles.pop() if len(titles) == 1 else "",
    )


def plan_batch(options: Options, *, count: int) -> Plan:
    """Plan ``count`` pictures of one recipe with successive seeds, on a contact sheet that is about as wide as high.
    Raises RecipeError."""
    if not 1 <= count <= MOST_CELLS:
        raise RecipeError("A batch has 1 to {limit} pictures, not {count}.", limit=MOST_CELLS, count=count)
    if options.seed is None and options.recipe is None:
        options = replace(options, seed=secrets.randbelow(LARGEST_DRAWN_SEED + 1 - count))
    first = recipe_from(options)
    recipes = [
        first,
        *(make_recipe(first.model_dump(), {"seed": first.seed + more}) for more in range(1, count)),
    ]
    return _contact_plan([Cell(recipe=recipe) for recipe in recipes], title=first.title)


def plan_contact_sheet(runs: Sequence[Run]) -> Plan:
    """The contact sheet of finished runs, with their prompt above it if they have the same one. Raises RecipeError if
    there are too many."""
    titles = {run.recipe.title for run in runs}
    cells = [Cell(recipe=run.recipe, run=run.id) for run in runs]
    return _contact_plan(cells, title=titles.pop() if len(titles) == 1 else "")


def _contact_plan(cells: Sequence[Cell], *, title: str) -> Plan:
    """Cells without titles, about as wide as high; a number that cannot be divided is one row."""
    count = len(cells)
    columns = next(each for each in range(math.isqrt(count - 1) + 1, count + 1) if count % each == 0)
    return Plan(rows=("",) * (count // columns), columns=("",) * columns, cells=tuple(cells), title=title)


def make_axes(over: Mapping[str, Sequence[Any]] | Sequence[str]) -> list[Axis]:
    """Make axes from values by field, or from texts such as ``seed=1-4``. Raises RecipeError."""
    if isinstance(over, Mapping):
        return [Axis(field, tuple(values)) for field, values in over.items()]
    return [read_axis(text) for text in over]


def _expand_prompts(axis: Axis) -> Axis:
    """Expand the wildcards of an axis of prompts: each text becomes a value."""
    every = [escape_wildcards(text) for value in axis.values for text in expand_wildcards(str(value))]
    return Axis(axis.field, tuple(every))


def _cell_recipe(options: Options, chosen: Sequence[tuple[Axis, int]]) -> Recipe:
    for axis, index in chosen:
        options = axis.options(options, index)
    recipe = recipe_from(options)
    for axis, index in chosen:
        recipe = axis.recipe(recipe, index)
    return recipe


def _parse_value(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return text


FEWEST, MOST = 2, 64


def read_idea(text: str) -> Scene:
    """Parse an end of a strip: a picture's path, or texts and ``[pictures]`` divided by ``|``, each with a
    weight. Raises RecipeError."""
    if not text.strip():
        raise RecipeError("A strip needs two ideas: give text or a picture for each.")
    if _is_file(text):
        return (Prompt(picture=text.strip()),)
    scenes = parse(text)
    if len(scenes) > 1:
        raise RecipeError("Each end of a strip is a single scene: separate its prompts with |, not with ^.")
    return scenes[0]


def interpolate_ideas(first: Scene, last: Scene, part: float) -> Scene:
    """Interpolate between two ideas by their weights, at ``part`` of the way in [0, 1]: the resulting CLIP
    vectors lie on the great circle between the two."""
    mixed = []
    for terms, share in ((first, 1 - part), (last, part)):
        mixed += [
            term.model_copy(update={"weight": round(term.weight * share, 6)})
            for term in terms
            if round(term.weight * share, 6)
        ]
    return tuple(mixed)


def plan_strip(
    ends: Sequence[str | Scene], options: Options, *, count: int, sketch: Literal["mixed", "things"] = "mixed"
) -> Plan:
    """Plan ``count`` pictures between two ideas; all share one seed.

    An end is text for ``read_idea``, or the terms themselves. Without steps in ``options``, sketches are not
    optimized. Raises RecipeError.

    Args:
        sketch: what each picture starts from: a sketch of the mixed CLIP vectors, or one of the nearer end's text
            (in the middle, of both texts), which the steps take towards the mixture. The latter shows things, of
            which the bundled sketch model has stored examples; it needs steps, and ends of texts with positive
            weights.
    """
    if not FEWEST <= count <= MOST:
        raise RecipeError(
            "A strip has {fewest} to {limit} pictures, not {count}.",
            fewest=FEWEST,
            limit=MOST,
            count=count,
        )
    scenes = tuple(read_idea(end) if isinstance(end, str) else end for end in ends)
    first, last = apply_styles(scenes, load_chosen_styles(options))
    options = replace(options, styles=())  # the ends are in them already
    if options.seed is None:
        options = replace(options, seed=secrets.randbelow(LARGEST_DRAWN_SEED + 1))
    whole = recipe_from(replace(options, prompt=format_prompts(((*first, *last),))))
    cells, parts = [], [index / (count - 1) for index in range(count)]
    for part in parts:
        mixed = [term.model_dump() for term in interpolate_ideas(first, last, part)]
        own: dict[str, Any] = {"prompts": [mixed], "steps": options.steps or 0}
        if sketch == "mixed":
            own["init"] = {"kind": "idea", "picture": "", "idea": mixed}
        else:
            own["init"] = {"kind": "sketch", "picture": "", "idea": ()}
            shown = first if part < 0.4 else last if part > 0.6 else (*first, *last)
            own["prompts"] = [[term.model_dump() for term in shown]]
            own["changes"] = [{"step": 1, "prompts": [mixed]}] if 0 < part < 1 else []
        cells.append(Cell(recipe=make_recipe(whole.model_dump(), own)))
    return Plan(
        rows=("",),
        columns=tuple(f"{part:.0%}" for part in parts),
        cells=tuple(cells),
        title=f"{_idea_title(first)} to {_idea_title(last)}",
    )


def _idea_title(idea: Scene) -> str:
    return " | ".join(term.label for term in idea)


def _is_file(text: str) -> bool:
    try:
        return Path(text.strip()).is_file()
    except (OSError, ValueError):  # too long for a path, or no path at all
        return False

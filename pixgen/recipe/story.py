"""Stories: settings of the transitions between scenes, and tables (CSV or JSON) of scenes.

A scene begins at its step. Its prompts take over during the last part of the scene before (``fade``):
either each prompt's direction in CLIP's space is turned into its successor's, or weights are blended.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from pixgen.errors import InvalidValue, RecipeError
from pixgen.paths import expand
from pixgen.recipe.base import Value, setting
from pixgen.recipe.prompts import Prompt, Scene, parse
from pixgen.text_files import decode, parse_count, parse_json, read_table
from pixgen.text_files import parse_number as read_number

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe


_LARGEST = 2**20  # bytes


def read_rows(path: Path) -> list[Mapping[str, Any]]:
    """The rows of a table in a file, by the names in ``COLUMNS``, as ``text_files.read_table`` reads them.
    Raises RecipeError."""
    try:
        with expand(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = decode(data)
    except (OSError, ValueError) as error:
        raise RecipeError(
            "The table “{name}” cannot be read: check that it is there.", name=path.name
        ) from error
    if len(data) > _LARGEST:
        raise RecipeError("The table “{name}” is too long: leave some rows out.", name=path.name)
    try:
        rows: list[Any] = _read_json(text) if text.lstrip().startswith("[") else read_table(text)
    except (csv.Error, TypeError) as error:  # a cell without an end, or a separator that is none
        raise RecipeError("The table “{name}” is broken: save it again.", name=path.name) from error
    if not all(isinstance(row, dict) for row in rows) or any(
        set(row) - set(COLUMNS) or "prompt" not in row for row in rows
    ):
        raise RecipeError(
            "The table “{name}” must have a column “prompt”, and can have only {choices} besides.",
            name=path.name,
            choices=", ".join(COLUMNS),
        )
    return rows


def _read_json(text: str) -> list[Any]:
    try:
        rows = parse_json(text)
    except json.JSONDecodeError as error:
        raise RecipeError(
            "This is not a table: its JSON is invalid at line {line}.", line=error.lineno
        ) from error
    except ValueError as error:
        raise RecipeError("This is not a table: its JSON is too large.") from error
    return [
        {name.strip().lower(): value for name, value in row.items()} if isinstance(row, dict) else row
        for row in rows
    ]


Easing = Literal["linear", "smooth", "early", "late", "cut"]
EASINGS: dict[Easing, str] = {
    "linear": "at one pace",
    "smooth": "slowly at both ends",
    "early": "quickly at first",
    "late": "quickly at last",
    "cut": "at once",
}
COLUMNS = ("from", "prompt", "weight", "easing")


class Story(Value):
    """When the scenes begin, and how each passes into the next."""

    fade: Annotated[
        float,
        setting(
            "Transition length",
            "The fraction of a scene during which it changes into the next. 0: an instant cut.",
            low=0,
            high=1,
            step=0.05,
        ),
    ] = 0.0
    blend: Annotated[
        Literal["embeddings", "weights"],
        setting(
            "Transition",
            choices={"embeddings": "interpolate the embeddings", "weights": "fade the weights"},
        ),
    ] = "embeddings"
    sketch: Annotated[
        bool, setting("Sketch each scene", "Blends the picture into a sketch of each scene.")
    ] = False
    easing: Annotated[Easing, setting("Easing")] = "smooth"
    # The first step of each scene, the first 0; without, the scenes share the steps evenly.
    starts: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=100)] = ()
    easings: Annotated[tuple[Easing, ...], Field(max_length=100)] = ()  # into each scene, if not one

    @model_validator(mode="after")
    def _in_order(self) -> "Story":
        starts = self.starts
        if starts and (starts[0] or any(b <= a for a, b in zip(starts, starts[1:], strict=False))):
            raise InvalidValue(
                "the scenes of a story must begin at step 0 and follow in the order of their steps"
            )
        return self

    def check(self, recipe: "Recipe") -> None:
        """Raise InvalidValue if the recipe has another number of scenes than the story."""
        for name in ("starts", "easings"):
            count = len(getattr(self, name))
            if count not in (0, len(recipe.prompts)):
                raise InvalidValue(
                    "story.{name} has {count} values, but there are {scenes} scenes",
                    name=name,
                    count=count,
                    scenes=len(recipe.prompts),
                )

    def transition(self, step: int, *, scenes: int, steps: int) -> tuple[int, float]:
        """The index of the scene at a step, and the progress of its transition into the next, in [0, 1)."""
        starts = self._starts(scenes, steps)
        index = max(place for place, start in enumerate(starts) if start <= step or not place)
        if index + 1 == scenes:
            return index, 0.0
        end = starts[index + 1]
        length = self.fade * (end - starts[index])
        if step <= end - length:
            return index, 0.0
        easing = self.easings[index + 1] if len(self.easings) == scenes else self.easing
        return index, ease(1 - (end - step) / length, easing)

    def _starts(self, scenes: int, steps: int) -> Sequence[int]:
        if len(self.starts) == scenes:
            return self.starts
        return [-(-index * max(1, steps) // scenes) for index in range(scenes)]


def ease(part: float, easing: Easing) -> float:
    """Apply an easing curve to a progress in [0, 1]."""
    if easing == "smooth":
        return part * part * (3 - 2 * part)
    if easing == "early":
        return 1 - (1 - part) ** 2
    if easing == "late":
        return part * part
    return part if easing == "linear" else 0.0


@dataclass(frozen=True)
class StoryTable:
    """A story read from a table: its scenes, and the fields of ``Story`` that the table sets."""

    scenes: tuple[Scene, ...]
    story: dict[str, Any]


def read_story(rows: Sequence[Mapping[str, Any]]) -> StoryTable:
    """Read a story from rows with ``from`` (a step), ``prompt``, ``weight`` and ``easing``.

    Rows with the same step form one scene, and a row without a step belongs to the scene before. If no row
    has a step, each is a scene, and they share the steps evenly. Raises RecipeError, which names the row.
    """
    rows = [row for row in rows if str(row.get("prompt") or "").strip()]
    if not rows:
        raise RecipeError("The table is empty: write a prompt into each row, for example “a red fox”.")
    timed = any(_cell_text(row, "from") for row in rows)
    scenes: dict[int, list[Prompt]] = {}
    easings: dict[int, Easing] = {}
    at = 0
    for number, row in enumerate(rows, start=1):
        at = (_first_step(row, number, otherwise=at)) if timed else number - 1
        scenes.setdefault(at, []).extend(_row_prompts(row, number))
        name = _cell_text(row, "easing") or easings.get(at, "smooth")
        easing = next((each for each in EASINGS if each == name), None)
        if easing is None:
            raise RecipeError(
                "Row {number}: there is no easing “{name}”: choose {choices}.",
                number=number,
                name=name,
                choices=", ".join(EASINGS),
            )
        easings[at] = easing
    order = sorted(scenes)
    if order[0]:
        raise RecipeError("The first scene must begin at step 0, not at {order}.", order=order[0])
    story: dict[str, Any] = {"starts": tuple(order) if timed else (), "easings": ()}
    if set(easings.values()) != {"smooth"}:
        story["easings"] = tuple(easings[each] for each in order)
    return StoryTable(tuple(tuple(scenes[each]) for each in order), story)


def _row_prompts(row: Mapping[str, Any], number: int) -> Scene:
    scenes = parse(str(row["prompt"]))
    if len(scenes) > 1:
        raise RecipeError(
            "Row {number}: each row is one scene. Put the next scene in its own row instead of writing ^.",
            number=number,
        )
    weight = _cell_number(row, "weight", number, otherwise=1.0)
    return tuple(each.model_copy(update={"weight": each.weight * weight}) for each in scenes[0])


def _first_step(row: Mapping[str, Any], number: int, *, otherwise: int) -> int:
    step = _cell_number(row, "from", number, otherwise=otherwise)
    if step < 0 or step != int(step):
        raise RecipeError("Row {number}: “from” must be a step, a whole number from 0.", number=number)
    return int(step)


def _cell_number(row: Mapping[str, Any], name: str, number: int, *, otherwise: float) -> float:
    text = _cell_text(row, name)
    try:
        read = parse_count if name == "from" else read_number
        value = read(text) if text else float(otherwise)
    except ValueError:
        value = float("nan")
    if not -1000 <= value <= 1e9:
        raise RecipeError(
            "Row {number}: “{name}” must be a number, not “{text}”.", number=number, name=name, text=text
        )
    return value


def _cell_text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    text = "" if value is None else str(value).strip()
    return "" if text == "nan" else text  # an empty cell of a table

"""Compares two runs: the differences of their recipes, and a sheet with their pictures side by side."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image, ImageDraw

from pixgen.errors import PictureError, StudioError
from pixgen.images import open_picture
from pixgen.recipe.prompts import format_prompts
from pixgen.recipe.recipe import Recipe
from pixgen.studio.fonts import TextRenderer
from pixgen.studio.grids.grid import GAP, INK, LETTERS, MARGIN, PALE, PAPER
from pixgen.studio.runs.run import Run, mean_similarity

LARGEST_SIDE = 512  # pixels of a picture on a sheet
_LONGEST_VALUE = 60  # characters

Difference = tuple[str, str, str]  # dotted field name, first value, second value


def differences(one: Recipe, other: Recipe) -> list[Difference]:
    """Every field in which two recipes differ, in the recipe's order; prompts as they are typed."""
    found: list[Difference] = [("prompt", one.title, other.title)] if one.prompt != other.prompt else []
    values = [dict(_flat(recipe.model_dump(mode="json"))) for recipe in (one, other)]
    for name in dict.fromkeys([*values[0], *values[1]]):
        before, after = (_format(each.get(name)) for each in values)
        if before != after:
            found.append((name, before, after))
    before, after = (_changes(recipe) for recipe in (one, other))
    if before != after:
        found.append(("changes", before, after))
    if one.prompts != other.prompts and one.prompt == other.prompt:
        before, after = (_short(json.dumps(each)) for each in _details(one, other))
        found.append(("prompts", before, after))
    return found


def format_differences(found: list[Difference], *, same: str = "The recipes are the same.") -> str:
    """The differences as one line; ``same`` if there are none."""
    return " · ".join(f"{name} {before} → {after}" for name, before, after in found) or same


def draw_pair(one: Run, other: Run) -> Image.Image:
    """Draw two runs side by side, with their ids and similarities, and the differences below.

    Raises StudioError if one of them has no picture yet.
    """
    pictures = [_picture(run) for run in (one, other)]
    width, height = max(each.width for each in pictures), max(each.height for each in pictures)
    renderer, line = TextRenderer(LETTERS), LETTERS + 6
    across = 2 * width + GAP + 2 * MARGIN
    said = renderer.wrap(
        format_differences(differences(one.recipe, other.recipe)), max(160, across - 2 * MARGIN)
    )
    sheet = Image.new("RGB", (across, height + 2 * MARGIN + GAP + line * (len(said) + 1)), PAPER)
    canvas = ImageDraw.Draw(sheet)
    for index, (run, picture) in enumerate(zip((one, other), pictures, strict=True)):
        x = MARGIN + index * (width + GAP)
        sheet.paste(picture, (x + (width - picture.width) // 2, MARGIN + (height - picture.height) // 2))
        match = mean_similarity(run)
        caption = run.id if match is None else f"{run.id}  {match:.3f}"
        renderer.draw(canvas, (x, MARGIN + height + 4), caption, PALE)
    renderer.draw_lines(canvas, (MARGIN, MARGIN + height + line + GAP), said, INK, line=line)
    return sheet


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted names and values of all fields, except those that ``differences`` formats itself."""
    for name, each in value.items():
        if not path and name in ("version", "prompts", "changes"):
            continue
        if isinstance(each, dict):
            yield from _flat(each, f"{path}{name}.")
        else:
            yield path + name, each


def _format(value: object) -> str:
    return _short(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _changes(recipe: Recipe) -> str:
    told = []
    for change in recipe.changes:
        parts = [format_prompts(change.prompts)] if change.prompts else []
        parts += [f"rate {change.learning_rate:g}"] if change.learning_rate else []
        told.append(f"{', '.join(parts)} from step {change.step}")
    return "; ".join(told) or "none"


def _details(one: Recipe, other: Recipe) -> list[list[dict[str, Any]]]:
    """The fields in which prompts of the same text differ, such as their span of steps."""
    pairs = [
        (before.model_dump(mode="json"), after.model_dump(mode="json"))
        for scenes in zip(one.prompts, other.prompts, strict=True)
        for before, after in zip(*scenes, strict=True)
    ]
    return [
        [{name: pair[side][name] for name in pair[0] if pair[0][name] != pair[1][name]} for pair in pairs]
        for side in (0, 1)
    ]


def _picture(run: Run) -> Image.Image:
    try:
        picture = open_picture(run.picture).convert("RGB")
    except PictureError as error:
        raise StudioError("The run {run} has no picture yet: paint it first.", run=run.id) from error
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    return picture

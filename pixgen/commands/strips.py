"""A strip: the pictures between two ideas, as the plan of a grid of one row."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixgen.commands.options import LARGEST_DRAWN_SEED, Options, chosen_styles, recipe_from
from pixgen.errors import RecipeError
from pixgen.prompts import Prompt, Scene, format_prompts, parse
from pixgen.recipe import make_recipe
from pixgen.studio.grids import Cell, Plan
from pixgen.styles import in_styles

FEWEST, MOST = 2, 64


def read_idea(text: str) -> Scene:
    """An end of a strip: a picture's path, or texts and ``[pictures]`` divided by ``|``, each with its
    weight. Raises RecipeError."""
    if not text.strip():
        raise RecipeError("A strip lies between two ideas: give words or a picture for each.")
    if _is_file(text):
        return (Prompt(picture=text.strip()),)
    scenes = parse(text)
    if len(scenes) > 1:
        raise RecipeError("An end of a strip has one scene: write its parts with |, not with ^.")
    return scenes[0]


def between(first: Scene, last: Scene, part: float) -> Scene:
    """The sum of two ideas at ``part`` of the way, in [0, 1]: unit vectors so mixed lie on the great
    circle between the two."""
    mixed = []
    for terms, share in ((first, 1 - part), (last, part)):
        mixed += [
            term.model_copy(update={"weight": round(term.weight * share, 6)})
            for term in terms
            if round(term.weight * share, 6)
        ]
    return tuple(mixed)


def plan_strip(ends: Sequence[str | Scene], options: Options, *, count: int) -> Plan:
    """``count`` pictures from one idea to the other, each with its own recipe and all with one seed.

    An end is as ``read_idea`` reads it, or the terms themselves. Without steps in ``options``, sketches
    are kept as they are. Raises RecipeError.
    """
    if not FEWEST <= count <= MOST:
        raise RecipeError(
            "A strip has {fewest} to {limit} pictures, not {count}.",
            fewest=FEWEST,
            limit=MOST,
            count=count,
        )
    scenes = tuple(read_idea(end) if isinstance(end, str) else end for end in ends)
    first, last = in_styles(scenes, chosen_styles(options))
    options = replace(options, styles=())  # the ends are in them already
    if options.seed is None:
        options = replace(options, seed=secrets.randbelow(LARGEST_DRAWN_SEED + 1))
    whole = recipe_from(replace(options, prompt=format_prompts(((*first, *last),))))
    cells, parts = [], [index / (count - 1) for index in range(count)]
    for part in parts:
        terms = [term.model_dump() for term in between(first, last, part)]
        own = {
            "prompts": [terms], "start": {"kind": "idea", "picture": "", "idea": terms},
            "steps": options.steps or 0,
        }  # fmt: skip
        cells.append(Cell(recipe=make_recipe(whole.model_dump(), own)))
    return Plan(
        rows=("",), columns=tuple(f"{part:.0%}" for part in parts), cells=tuple(cells),
        title=f"{_name(first)} to {_name(last)}",
    )  # fmt: skip


def _name(idea: Scene) -> str:
    return " | ".join(term.label for term in idea)


def _is_file(text: str) -> bool:
    try:
        return Path(text.strip()).is_file()
    except (OSError, ValueError):  # too long for a path, or no path at all
        return False

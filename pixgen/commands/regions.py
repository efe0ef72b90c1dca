"""Regions from outside the prompts' text: ``2=left``, ``2=mask.png``."""

import re
from collections.abc import Iterable
from typing import Any

from pixgen.errors import RecipeError
from pixgen.paths import expand
from pixgen.prompts import PLACES, Prompt, Scene

Region = tuple[int, dict[str, Any]]  # the number of a prompt, and what of it to set


def parse_region(text: str) -> Region:
    """A prompt's number and its region, from ``N=WHERE``. Raises RecipeError."""
    found = re.fullmatch(r"\s*(\d{1,4})\s*=\s*(.*?)\s*", text, re.DOTALL)
    if not found or not found[2]:
        raise RecipeError(
            "“{text}” is not a region: write a prompt's number and where it applies, for example "
            "2=left or 2=mask.png.",
            text=text,
        )
    number, where = int(found[1]), found[2]
    word = "centre" if where.lower() == "center" else where.lower()
    if word in PLACES:
        return number, {"region": word, "mask": ""}
    if not expand(where).is_file():
        raise RecipeError(
            "“{where}” is neither a region nor a picture that is there: choose {choices}, or a "
            "picture that is white where the prompt applies.",
            where=where,
            choices=", ".join(PLACES),
        )
    return number, {"region": "everywhere", "mask": where}


def with_regions(scenes: tuple[Scene, ...], regions: Iterable[Region]) -> tuple[Scene, ...]:
    """The same scenes, in each of which the prompts of those numbers, counted from 1, have other
    regions. Raises RecipeError if no scene has so many."""
    for number, where in regions:
        most = max(map(len, scenes))
        if not 1 <= number <= most:
            raise RecipeError(
                "There is no prompt {number} to have a region: there are {most}.",
                number=number,
                most=most,
            )
        scenes = tuple(
            tuple(
                Prompt.model_validate(prompt.model_dump() | where) if place == number else prompt
                for place, prompt in enumerate(scene, start=1)
            )
            for scene in scenes
        )
    return scenes

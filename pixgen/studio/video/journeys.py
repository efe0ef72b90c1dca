"""Recipes of journeys and of restyled videos, from what was asked for."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.presets import load_preset
from pixgen.recipe.recipe import LARGEST_SIDE, MOST_STEPS, SMALLEST_SIDE, Recipe

MOST_FRAMES = 5000
_SIDE_MULTIPLE = 16  # pixels, of which a side that a video decides is a multiple


def plan_journey(options: Options, *, frames: int, **journey: Any) -> Recipe:
    """A journey of so many frames; ``journey`` are the fields of ``pixgen.recipe.journey.Journey``, None where
    the preset decides. Raises RecipeError."""
    if not 1 <= frames <= MOST_FRAMES:
        raise RecipeError(
            "A journey has 1 to {limit} frames, not {frames}.", limit=MOST_FRAMES, frames=frames
        )
    options = replace(options, preset=options.preset or "journey")
    given = _set_values(journey)
    base = {**load_preset(options.preset).recipe.get("journey", {}), **given}
    every, after = int(base.get("every") or 4), int(base.get("after") or 0)
    steps = after + max(1, every) * (frames - 1)
    if steps > MOST_STEPS:
        raise RecipeError(
            "{frames} frames of {every} steps are {steps} steps, and {limit} are possible: ask for fewer.",
            frames=frames,
            every=every,
            steps=steps,
            limit=MOST_STEPS,
        )
    own = {**given, "every": every, "after": after}
    return recipe_from(replace(options, steps=steps, more={**options.more, "journey": own}))


def plan_restyle(
    video: Path,
    options: Options,
    *,
    frames: int | None = None,
    area: tuple[int, int] | None = None,
    **journey: Any,
) -> Recipe:
    """The recipe that paints over a video, frame by frame: all of it, or the first ``frames``.

    A run has at most 20,000 steps: of a longer video its beginning is painted over, which the job says.
    If no size is wanted, it is the video's shape with as many pixels as a canvas of ``area``, or as the
    preset paints. Raises RecipeError, VideoError.
    """
    from pixgen.studio.video.source import probe

    options = replace(options, preset=options.preset or "restyle")
    preset = load_preset(options.preset).recipe
    given = _set_values(journey)
    base = {**preset.get("journey", {}), **given}
    every = max(1, int(base.get("every") or 4))
    limit = MOST_STEPS // every
    if frames is not None and not 1 <= frames <= limit:
        raise RecipeError(
            "At {every} steps a frame, 1 to {limit} frames of a video can be painted over, not {frames}.",
            every=every,
            limit=limit,
            frames=frames,
        )
    looked = probe(video, fps=base.get("fps", 12.0), most=frames or limit)
    if options.size is None:
        across, down = area or (preset.get("width", 128), preset.get("height", 128))
        width, height = fit_shape(looked.width, looked.height, pixels=across * down)
        options = replace(options, size=f"{width}x{height}")
    steps = every * looked.frames
    own = {**given, "every": every, "after": every, "video": str(video)}
    more = {**options.more, "journey": own, "init": {"kind": "video"}}
    return recipe_from(replace(options, steps=steps, init=None, more=more))


def fit_shape(width: int, height: int, *, pixels: int) -> tuple[int, int]:
    """The canvas in the shape of a video, with about so many pixels."""
    factor = math.sqrt(pixels / (width * height))
    sides = (
        max(2 * _SIDE_MULTIPLE, _SIDE_MULTIPLE * round(side * factor / _SIDE_MULTIPLE))
        for side in (width, height)
    )
    across, down = (min(LARGEST_SIDE, max(SMALLEST_SIDE, side)) for side in sides)
    return across, down


def _set_values(journey: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in journey.items() if value is not None}

"""Plan journeys and restyled videos: from options and a number of frames to a recipe."""

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
    """Plan a journey of ``frames`` frames. ``journey`` are fields of ``pixgen.recipe.journey.Journey``; None
    leaves a field to the preset. Raises RecipeError."""
    if not 1 <= frames <= MOST_FRAMES:
        raise RecipeError(
            "A journey has 1 to {limit} frames, not {frames}.", limit=MOST_FRAMES, frames=frames
        )
    preset = options.preset or "journey"
    options = replace(options, preset=preset)
    given = _set_values(journey)
    base = {**load_preset(preset).recipe.get("journey", {}), **given}
    every, after = int(base.get("every") or 4), int(base.get("after") or 0)
    steps = after + max(1, every) * (frames - 1)
    if steps > MOST_STEPS:
        raise RecipeError(
            "{frames} frames of {every} steps are {steps} steps, but at most {limit} are possible: "
            "choose fewer.",
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
    """Plan painting over a video, frame by frame: all of it, or the first ``frames`` frames.

    A run has at most 20,000 steps: of a longer video only the beginning is painted over, and the job reports
    this. Without a size, the canvas has the video's aspect ratio and as many pixels as ``area``, or as the
    preset. Raises RecipeError, VideoError.
    """
    from pixgen.studio.video.source import probe

    name = options.preset or "restyle"
    options = replace(options, preset=name)
    preset = load_preset(name).recipe
    given = _set_values(journey)
    base = {**preset.get("journey", {}), **given}
    every = max(1, int(base.get("every") or 4))
    limit = MOST_STEPS // every
    if frames is not None and not 1 <= frames <= limit:
        raise RecipeError(
            "With {every} steps per frame, 1 to {limit} frames of a video can be restyled, not {frames}.",
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
    """Width and height with the aspect ratio of a video and about ``pixels`` pixels in all."""
    factor = math.sqrt(pixels / (width * height))
    sides = (
        max(2 * _SIDE_MULTIPLE, _SIDE_MULTIPLE * round(side * factor / _SIDE_MULTIPLE))
        for side in (width, height)
    )
    across, down = (min(LARGEST_SIDE, max(SMALLEST_SIDE, side)) for side in sides)
    return across, down


def _set_values(journey: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in journey.items() if value is not None}

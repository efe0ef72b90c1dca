"""Values that change over time, drawn as curves below the camera's controls.

Drawn are the camera's values, the learning rate's factor and the prompts' weights, as far as they change; with a
sound, over its levels.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from pixgen.errors import PixgenError
from pixgen.recipe.effects.expressions import SILENCE, SOUND_NAMES, Moment
from pixgen.recipe.journey import CURVES, STEPS_A_SECOND, Curve, Journey, check_keyframes, curve_at
from pixgen.recipe.prompts import MOST_WEIGHT, parse
from pixgen.recipe.recipe import MOST_STEPS
from pixgen.studio.video.sound import Levels, open_levels
from pixgen.ui.components import QUIET, Parts, on_answer, on_pause
from pixgen.ui.create.form import EFFECT_SETTINGS, JOURNEY_SETTINGS, CreateForm
from pixgen.ui.errors import error_text
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import read_form_number

ASKED = ("prompt", "steps", "frames", *CURVES, "rate_factor", "sound")
_ASK = "pg-ask-curves"
_POINTS = 240  # of a curve at most
_WIDTH, _HEIGHT = 240, 40
_LIMITS = {**CURVES, "rate_factor": (0, 10, 1)}


def wire_curves(say: Translator, parts: Parts) -> None:
    """Keep ``parts["curves"]`` up to date with what is typed."""

    def draw(*values: Any) -> str:
        return curves_html(CreateForm.read(dict(zip(ASKED, values, strict=True))), say)

    inputs = [parts[name] for name in ASKED]
    answer = on_pause([part.change for part in inputs], _ASK).click(
        draw, inputs, parts["curves"], trigger_mode="multiple", concurrency_limit=1, **QUIET
    )
    on_answer(answer, _ASK)


def curves_html(form: CreateForm, say: Translator) -> str:
    """The changing values of a form as curves, with their lowest and highest value; empty if none changes.

    A value that is not allowed is said instead of drawn.
    """
    try:
        levels = _levels(form.sound) if form.sound else None
        drawn = [
            _curve_html(title, points, say)
            for title, points in _curves(form, levels, say)
            if max(points) > min(points)
        ]
    except PixgenError as error:
        return f'<p class="pg-curves" role="status">{escape(error_text(error, say))}</p>'
    moves = ""
    if form.frames:  # for scenes.js, which previews the journey
        moves = f'<span hidden data-moves="{escape(json.dumps(_moves(form, levels)))}"></span>'
    if not drawn:
        return moves
    return f'{moves}<section class="pg-curves" aria-label="{escape(say("Values over time"))}">{"".join(drawn)}</section>'


@lru_cache(maxsize=8)
def _levels(path: str) -> Levels:
    return open_levels(Path(path))


def _curves(form: CreateForm, levels: Levels | None, say: Translator) -> Iterator[tuple[str, list[float]]]:
    """The title and the values of each curve, at up to ``_POINTS`` frames."""
    fps = Journey().fps if form.frames else STEPS_A_SECOND
    asked = read_form_number(form.frames or form.steps or 2, int, name="frames")
    count = min(max(2, asked), MOST_STEPS)
    frames = {round(number * (count - 1) / (_POINTS - 1)) for number in range(_POINTS)}
    moments = [_moment(frame, fps, levels) for frame in sorted(frames)]
    values: Mapping[str, Any] = {**{name: getattr(form, name) for name in CURVES}, **form.effects}
    settings = {**JOURNEY_SETTINGS, **EFFECT_SETTINGS}
    for name, (low, high, still) in _LIMITS.items():
        if not form.frames and name in CURVES:
            continue
        curve: Curve = check_keyframes(str(values.get(name) or still), low, high)
        yield (
            say(settings[name].title),
            [curve_at(curve, moment, low=low, high=high, otherwise=still) for moment in moments],
        )
    text = str(form.prompt or "")
    scenes = parse(text) if text.strip(" |^\n") else ()
    for prompt in (prompt for scene in scenes for prompt in scene if prompt.weight_expression):
        title = say("Weight of “{prompt}”", prompt=prompt.label[:40])
        yield title, [min(max(prompt.at(moment).weight, -MOST_WEIGHT), MOST_WEIGHT) for moment in moments]
    if levels is not None:
        for name in SOUND_NAMES:
            yield say("Sound: {level}", level=name), [moment.sound[name] for moment in moments]


def _moves(form: CreateForm, levels: Levels | None) -> list[list[float]]:
    """The camera's values at each of the first frames, in the order of ``Motion``'s fields; the form's are allowed."""
    count = min(read_form_number(form.frames or 0, int, name="frames"), _POINTS)
    journey = Journey(**{name: str(getattr(form, name) or still) for name, (_, _, still) in CURVES.items()})
    moments = (_moment(frame, journey.fps, levels) for frame in range(count))
    motions = (journey.motion(moment.frame, moment.sound) for moment in moments)
    return [[round(value, 5) for value in astuple(motion)] for motion in motions]


def _moment(frame: int, fps: float, levels: Levels | None) -> Moment:
    seconds = frame / fps
    return Moment(frame, seconds, SILENCE if levels is None else levels.at(seconds, 1 / fps))


def _curve_html(title: str, points: list[float], say: Translator) -> str:
    low, high = min(points), max(points)
    across = _WIDTH / (len(points) - 1)
    line = " ".join(
        f"{number * across:.1f},{_HEIGHT * (high - value) / (high - low):.1f}"
        for number, value in enumerate(points)
    )
    digits = 2 - math.floor(math.log10(high - low))  # three of the range
    span = say("{low:.3g} to {high:.3g}", low=round(low, digits), high=round(high, digits))
    return (
        f"<figure><figcaption>{escape(title)} <small>{escape(span)}</small></figcaption>"
        f'<svg viewBox="0 -1 {_WIDTH} {_HEIGHT + 2}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(f"{title}: {span}")}"><polyline points="{line}"/></svg></figure>'
    )

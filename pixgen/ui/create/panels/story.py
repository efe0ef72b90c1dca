"""A story as cards, a scene each, and the preview of a camera journey; scenes.js draws both in the browser.

The cards are sent with the press of Generate, as JSON: a list of ``{"prompt", "seconds", "easing"}``.
"""

import json
import math
from html import escape
from typing import Any

from pixgen.errors import RecipeError
from pixgen.studio.video.recording import FPS
from pixgen.text_files import parse_json
from pixgen.ui.i18n import Translator

_LONGEST = 200_000  # characters of all cards
_MOST = 100  # cards
_USUAL = 2.0  # seconds of a scene without a length, where others have one


def story_cards_html(say: Translator) -> str:
    """The place of the cards, with the words that scenes.js writes on them."""
    said = {
        "scene": say("Scene {number}", number="{number}"),
        "prompt": say("a red fox in the snow"),
        "seconds": say("Seconds"),
        "auto": say("auto"),
        "easing": say("Transition into it"),
        "earlier": say("Earlier"),
        "later": say("Later"),
        "remove": say("Remove this scene"),
        "drag": say("Drag to another place"),
        "total": say("{seconds} s of video, {steps} steps", seconds="{seconds}", steps="{steps}"),
    }
    names = {
        "linear": say("at one pace"),
        "smooth": say("slowly at both ends"),
        "early": say("quickly at first"),
        "late": say("quickly at last"),
        "cut": say("at once"),
    }
    data = escape(json.dumps({"said": said, "easings": names, "fps": FPS}))
    return (
        f'<section class="pg-scenes" data-cards="{data}" aria-label="{escape(say("Scenes"))}"><ol></ol>'
        f'<p><button type="button" data-add>{escape(say("Add a scene"))}</button><small></small></p></section>'
    )


def story_note_html(say: Translator) -> str:
    """The note below the prompt that scenes replace it, hidden while there are none."""
    said = say("The scenes under “Story and camera” replace this prompt.")
    return (
        f'<p class="pg-scenes-note" hidden><span>{escape(said)}</span> '
        f'<button type="button" data-clear-scenes>{escape(say("Remove the scenes"))}</button></p>'
    )


def journey_preview_html(say: Translator) -> str:
    """The canvas on which scenes.js moves the picture as the camera will."""
    label = escape(say("Preview of the camera's move"))
    return f'<canvas class="pg-journey-preview" width="192" height="128" role="img" aria-label="{label}"></canvas>'


def read_story(given: Any) -> tuple[list[dict[str, Any]], int | None]:
    """The rows of a story, by the columns of a table of scenes, and the steps that its seconds need.

    Args:
        given: the cards as JSON, or as a program sends them, a list of rows; anything empty is no story.

    Raises RecipeError if the cards did not arrive whole.
    """
    if not given:
        return [], None
    if not isinstance(given, str):
        rows = [dict(zip(("from", "prompt", "weight", "easing"), row, strict=False)) for row in given]
        return [row for row in rows if str(row.get("prompt") or "").strip()], None
    try:
        cards = parse_json(given) if len(given) <= _LONGEST else None
        found = [(str(card["prompt"]), _seconds(card["seconds"]), str(card["easing"])) for card in cards]
        if len(found) > _MOST:
            raise ValueError
    except (ValueError, TypeError, KeyError) as error:
        raise RecipeError("The scenes of the story did not arrive: write them again.") from error
    found = [card for card in found if card[0].strip()]
    timed = any(seconds for _, seconds, _ in found)
    rows, at = [], 0
    for prompt, seconds, easing in found:
        rows.append({"from": str(at) if timed else "", "prompt": prompt, "weight": "", "easing": easing})
        at += max(1, round((seconds or _USUAL) * FPS))
    return rows, at if timed else None


def _seconds(value: Any) -> float | None:
    """The length of a scene; None for an empty one."""
    if value in (None, ""):
        return None
    seconds = float(value)
    if not (math.isfinite(seconds) and 0 < seconds <= 3600):
        raise RecipeError("The seconds of a scene must be above 0 and at most 3600.")
    return seconds

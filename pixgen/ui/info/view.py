"""HTML of a picture's metadata: preview, prompts, settings, and settings without a counterpart."""

import base64
import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np

from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.recipe.prompts import NO_STOP, Prompt, Scene
from pixgen.studio.metadata.picture_info import PictureInfo, flatten
from pixgen.studio.runs.inputs import named_files
from pixgen.ui.canvas import jpeg
from pixgen.ui.i18n import Translator

_SIDE = 480  # of the preview
_MOST_SHOWN = 300  # characters of a value


def empty(say: Translator) -> str:
    """The empty state, before the first file."""
    files = say(
        "Reads PNG, MP4, WebM, GIF, WebP and recipe (JSON) files of pixgen, PNGs of pixray and VQGAN-CLIP, and PNGs, JPEGs and WebPs of stable-diffusion-webui as far as their settings have a counterpart here."
    )
    return (
        f'<div class="pg-answers-empty"><h2>{escape(say("Drop a picture to see how it was made."))}</h2>'
        f"<p>{escape(say('Its recipe paints the same picture again.'))}</p><p>{escape(files)}</p></div>"
    )


def error_html(message: str) -> str:
    """The message about a file that could not be read."""
    return f'<p class="pg-notice pg-info-failed" role="alert">{escape(message)}</p>'


def of_info(say: Translator, info: PictureInfo, path: Path) -> str:
    """A file's metadata; ``path`` is the file, for its preview."""
    name = path.name
    notes = (
        [say("Settings that {program} does not record are default.", program=info.program)]
        if info.program != "pixgen"
        else []
    )
    notes += [] if info.has_seed else [say("The seed is not recorded.")]
    notes += [
        (
            say(
                "It was painted with the picture “{name}”, which is not in the file: add it under “Advanced › Start and picture prompts”.",
                name=Prompt(picture=each).label,
            )
        )
        for each in sorted(named_files(info.recipe))  # not looked up: the recipe may be a stranger's
    ]
    told = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f'<article class="pg-info" data-program="{escape(info.program)}">{_preview(path)}'
        f"<div><h2>{escape(say('Made by {program}', program=info.program))}</h2>"
        f"<p>{escape(name)}</p>{told}</div>"
        f"<h3>{escape(say('Prompts'))}</h3>{_prompts(say, info.recipe.prompts)}"
        f"<h3>{escape(say('Settings'))}</h3>{_rows(_settings(info))}<p>{escape(say('Everything else is default.'))}</p>"
        f"{_left_out(say, info)}</article>"
    )


def _preview(path: Path) -> str:
    try:
        picture = open_picture(path)
    except PictureError:
        return ""  # a video, or only a recipe
    picture.thumbnail((_SIDE, _SIDE))
    source = base64.b64encode(jpeg(np.asarray(picture))).decode()
    alt = escape(f"{path.name}")
    return f'<img src="data:image/jpeg;base64,{source}" alt="{alt}">'


def _prompts(say: Translator, scenes: tuple[Scene, ...]) -> str:
    items = []
    for number, scene in enumerate(scenes, 1):
        if len(scenes) > 1:
            items.append(f"<li><small>{escape(say('scene {number}', number=number))}</small></li>")
        items += [f"<li>{escape(prompt.label)}{_weight(say, prompt)}</li>" for prompt in scene]
    return f'<ul class="pg-info-words">{"".join(items)}</ul>'


def _weight(say: Translator, prompt: Prompt) -> str:
    said = [] if prompt.weight == 1 else [say("weight {weight:g}", weight=prompt.weight)]
    said += [] if prompt.stop == NO_STOP else [f"{prompt.stop:g}"]
    return f" <small>{escape(' · '.join(said))}</small>" if said else ""


def _settings(info: PictureInfo) -> Iterable[tuple[str, str]]:
    """Settings that differ from the defaults, by the recipe's names; size, steps and seed always."""
    recipe = info.recipe
    yield "size", f"{recipe.width} × {recipe.height}"
    yield "steps", str(recipe.steps)
    if info.has_seed:
        yield "seed", str(recipe.seed)
    shown = {"prompts", "width", "height", "steps", "seed", "version"}
    special = json.loads(recipe.to_json())
    yield from flatten({name: value for name, value in special.items() if name not in shown})


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value[:_MOST_SHOWN])}</dd>" for name, value in rows)
    return f'<dl class="pg-info-settings">{items}</dl>'


def _left_out(say: Translator, info: PictureInfo) -> str:
    if not info.left_out:
        return ""
    return f"<h3>{escape(say('Not used: pixgen has no counterpart'))}</h3>{_rows(info.left_out)}"

"""How a picture was made, as HTML: its preview, its words, its settings and what could not be mapped."""

import base64
import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np

from pixgen.commands.info import flat
from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.prompts import NO_STOP, Prompt, Scene
from pixgen.studio.picture_info import PictureInfo
from pixgen.ui.canvas import jpeg
from pixgen.ui.info_texts import InfoWords
from pixgen.ui.texts import Words

_SIDE = 480  # of the preview
_MOST_SHOWN = 300  # characters of a value


def empty(words: Words) -> str:
    """Before the first file."""
    own = words.info
    return (
        f'<div class="pg-answers-empty"><h2>{escape(own.invitation)}</h2>'
        f"<p>{escape(own.invitation_more)}</p><p>{escape(own.file_help)}</p></div>"
    )


def failed(message: str) -> str:
    """A file that could not be read, and why."""
    return f'<p class="pg-notice pg-info-failed" role="alert">{escape(message)}</p>'


def of_info(words: Words, info: PictureInfo, path: Path) -> str:
    """What a file says; ``path`` is where it is, for its preview."""
    own, name = words.info, path.name
    notes = [own.left_open.format(program=info.program)] if info.program != "pixgen" else []
    notes += [] if info.has_seed else [own.no_seed]
    notes += [own.missing.format(name=Prompt(picture=each).label) for each in info.missing]
    told = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f'<article class="pg-info" data-program="{escape(info.program)}">{_preview(own, path)}'
        f"<div><h3>{escape(own.made_by.format(program=info.program))}</h3>"
        f"<p>{escape(name)}</p>{told}</div>"
        f"<h4>{escape(own.prompt)}</h4>{_prompts(own, info.recipe.prompts)}"
        f"<h4>{escape(own.settings)}</h4>{_rows(_settings(info))}<p>{escape(own.as_usual)}</p>"
        f"{_left_out(own, info)}</article>"
    )


def _preview(words: InfoWords, path: Path) -> str:
    try:
        picture = open_picture(path)
    except PictureError:
        return ""  # a film, or a recipe alone
    picture.thumbnail((_SIDE, _SIDE))
    source = base64.b64encode(jpeg(np.asarray(picture))).decode()
    alt = escape(words.preview_alt.format(name=path.name))
    return f'<img src="data:image/jpeg;base64,{source}" alt="{alt}">'


def _prompts(words: InfoWords, scenes: tuple[Scene, ...]) -> str:
    items = []
    for number, scene in enumerate(scenes, 1):
        if len(scenes) > 1:
            items.append(f"<li><small>{escape(words.scene.format(number=number))}</small></li>")
        items += [f"<li>{escape(prompt.label)}{_weight(words, prompt)}</li>" for prompt in scene]
    return f'<ul class="pg-info-words">{"".join(items)}</ul>'


def _weight(words: InfoWords, prompt: Prompt) -> str:
    said = [] if prompt.weight == 1 else [words.weight.format(weight=prompt.weight)]
    said += [] if prompt.stop == NO_STOP else [f"{prompt.stop:g}"]
    return f" <small>{escape(' · '.join(said))}</small>" if said else ""


def _settings(info: PictureInfo) -> Iterable[tuple[str, str]]:
    """What is not as usual, by the recipe's own names; size, steps and seed always."""
    recipe = info.recipe
    yield "size", f"{recipe.width} × {recipe.height}"
    yield "steps", str(recipe.steps)
    if info.has_seed:
        yield "seed", str(recipe.seed)
    shown = {"prompts", "width", "height", "steps", "seed", "version"}
    special = json.loads(recipe.to_json())
    yield from flat({name: value for name, value in special.items() if name not in shown})


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value[:_MOST_SHOWN])}</dd>" for name, value in rows
    )
    return f'<dl class="pg-info-settings">{items}</dl>'


def _left_out(words: InfoWords, info: PictureInfo) -> str:
    if not info.left_out:
        return ""
    return f"<h4>{escape(words.left_out)}</h4>{_rows(info.left_out)}"

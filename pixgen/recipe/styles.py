"""Styles: prompt templates such as ``watercolour of {}``.

Each bundled style is a JSON file in ``presets/styles/`` with a thumbnail beside it. Custom styles have the
same form, so that they can be shared.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pixgen.errors import RecipeError
from pixgen.paths import PRESETS, expand
from pixgen.recipe.prompts import LONGEST_TEXT, Prompt, Scene
from pixgen.text_files import decode, parse_json

FOLDER = PRESETS / "styles"
LONGEST_TITLE, LONGEST_TEMPLATE = 40, 300
MOST = 50  # of a person's own
_LARGEST_FILE = 200_000


@dataclass(frozen=True)
class Style:
    """A prompt template: ``{}`` in ``template`` stands for the prompt."""

    title: str
    template: str
    name: str = ""  # of a bundled one

    @property
    def thumbnail(self) -> Path:
        """The path of a bundled style's thumbnail."""
        return FOLDER / f"{self.name}.webp"

    def value(self) -> dict[str, str]:
        """As plain values, as a JSON file holds them."""
        return {"title": self.title, "template": self.template}


@cache
def available_styles() -> dict[str, Style]:
    """Every bundled style by name: techniques before places."""
    found = []
    for path in FOLDER.glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        found.append((content["order"], Style(content["title"], content["template"], path.stem)))
    return {style.name: style for _, style in sorted(found, key=lambda each: each[0])}


def load_styles(name: str) -> tuple[Style, ...]:
    """The bundled style of that name, or those in a JSON file. Raises RecipeError, which lists the names."""
    if not name.lower().endswith(".json"):
        styles = available_styles()
        if name not in styles:
            raise RecipeError(
                "There is no style “{name}”: choose {choices}, or a JSON file of styles.",
                name=name[:60],
                choices=", ".join(styles),
            )
        return (styles[name],)
    try:
        with expand(name).open("rb") as file:
            text = decode(file.read(_LARGEST_FILE + 1))
    except (OSError, ValueError) as error:
        raise RecipeError(
            "The style “{name}” cannot be read: check that the file is there.", name=Path(name).name[:60]
        ) from error
    return read_styles(text)


def read_styles(text: str) -> tuple[Style, ...]:
    """The styles in a user's JSON: one, ``{"title": …, "template": …}``, or several as a list or as
    ``{"styles": […]}``. Raises RecipeError."""
    try:
        value = parse_json(text) if len(text) <= _LARGEST_FILE else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = value.get("styles", [value])
    if not isinstance(value, list) or not 0 < len(value) <= MOST:
        raise RecipeError(
            'This is not a list of styles: JSON with 1 to {limit} entries such as {{"title": "Oil", '
            '"template": "oil painting of {{}}"}} is expected.',
            limit=MOST,
        )
    return tuple(make_style(each) for each in value)


def make_style(value: Any) -> Style:
    """A style from plain values. Raises RecipeError, which says what a style is."""
    fields = value if isinstance(value, dict) else {}
    title, template = (
        " ".join(fields[name].split()) if isinstance(fields.get(name), str) else ""
        for name in ("title", "template")
    )
    if not title or len(title) > LONGEST_TITLE:
        raise RecipeError("A style needs a title of at most {limit} characters.", limit=LONGEST_TITLE)
    if template.count("{}") != 1 or template == "{}" or len(template) > LONGEST_TEMPLATE:
        raise RecipeError(
            "The template of the style “{title}” must have at most {limit} characters and contain {{}} "
            "once, where your prompt goes, for example “watercolour of {{}}, soft light”.",
            title=title,
            limit=LONGEST_TEMPLATE,
        )
    return Style(title, template)


def apply_styles(scenes: Iterable[Scene], styles: Sequence[Style]) -> tuple[Scene, ...]:
    """Put every text prompt with a positive weight into each style, the first innermost. Raises RecipeError
    if a text becomes too long."""
    return tuple(tuple(_apply(prompt, styles) for prompt in scene) for scene in scenes)


def _apply(prompt: Prompt, styles: Sequence[Style]) -> Prompt:
    if not prompt.text or prompt.weight <= 0:
        return prompt
    text = prompt.text
    for style in styles:
        text = style.template.replace("{}", text)
    if len(text) > LONGEST_TEXT:
        raise RecipeError(
            "With its styles, the prompt is longer than {limit} characters: shorten it.",
            limit=LONGEST_TEXT,
        )
    return prompt.model_copy(update={"text": text})

"""What a picture, a film or a JSON file says of how it was made, by pixgen or by another program."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixgen.errors import PictureError, RecipeError
from pixgen.recipe.presets import DEFAULT, load_preset
from pixgen.recipe.recipe import Recipe, make_recipe, read_recipe
from pixgen.studio.metadata.containers import LARGEST_TEXT, read_texts
from pixgen.studio.metadata.foreign import ForeignSettings, read_foreign
from pixgen.studio.runs.inputs import named_files, with_kept_pictures
from pixgen.text_files import decode

KEY = "pixgen"


@dataclass(frozen=True, kw_only=True)
class PictureInfo:
    """How something was made.

    Args:
        program: who wrote it, ``pixgen`` or another program's name.
        recipe: as pixgen paints it; what another program left open is the usual preset's.
        has_seed: whether the seed is told; if not, the recipe's means nothing.
        left_out: settings of the other program that pixgen has nothing for, each with its value.
    """

    program: str
    recipe: Recipe
    has_seed: bool = True
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The pictures, and the video, that the recipe names and that are not there: a file carries words alone."""
        return tuple(sorted(path for path in named_files(self.recipe) if not Path(path).is_file()))


def read_info(path: str | Path) -> PictureInfo:
    """What a PNG, JPEG, MP4, WebM, GIF, WebP or JSON file says, whatever its name ends in.

    Raises PictureError if it cannot be read or says nothing, RecipeError if what it says is not allowed.
    """
    path = Path(path)
    texts = _texts(path)
    own = texts.get(KEY) or _json_comment(texts)
    if own:
        recipe = with_kept_pictures(read_recipe(own), path.parent)
        return PictureInfo(program="pixgen", recipe=recipe)
    mapped = read_foreign(texts)
    if mapped is None:
        raise PictureError(
            "“{name}” carries no recipe: choose a PNG, MP4, WebM, GIF, WebP or JSON file that pixgen "
            "wrote, or a picture of pixray, VQGAN-CLIP or stable-diffusion-webui as they saved it.",
            name=path.name,
        )
    return _complete(mapped)


def _complete(mapped: ForeignSettings) -> PictureInfo:
    preset = load_preset(DEFAULT)
    recipe = make_recipe(preset.recipe, {"preset": preset.name}, mapped.recipe)
    return PictureInfo(
        program=mapped.program,
        recipe=recipe,
        has_seed="seed" in mapped.recipe,
        left_out=tuple(mapped.left_out),
    )


def _json_comment(texts: dict[str, str]) -> str:
    comment = texts.get("comment", "")
    return comment if comment.lstrip().startswith("{") else ""


def _texts(path: Path) -> dict[str, str]:
    try:
        texts = read_texts(path)
        if texts:
            return texts
        with path.open("rb") as file:
            head = file.read(64)
            if not _begins_json(head):
                return {}
            data = head + file.read(LARGEST_TEXT)
    except (OSError, ValueError) as error:
        raise PictureError(
            "“{name}” cannot be read: check that the file is there.", name=path.name
        ) from error
    if len(data) > LARGEST_TEXT:
        raise RecipeError("This is not a recipe: it is far too long.")
    try:
        return {KEY: decode(data)}
    except ValueError as error:
        raise RecipeError("This is not a recipe: it is not text.") from error


def _begins_json(head: bytes) -> bool:
    try:
        return decode(head).lstrip().startswith("{")
    except ValueError:  # what holds zeros
        return False


def flat(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """``(dotted name, value)`` of everything in nested objects."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from flat(each, f"{path}.{name}" if path else name)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

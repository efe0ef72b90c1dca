"""Reads how a picture, video or JSON file was made, by pixgen or by another program."""

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
from pixgen.studio.runs.inputs import named_files, resolve_kept_paths
from pixgen.text_files import decode

KEY = "pixgen"


@dataclass(frozen=True, kw_only=True)
class PictureInfo:
    """How a file was made.

    Args:
        program: ``pixgen`` or the name of another program.
        recipe: the recipe; for another program's file, the default preset fills the gaps.
        has_seed: whether the file names the seed; if not, the recipe's seed is arbitrary.
        left_out: settings of the other program without a counterpart, with their values.
    """

    program: str
    recipe: Recipe
    has_seed: bool = True
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The pictures and the video that the recipe names but that do not exist on this machine."""
        return tuple(sorted(path for path in named_files(self.recipe) if not Path(path).is_file()))


def read_info(path: str | Path) -> PictureInfo:
    """Read a PNG, JPEG, MP4, WebM, GIF, WebP or JSON file, whatever its suffix.

    Raises PictureError if the file cannot be read or has no recipe, RecipeError if the recipe is not allowed.
    """
    path = Path(path)
    texts = _texts(path)
    own = texts.get(KEY) or _json_comment(texts)
    if own:
        recipe = resolve_kept_paths(read_recipe(own), path.parent)
        return PictureInfo(program="pixgen", recipe=recipe)
    mapped = read_foreign(texts)
    if mapped is None:
        raise PictureError(
            "“{name}” carries no recipe: choose a PNG, MP4, WebM, GIF, WebP or JSON file that pixgen "
            "wrote, or a picture of pixray, VQGAN-CLIP or stable-diffusion-webui as they saved it.",
            name=path.name,
        )
    return _complete(mapped)


def read_metadata(path: Path) -> Recipe:
    """The recipe in a picture, video or JSON file, as of ``read_info``, which also says where it is from.

    Only headers are read, so the size of the picture does not matter. Raises PictureError if the file
    cannot be read or carries no recipe, RecipeError if the recipe is not allowed.
    """
    return read_info(path).recipe


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
    except ValueError:  # binary data
        return False


def flatten(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """The ``(dotted name, value)`` pairs of nested objects."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from flatten(each, f"{path}.{name}" if path else name)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""How a picture, video or JSON file was made: read from a file of pixgen or of another program, and written into one.

A recipe's JSON stands in a PNG's text chunk, a GIF's comment or an animated WebP's XMP. GIF and WebP come from
ffmpeg, which cannot write these fields. The text is appended to the file in place, whatever its length: Pillow
would have to decode and encode every frame again, and change the pixels of a WebP.
"""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from pixgen import __version__
from pixgen.errors import PictureError, RecipeError
from pixgen.recipe.presets import DEFAULT, load_preset
from pixgen.recipe.recipe import Recipe, make_recipe, read_recipe
from pixgen.studio.metadata.containers import LARGEST_TEXT, read_texts
from pixgen.studio.metadata.foreign import ForeignSettings, read_foreign
from pixgen.studio.runs.inputs import named_files, resolve_kept_paths
from pixgen.studio.storage import write_bytes
from pixgen.text_files import decode

KEY = "pixgen"
SOFTWARE = f"pixgen {__version__}"
_SUB_BLOCK = 255  # bytes in a data block of a GIF
_XMP_FLAG = 0x04  # flag in the VP8X chunk
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pixgen="urn:pixgen" pixgen:recipe="{}"/></rdf:RDF></x:xmpmeta>'
)


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
            "“{name}” contains no recipe: choose a PNG, MP4, WebM, GIF, WebP or JSON file that pixgen "
            "wrote, or a picture as pixray, VQGAN-CLIP or stable-diffusion-webui saved it.",
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
        raise RecipeError("This is not a recipe: it is too long.")
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


def save_png(picture: np.ndarray, path: Path, recipe: Recipe | None) -> None:
    """Write ``(H, W, 3)`` uint8 as a PNG with the recipe's JSON in its text chunk ``pixgen``, or
    without a recipe only the pixels.

    The write is atomic. Raises StorageError.
    """
    text = PngImagePlugin.PngInfo()
    if recipe is not None:
        text.add_text(KEY, recipe.to_json())
        text.add_text("Software", SOFTWARE)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", pnginfo=text)
    write_bytes(Path(path), data.getvalue())


def embed_text(path: Path, suffix: str, text: str) -> None:
    """Embed a recipe's JSON in a GIF or an animated WebP; other videos already carry it as a tag."""
    if text and suffix in (".gif", ".webp"):
        with path.open("r+b") as file:
            (_comment_gif if suffix == ".gif" else _describe_webp)(file, text)


def _comment_gif(file: io.BufferedRandom, text: str) -> None:
    data, end = text.encode(), b"\x3b"
    file.seek(-1, io.SEEK_END)
    if file.read(1) != end:
        return
    file.seek(-1, io.SEEK_END)
    blocks = [data[start : start + _SUB_BLOCK] for start in range(0, len(data), _SUB_BLOCK)]
    file.write(b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0" + end)


def _describe_webp(file: io.BufferedRandom, text: str) -> None:
    file.seek(12)
    if file.read(4) != b"VP8X":  # a still picture without the extended header has no place for it
        return
    file.seek(20)
    flags = file.read(1)[0]
    file.seek(20)
    file.write(bytes([flags | _XMP_FLAG]))
    packet = _XMP.format(escape(text)).encode()
    file.seek(0, io.SEEK_END)
    file.write(b"XMP " + len(packet).to_bytes(4, "little") + packet + b"\0" * (len(packet) % 2))
    size = file.tell() - 8
    file.seek(4)
    file.write(size.to_bytes(4, "little"))

"""Finished pictures as larger files, which still carry their recipe, and say how they were enlarged."""

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin

from pixgen.errors import PictureError, PixgenError, RecipeError
from pixgen.images import MAX_PIXELS, on_white, open_picture
from pixgen.studio.metadata.containers import read_texts
from pixgen.studio.metadata.metadata import SOFTWARE
from pixgen.studio.metadata.picture_info import KEY, read_info
from pixgen.studio.model_cache import resolve_device
from pixgen.studio.storage import write_bytes

CRISP = "crisp"
AUTO = "auto"
NOTE = "pixgen upscale"  # the key of a PNG's text
LARGEST_SCALE = 8.0


@dataclass(frozen=True, kw_only=True)
class Upscaled:
    """How a picture was enlarged: by what, how often, and from which size."""

    method: str
    scale: float
    width: int
    height: int


def upscale_picture(
    source: Path, *, scale: float = 2.0, method: str = AUTO, device: str = "auto"
) -> tuple[Image.Image, Upscaled]:
    """A picture's file as a larger picture; what is transparent in it stays so.

    Args:
        scale: above 1, at most ``LARGEST_SCALE``.
        method: ``crisp``, which learned nothing and invents nothing, a name of
            ``models.upscalers.available_upscalers``, or ``auto``: ``pocket`` for what the bundled VQGAN has
            painted, and ``crisp`` for any other picture.

    Raises RecipeError for a scale that is not allowed, PictureError, ModelError.
    """
    if not 1 < scale <= LARGEST_SCALE:
        raise RecipeError(
            "A picture is enlarged by more than 1 and at most {limit:g}, not by {scale:g}.",
            limit=LARGEST_SCALE,
            scale=scale,
        )
    given = open_picture(source, transparent=True)
    width, height = (round(side * scale) for side in given.size)
    if width * height > MAX_PIXELS:
        raise PictureError(
            "{width}×{height} pixels are too many: at most {limit} megapixels. Choose a smaller scale.",
            width=width,
            height=height,
            limit=MAX_PIXELS // 1000000,
        )
    from pixgen.models.upscalers import BUNDLED, load_upscaler  # here: it loads torch
    from pixgen.synthesis.tensors import to_pixels, to_tensor
    from pixgen.synthesis.upscale import upscale

    where = resolve_device(device)
    if method == AUTO:
        method = BUNDLED if _painted_by_the_pocket_pair(source) else CRISP
    upscaler = None if method == CRISP else load_upscaler(method, where)
    how = Upscaled(method=method, scale=scale, width=given.width, height=given.height)
    colours = upscale(to_tensor(on_white(given)).to(where), width=width, height=height, upscaler=upscaler)
    if given.mode != "RGBA":
        return Image.fromarray(to_pixels(colours[0])), how
    opacity = upscale(to_tensor(given.getchannel("A")).to(where), width=width, height=height).mean(
        1, keepdim=True
    )
    # What is enlarged is the picture on white, so that colours that nobody sees, under full
    # transparency, do not bleed into its edges; here the white is taken away again.
    colours = ((colours - (1 - opacity)) / opacity.clamp(min=1 / 255)).clamp(0, 1)
    larger = Image.fromarray(to_pixels(colours[0]))
    larger.putalpha(Image.fromarray(to_pixels(opacity.expand(1, 3, -1, -1)[0])).getchannel("R"))
    return larger, how


def save_upscaled(picture: Image.Image, path: Path, *, source: Path, how: Upscaled) -> None:
    """Write it as a PNG with the recipe of its ``source``, if that carries one, and how it was enlarged.

    Replaces what is there at once, or raises StorageError and leaves it.
    """
    text = PngImagePlugin.PngInfo()
    recipe = _recipe_text(source)
    if recipe:
        text.add_text(KEY, recipe)
    text.add_text(NOTE, json.dumps(asdict(how)))
    text.add_text("Software", SOFTWARE)
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=text)
    write_bytes(path, data.getvalue())


def read_upscaled(path: Path) -> Upscaled | None:
    """How a picture was enlarged, if it says so."""
    try:
        return Upscaled(**json.loads(read_texts(path).get(NOTE, "null")))
    except (OSError, TypeError, ValueError):
        return None


def _painted_by_the_pocket_pair(source: Path) -> bool:
    try:
        recipe = read_info(source).recipe
    except (PixgenError, OSError, ValueError):
        return False
    return recipe.drawer_kind.needs_vqgan and recipe.model == "pocket"


def _recipe_text(source: Path) -> str:
    """The source's recipe, with the names that its kept pictures have in its run's folder."""
    try:
        own = read_texts(source).get(KEY)
        return own or read_info(source).recipe.to_json()
    except (PixgenError, OSError, ValueError):
        return ""  # any picture may be enlarged

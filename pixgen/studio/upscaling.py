"""Upscales finished pictures; the files carry the recipe and how they were upscaled."""

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin

from pixgen.errors import PictureError, PixgenError, RecipeError
from pixgen.images import MAX_PIXELS, on_white, open_picture
from pixgen.models.catalog import code_family
from pixgen.studio.metadata.containers import read_texts
from pixgen.studio.metadata.picture_info import KEY, SOFTWARE, read_info
from pixgen.studio.model_cache import resolve_device
from pixgen.studio.storage import write_bytes
from pixgen.text_files import parse_json

CRISP = "crisp"
AUTO = "auto"
NOTE = "pixgen upscale"  # the key of a PNG's text
LARGEST_SCALE = 8.0


@dataclass(frozen=True, kw_only=True)
class UpscaleInfo:
    """How a picture was upscaled: the method, the factor and the original size."""

    method: str
    scale: float
    width: int
    height: int


def upscale_picture(
    source: Path, *, scale: float = 2.0, method: str = AUTO, device: str = "auto"
) -> tuple[Image.Image, UpscaleInfo]:
    """Upscale a picture file; transparency is kept.

    Args:
        scale: above 1, at most ``LARGEST_SCALE``.
        method: ``crisp``, which resamples without a model, a name of
            ``models.upscalers.available_upscalers``, or ``auto``: ``pocket`` for pictures that the bundled
            VQGAN painted, and ``crisp`` for all others.

    Raises RecipeError for a scale that is not allowed, PictureError, ModelError.
    """
    if not 1 < scale <= LARGEST_SCALE:
        raise RecipeError(
            "The scale must be above 1 and at most {limit:g}, not {scale:g}.",
            limit=LARGEST_SCALE,
            scale=scale,
        )
    given = open_picture(source, transparent=True)
    width, height = (round(side * scale) for side in given.size)
    if width * height > MAX_PIXELS:
        raise PictureError(
            "A size of {width}×{height} pixels is too large: at most {limit} megapixels are possible. "
            "Choose a smaller scale.",
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
    how = UpscaleInfo(method=method, scale=scale, width=given.width, height=given.height)
    colours = upscale(to_tensor(on_white(given)).to(where), width=width, height=height, upscaler=upscaler)
    if given.mode != "RGBA":
        return Image.fromarray(to_pixels(colours[0])), how
    opacity = upscale(to_tensor(given.getchannel("A")).to(where), width=width, height=height).mean(
        1, keepdim=True
    )
    # The picture was upscaled on white, so that invisible colours under full transparency do not bleed
    # into its edges; here the white is removed again.
    colours = ((colours - (1 - opacity)) / opacity.clamp(min=1 / 255)).clamp(0, 1)
    larger = Image.fromarray(to_pixels(colours[0]))
    larger.putalpha(Image.fromarray(to_pixels(opacity.expand(1, 3, -1, -1)[0])).getchannel("R"))
    return larger, how


def save_upscaled(picture: Image.Image, path: Path, *, source: Path, how: UpscaleInfo) -> None:
    """Write an upscaled picture as a PNG with the recipe of its ``source``, if any, and how it was upscaled.

    The write is atomic. Raises StorageError.
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


def read_upscale_info(path: Path) -> UpscaleInfo | None:
    """How a picture was upscaled, if its file says so."""
    try:
        return UpscaleInfo(**parse_json(read_texts(path).get(NOTE, "null")))
    except (OSError, TypeError, ValueError):
        return None


def _painted_by_the_pocket_pair(source: Path) -> bool:
    try:
        recipe = read_info(source).recipe
    except (PixgenError, OSError, ValueError):
        return False
    return recipe.drawer_kind.needs_vqgan and code_family(recipe.model) == "pocket"


def _recipe_text(source: Path) -> str:
    """The recipe of the source as JSON; it names pictures by their paths in the run's folder."""
    try:
        own = read_texts(source).get(KEY)
        return own or read_info(source).recipe.to_json()
    except (PixgenError, OSError, ValueError):
        return ""  # pictures without a recipe can be upscaled too

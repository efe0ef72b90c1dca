"""Picture formats that Pillow does not read itself: HEIC, and TIFFs with several deep channels.

In comes a file's bytes. Out comes a Pillow image whose pixels ``images.py`` converts further.
"""

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # with 32 and 64 bits of addresses
_MOST_DEEP_BYTES = 400 * 2**20  # of a TIFF's decoded pixels: 24 megapixels of four 32-bit channels
_ORIENTATION = 274
_UNASSOCIATED, _ASSOCIATED = 2, 1  # kinds of alpha in a TIFF's ExtraSamples


@cache
def readable_formats() -> tuple[str, ...]:
    """The formats that may be opened, by Pillow's names. HEIC and AVIF depend on what is installed."""
    formats = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]
    try:
        import pi_heif

        pi_heif.register_heif_opener()
        formats.append("HEIF")
    except ImportError:  # of a platform without the library
        pass
    Image.init()
    if "AVIF" in Image.OPEN:
        formats.append("AVIF")
    return tuple(formats)


def is_tiff(data: bytes) -> bool:
    """Whether a file begins as a TIFF does."""
    return data.startswith(_TIFF_HEADS)


def read_deep_tiff(data: bytes, *, max_pixels: int) -> Image.Image:
    """A TIFF of several channels of 16 bits and more, which Pillow cannot represent, in 8 bits.

    Integers fill their range. Floats are in the smallest of the ranges 0 to 1, 0 to 255 and 0 to 65,535 that
    holds their largest colour.

    Raises Image.DecompressionBombError if it is larger than ``max_pixels``, and whatever tifffile raises.
    """
    import tifffile  # here: few files need it

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        if page.imagewidth * page.imagelength > max_pixels or page.nbytes > _MOST_DEEP_BYTES:
            raise Image.DecompressionBombError
        values = np.asarray(page.asarray())
        planar = page.planarconfig == 2 and values.ndim == 3
        extra = tuple(int(each) for each in page.extrasamples)
        inverted = page.photometric == 0
        if page.photometric not in (0, 1, 2):
            raise UnidentifiedImageError
        colours = 3 if page.photometric == 2 else 1
        turn = page.tags.get(_ORIENTATION)
    if planar:
        values = np.moveaxis(values, 0, -1)
    values = values.reshape(*values.shape[:2], -1)
    alpha = None
    if extra[:1] in ((_UNASSOCIATED,), (_ASSOCIATED,)) and values.shape[2] > colours:
        alpha = _fill_range(values[..., colours])
    levels = _fill_range(values[..., :colours], inverted=inverted)
    if alpha is not None and extra[0] == _ASSOCIATED:
        levels = np.clip(levels / np.maximum(alpha, 1 / 65535)[..., None], 0, 1)
    picture = (
        Image.fromarray(np.rint(levels.squeeze(-1) * 255).astype(np.uint8))
        if colours == 1
        else (Image.fromarray(np.rint(levels * 255).astype(np.uint8)))
    )
    if alpha is not None:
        picture.putalpha(Image.fromarray(np.rint(alpha * 255).astype(np.uint8)))
    if turn is not None:
        picture.getexif()[_ORIENTATION] = int(turn.value)
    return picture


def _fill_range(values: np.ndarray, *, inverted: bool = False) -> np.ndarray:
    """Values as shares of white, in [0, 1], float32."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float32), nan=0, posinf=np.inf, neginf=0)
        white = float_white(float(np.max(values, initial=0, where=np.isfinite(values))))
    else:
        white = float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0
    levels = np.clip(values.astype(np.float32) / np.float32(white), 0, 1)
    return 1 - levels if inverted else levels


def float_white(most: float) -> float:
    """The value that is white in a picture of floats whose largest is ``most``."""
    # Light above 1, as renderers write it, is white; from 16 on these are no shares of 1.
    return next((each for each in (1.0, 255.0, 65535.0) if most <= (each if each > 1 else 16)), most)

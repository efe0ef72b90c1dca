"""Picture formats that Pillow does not read itself: HEIC, and TIFFs with several deep channels.

In comes a file's bytes. Out comes a Pillow image whose pixels ``images.py`` converts further.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # with 32 and 64 bits of addresses
_MOST_DEEP_BYTES = 400 * 2**20  # of a TIFF's decoded pixels: 24 megapixels of four 32-bit channels
_BAND = 256  # rows
_ORIENTATION = 274
_UNASSOCIATED, _ASSOCIATED = 2, 1  # kinds of alpha in a TIFF's ExtraSamples


class MemoryBudget:
    """Memory that several threads share: who needs more than is left waits, and one who needs more than all is alone.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self._most, self._taken, self._changed = most, 0, threading.Condition()

    @contextmanager
    def take(self, size: int) -> Iterator[None]:
        """Hold so many bytes for the length of a block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


decoding = MemoryBudget(512 * 2**20)  # of all pictures that are decoded at once


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
        with decoding.take(2 * page.nbytes):
            return _read_page(page)


def _read_page(page: Any) -> Image.Image:
    """A page of a TIFF in 8 bits."""
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
    has_alpha = extra[:1] in ((_UNASSOCIATED,), (_ASSOCIATED,)) and values.shape[2] > colours
    whites = [_white(values[..., :colours]), _white(values[..., colours]) if has_alpha else 1.0]
    pixels = np.empty((*values.shape[:2], colours), np.uint8)
    opacity = np.empty(values.shape[:2], np.uint8)
    for rows in bands(len(values)):
        levels = _fill_range(values[rows, :, :colours], whites[0], inverted=inverted)
        if has_alpha:
            alpha = _fill_range(values[rows, :, colours], whites[1])
            if extra[0] == _ASSOCIATED:
                levels = np.clip(levels / np.maximum(alpha, 1 / 65535)[..., None], 0, 1)
            opacity[rows] = np.rint(alpha * 255)
        pixels[rows] = np.rint(levels * 255)
    picture = Image.fromarray(pixels.squeeze(-1) if colours == 1 else pixels)
    if has_alpha:
        picture.putalpha(Image.fromarray(opacity))
    if turn is not None:
        picture.getexif()[_ORIENTATION] = int(turn.value)
    return picture


def bands(height: int) -> Iterator[slice]:
    """The rows of a picture in parts, so that arithmetic on its pixels needs little memory."""
    return (slice(top, top + _BAND) for top in range(0, height, _BAND))


def largest_value(values: np.ndarray) -> float:
    """The largest finite value of a picture; 0 if none is larger."""
    parts = (values[rows] for rows in bands(len(values)))
    return max((float(np.max(each, initial=0, where=np.isfinite(each))) for each in parts), default=0.0)


def _white(values: np.ndarray) -> float:
    """The value that is white in a picture."""
    if values.dtype.kind == "f":
        return float_white(float(np.float32(largest_value(values))))
    return float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0


def _fill_range(values: np.ndarray, white: float, *, inverted: bool = False) -> np.ndarray:
    """Values as shares of white, in [0, 1], float32."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float32), nan=0, posinf=np.inf, neginf=0)
    levels = np.clip(values.astype(np.float32) / np.float32(white), 0, 1)
    return 1 - levels if inverted else levels


def float_white(most: float) -> float:
    """The value that is white in a picture of floats whose largest is ``most``."""
    # Light above 1, as renderers write it, is white; from 16 on these are no shares of 1.
    return next((each for each in (1.0, 255.0, 65535.0) if most <= (each if each > 1 else 16)), most)

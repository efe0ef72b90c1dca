"""Decode users' picture files as a viewer shows them; no other module decodes picture files.

Pillow decodes, not imageio: imageio's reader of stills is Pillow too, and offers neither the size before decoding
nor reduced JPEG decoding, profiles, or limits on memory.

In comes a file of any of ``FORMATS`` in any mode. Out comes 8-bit sRGB, upright, without metadata. Errors
and warnings of decoders do not leave this module: the result is a picture, or a PictureError that names the file.
"""

import ctypes
import io
import logging
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin

from pixgen.errors import PictureError
from pixgen.image_formats import (
    bands,
    decoding,
    float_white,
    is_tiff,
    largest_value,
    read_deep_tiff,
    readable_formats,
)
from pixgen.messages import Message, _, join_messages
from pixgen.paths import expand

MAX_BYTES = 32 * 2**20
LARGEST_UPLOAD = 256 * 2**20  # bytes of one uploaded file: a video, a zip of pictures
MAX_PIXELS = 24_000_000  # that are decoded
# A JPEG is decoded at a half, a quarter or an eighth, so that a phone's 108 megapixels are no burden; a
# progressive one takes 3 bytes of memory for every pixel of its full size all the same.
MAX_JPEG_PIXELS = 120_000_000
# Formats that cannot be decoded at a fraction; a phone's 48 megapixels are halved afterwards.
MAX_PHOTO_PIXELS = 50_000_000
_PHOTO_FORMATS = ("HEIF", "AVIF")
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "HEIC", "AVIF")

_ORIENTATION, _BITS, _PHOTOMETRIC = 0x0112, 258, 262  # tags of EXIF and TIFF
_WHITE_IS_ZERO, _YCBCR = 0, 6  # photometric interpretations
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BY_A_QUARTER = (5, 6, 7, 8)
_LARGEST_PROFILE = 2**20  # bytes of an ICC profile
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_PNG_LOOKS = (b"tRNS", b"gAMA", b"sRGB", b"iCCP", b"eXIf")  # ancillary chunks that change the look
_SRGB_GAMMA = 0.45455  # the gAMA chunk of a PNG in sRGB
_SAME_GAMMA = 0.05  # a relative difference below which viewers leave a picture as it is


def open_picture(
    source: str | Path | bytes,
    *,
    name: str = _("The upload"),
    transparent: bool = False,
    max_pixels: int | None = None,
    max_bytes: int | None = None,
) -> Image.Image:
    """The picture in a file or in bytes as 8-bit sRGB, upright, on white where it is transparent.

    Args:
        name: what errors call a picture that is given as bytes.
        transparent: keep transparency: the picture is RGBA if it has any, else RGB.
        max_pixels: a JPEG of more is decoded at a fraction of its size, anything else is refused;
            ``MAX_PIXELS`` by default.
        max_bytes: of the file; ``MAX_BYTES`` by default.

    Raises PictureError if it is missing, broken, too large, or not a picture. The size is read from the header,
    before any pixel is decoded.
    """
    data, name = _read(source, name, max_bytes=max_bytes)
    with _quiet():
        picture = _identify(data, name)
        full = picture.width * picture.height
        _reduce(picture, name, max_pixels=max_pixels or MAX_PIXELS)
        with decoding.take(_needed_bytes(picture, full)):
            return _decode(picture, name, transparent=transparent)


def open_reduced(
    source: str | Path | bytes, *, side: int, name: str = _("The upload")
) -> tuple[Image.Image, tuple[int, int]]:
    """A picture at a reduced size of at least ``side`` by ``side`` pixels, and its original width and height.

    As ``open_picture``, but a large JPEG is decoded in an eighth to a half of the time, at a whole
    part of its size that leaves more than twice as many pixels as are wanted.
    """
    data, name = _read(source, name)
    with _quiet():
        picture = _identify(data, name)
        across, down = size = picture.size
        if across * down <= MAX_JPEG_PIXELS:
            picture.draft("RGB", (3 * side, 3 * side))  # it does nothing to other formats
        _reduce(picture, name, max_pixels=MAX_PIXELS)
        with decoding.take(_needed_bytes(picture, across * down)):
            opened = _decode(picture, name)
        if opened.size in (size, size[::-1]):
            return opened, opened.size
        turned = _orientation(picture) in _BY_A_QUARTER
    return opened, ((down, across) if turned else (across, down))


def picture_size(source: str | Path | bytes, *, name: str = _("The upload")) -> tuple[int, int]:
    """Width and height as the file stores them, from its header alone. Raises PictureError."""
    data, name = _read(source, name)
    with _quiet():
        return _identify(data, name).size


def on_white(picture: Image.Image) -> Image.Image:
    """An RGBA picture as RGB, white where it is transparent; any other as it is."""
    if picture.mode != "RGBA":
        return picture
    flat = Image.new("RGBA", picture.size, "white")
    flat.alpha_composite(picture)
    return flat.convert("RGB")


def _identify(data: bytes, name: str) -> Image.Image:
    """Open a picture and read its header only."""
    try:
        return _open(data)
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(name)) from error
    except Exception as error:  # a decoder may raise anything at what it did not expect
        raise PictureError(
            "{name} is not a picture that can be read: use {formats}.",
            name=name,
            formats=_list_formats(),
        ) from error


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(_without_texts(data)), formats=readable_formats())
    except Image.DecompressionBombError:
        raise
    except Exception:
        if not is_tiff(data):
            raise
        return read_deep_tiff(data, max_pixels=MAX_PIXELS)


def _reduce(picture: Image.Image, name: str, *, max_pixels: int) -> None:
    """Let a JPEG be decoded at the largest fraction with at most ``max_pixels``; reject other pictures with
    more."""
    width, height = picture.size
    if width * height > max_pixels and width * height <= MAX_JPEG_PIXELS:
        for part in (2, 4, 8):  # the fractions that libjpeg supports
            if -(-width // part) * -(-height // part) <= max_pixels:
                picture.draft("RGB", (width // part, height // part))
                break
    most = max(MAX_PHOTO_PIXELS, max_pixels) if picture.format in _PHOTO_FORMATS else max_pixels
    if picture.width * picture.height > most:
        raise PictureError(_too_large(name, max_pixels=max_pixels))


def _needed_bytes(picture: Image.Image, full: int) -> int:
    """The memory that decoding a picture takes, at most; ``full`` are its pixels before it was reduced."""
    decoded = 16 * picture.width * picture.height  # in RGBA, and converted thrice
    return decoded + (3 * full if "progressive" in picture.info or "progression" in picture.info else 0)


def _decode(picture: Image.Image, name: str, *, transparent: bool = False) -> Image.Image:
    """Decode the pixels only: sRGB, upright, on white unless ``transparent``."""
    try:
        _load(picture)
        if picture.format in _PHOTO_FORMATS and picture.width * picture.height > MAX_PIXELS:
            picture = picture.reduce(2)
        turn = _UPRIGHT.get(_orientation(picture))
        colours, alpha = _as_srgb(picture), _alpha(picture)
    except Exception as error:  # a decoder may raise anything at what it did not expect
        raise PictureError(
            "{name} is broken: save it again, or choose another picture.", name=name
        ) from error
    if alpha is not None:
        colours.putalpha(alpha)
    if not transparent:
        colours = on_white(colours)
    colours.info = {}
    return colours if turn is None else colours.transpose(turn)


def _load(picture: Image.Image) -> None:
    """Decode the pixels; a TIFF is then upright already."""
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        _silence_libtiff()
        tags, tiles = picture.tag_v2, picture.tile
        if tags.get(_PHOTOMETRIC) == _YCBCR and tiles and tiles[0][0] == "raw":
            # Pillow has libtiff read such pictures only where they are compressed, and fails at others.
            arguments = ("RGBX", "raw", False, tags.offset)
            picture.tile = [ImageFile._Tile("libtiff", (0, 0, *picture.size), 0, arguments)]
            picture.use_load_libtiff = True
    picture.load()


def _orientation(picture: Image.Image) -> int:
    """The orientation in a picture's EXIF; 1 (upright) if it is broken. Nothing else is read from EXIF."""
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF is ignored
        return 1


def _alpha(picture: Image.Image) -> Image.Image | None:
    """The opacity of each pixel, as L; None if all are opaque."""
    clear = picture.info.get("transparency")
    if picture.mode.startswith(("I", "F")):
        if not isinstance(clear, int):
            return None
        return Image.fromarray(np.where(np.asarray(picture) == clear, 0, 255).astype(np.uint8))
    if picture.mode == "La":
        picture = picture.convert("LA")
    if picture.mode in ("RGBA", "RGBa", "LA", "PA") or clear is not None:
        return picture.convert("RGBA").getchannel("A")
    return None


def _as_srgb(picture: Image.Image) -> Image.Image:
    """The colours of a picture of any mode as RGB in sRGB, without its alpha."""
    mode, info = picture.mode, picture.info
    if mode == "LAB":
        return _convert(picture, _lab_to_srgb())
    if mode.startswith(("I", "F")):
        picture = _in_8_bits(picture)
    elif mode in ("LA", "La"):
        picture = picture.convert("LA").getchannel("L")
    elif mode == "RGBa":
        picture = picture.convert("RGBA").convert("RGB")
    elif mode == "1":
        picture = picture.convert("L")
    elif mode not in ("L", "CMYK"):
        picture = picture.convert("RGB")
    if profile := info.get("icc_profile"):
        picture = _by_profile(picture, profile)
    elif (gamma := info.get("gamma")) and "srgb" not in info:
        picture = _by_gamma(picture, gamma)
    return picture.convert("RGB")


def _in_8_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16- or 32-bit integers, or of floats, as L.

    Integers of 12 and 16 bits fill their range. 32 bits and floats seldom do: their range is the
    smallest usual one that holds their largest value. https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
    """
    tags = getattr(picture, "tag_v2", {})
    stored = np.asarray(picture)
    most = largest_value(stored)
    if picture.mode.startswith("I;16") or picture.format == "PNG":
        bits = tags.get(_BITS, (16,))[0]
        white = 2.0 ** min(bits, 16) - 1
    elif picture.mode == "F":
        white = float_white(most)
    else:
        white = next((each for each in (255, 65535) if most <= each), 2.0**31 - 1)
    pixels = np.empty(stored.shape, np.uint8)
    for rows in bands(len(stored)):
        values = np.nan_to_num(stored[rows].astype(np.float64), posinf=np.inf, neginf=0)
        levels = np.clip(values / white, 0, 1)
        pixels[rows] = np.rint((1 - levels if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else levels) * 255)
    return Image.fromarray(pixels)


def _by_gamma(picture: Image.Image, gamma: float) -> Image.Image:
    """Apply the gamma of a PNG's gAMA chunk. https://www.w3.org/TR/png/#11gAMA"""
    if abs(gamma / _SRGB_GAMMA - 1) <= _SAME_GAMMA:
        return picture
    curve = [round(255 * (level / 255) ** (_SRGB_GAMMA / gamma)) for level in range(256)]
    return picture.point(curve * len(picture.getbands()))


def _by_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert a picture of mode L, RGB or CMYK by its ICC profile; unchanged if the profile is unusable."""
    space = _space(profile)
    if space == "RGB" and picture.mode == "L":
        picture = picture.convert("RGB")
    if (space, picture.mode) not in (("RGB", "RGB"), ("GRAY", "L"), ("CMYK", "CMYK")):
        return picture
    transform = _to_srgb(profile, picture.mode)
    return picture if transform is None else _convert(picture, transform)


def _convert(picture: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # as it is not asked to work in place
    return converted


@lru_cache(8)
def _space(profile: bytes) -> str:
    """The colour space that an ICC profile describes: RGB, GRAY, CMYK; empty if it cannot be read."""
    if len(profile) > _LARGEST_PROFILE:
        return ""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except Exception:  # a broken profile is ignored
        return ""


@lru_cache(8)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from a profile to sRGB; None if it makes no visible difference or cannot be built."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except Exception:  # raised for a profile without a usable transform
        return None
    if mode == "CMYK":
        return transform
    # Most profiles are sRGB: such a picture keeps its pixels to the last bit.
    chart = _chart(mode)
    before, after = (
        np.asarray(each, np.int16) for each in (chart.convert("RGB"), _convert(chart, transform))
    )
    return transform if np.abs(after - before).max() > 2 else None


@cache
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@cache
def _chart(mode: str) -> Image.Image:
    """Test colours: every 17th level, for RGB in all combinations."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    if mode == "L":
        return Image.fromarray(levels[None])
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return Image.fromarray(grid.reshape(16, 256, 3))


def _without_texts(data: bytes) -> bytes:
    """A PNG without chunks that do not change its pixels, and without broken or far too long ones; any other
    file unchanged.

    Pillow refuses a picture whose texts or profile are long or damaged, whatever its pixels are.
    """
    if not data.startswith(_PNG_HEAD):
        return data
    kept, place = [_PNG_HEAD], len(_PNG_HEAD)
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        critical = not kind[0] & 0x20
        if critical or (kind in _PNG_LOOKS and _is_sound(kind, data[place + 8 : end])):
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _is_sound(kind: bytes, body: bytes) -> bool:
    """Whether a chunk is complete with a valid checksum and, if it is a profile, not too long."""
    content, check = body[:-4], int.from_bytes(body[-4:], "big")
    if zlib.crc32(kind + content) != check:
        return False
    if kind != b"iCCP":
        return True
    _, _, packed = content.partition(b"\0")  # behind its name: how it is packed, 0, and the profile
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return False
    return packed[:1] == b"\0" and unpacker.eof


@cache
def _silence_libtiff() -> None:
    """Stop libtiff (part of Pillow) from printing its complaints about a file: Pillow raises them too."""
    with suppress(AttributeError, OSError):  # of a Pillow that is linked differently
        library = ctypes.CDLL(Image.core.__file__)
        for function in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
            function(None)


_lock, _threads, _loud_again = threading.Lock(), 0, ExitStack()


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Pillow's and tifffile's warnings while any thread is in such a block: users cannot do anything about them.

    ``warnings.catch_warnings`` alone, which sets what the whole process shares, would lose or keep the
    silence where blocks of several threads overlap.
    """
    global _threads
    logs = [logging.getLogger(name) for name in ("PIL", "tifffile")]
    with _lock:
        if not _threads:
            _loud_again.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.|tifffile")
            for log in logs:
                _loud_again.callback(log.setLevel, log.level)
                log.setLevel(logging.CRITICAL + 1)
        _threads += 1
    try:
        yield
    finally:
        with _lock:
            _threads -= 1
            if not _threads:
                _loud_again.close()


def _read(source: str | Path | bytes, name: str, *, max_bytes: int | None = None) -> tuple[bytes, str]:
    limit = max_bytes or MAX_BYTES
    if isinstance(source, bytes):
        data = source
    else:
        path = expand(source)
        name = f"“{path.name}”"
        try:
            if path.stat().st_size > limit:
                raise PictureError(_too_large(name))
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            raise PictureError("{name} cannot be read: check that the file is there.", name=name) from error
    if len(data) > limit:
        raise PictureError(_too_large(name))
    return data, name


def _too_large(name: str, *, max_pixels: int | None = None) -> Message:
    megabytes, megapixels = MAX_BYTES // 2**20, (max_pixels or MAX_PIXELS) // 1_000_000
    return _(
        "{name} is too large: at most {limit} MB and {megapixels} megapixels.",
        name=name,
        limit=megabytes,
        megapixels=megapixels,
    )


def _list_formats() -> Message:
    names = [Message(", ".join(FORMATS[:-1])), Message(FORMATS[-1])]
    return join_messages(names, _("{first} or {second}"))

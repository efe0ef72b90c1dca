"""Embeds a recipe's JSON in files: a PNG's text chunk, a GIF's comment, an animated WebP's XMP.

GIF and WebP come from ffmpeg, which cannot write these fields. The text is appended to the file in place,
whatever its length: Pillow would have to decode and encode every frame again, and change the pixels of a WebP.
"""

import io
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from pixgen import __version__
from pixgen.recipe.recipe import Recipe
from pixgen.studio.metadata.picture_info import KEY
from pixgen.studio.storage import write_bytes

SOFTWARE = f"pixgen {__version__}"
_SUB_BLOCK = 255  # bytes in a data block of a GIF
_XMP_FLAG = 0x04  # flag in the VP8X chunk
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pixgen="urn:pixgen" pixgen:recipe="{}"/></rdf:RDF></x:xmpmeta>'
)


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

"""Writes a recipe into films whose encoders cannot: a GIF's comment, and a WebP's XMP.

Both are added at the end of the file, in place, whatever its length; ``containers.py`` finds them there.
"""

import io
from html import escape
from pathlib import Path

_SUB_BLOCK = 255  # bytes of a GIF's block of data
_XMP_FLAG = 0x04  # in VP8X
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pixgen="urn:pixgen" pixgen:recipe="{}"/></rdf:RDF></x:xmpmeta>'
)


def carry_text(path: Path, suffix: str, text: str) -> None:
    """Let a GIF or an animated WebP carry a recipe's JSON; other films carry it as a tag already."""
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
    if file.read(4) != b"VP8X":  # a single still has no place for it
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

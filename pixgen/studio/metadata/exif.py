"""The comment in a photograph's EXIF, where programs that write JPEG and WebP leave their settings."""

import struct

from PIL.Image import Exif

_DIRECTORY, _USER_COMMENT = 0x8769, 0x9286
_MARK = 8  # bytes before a comment that say how it is written


def user_comment(data: bytes) -> str:
    """The UserComment of an EXIF block; empty if there is none, or no sense in it.

    https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf, 4.6.5
    """
    exif = Exif()
    try:
        exif.load(data)
        comment = exif.get_ifd(_DIRECTORY).get(_USER_COMMENT, b"")
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, struct.error, UserWarning):
        return ""  # Pillow warns of what is cut off, and some make errors of warnings
    if not isinstance(comment, bytes):
        return ""
    mark, text = comment[:_MARK], comment[_MARK:]
    if mark.startswith(b"UNICODE"):
        # Nothing says in which order its bytes are: in most texts, the upper ones are 0.
        order = "be" if text[::2].count(0) >= text[1::2].count(0) else "le"
        return text.decode(f"utf-16-{order}", "replace")
    return text.decode("utf-8", "replace").strip("\0")

"""Writes the words and the step below the pictures of a film."""

import textwrap
import unicodedata
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS, LINE, MARGIN = 13, 17, 9  # pixels
INK, PALE, PAPER = (244, 244, 246), (166, 166, 176), (24, 24, 28)
NARROWEST = 256  # pixels in which a caption can be read
_FONTS = ("DejaVuSans.ttf", "Arial.ttf", "Helvetica.ttc")
_MOST_LINES = 2
_WITHOUT_ACCENT = str.maketrans("ıøłđ", "iold")


class Captions:
    """Draws below pictures of one width; all captions of a film have the same height.

    Args:
        words: every text that may be drawn.
    """

    def __init__(self, words: set[str], *, width: int) -> None:
        self.width = width
        self._font, self._plain = _font()
        self._lines = {text: self._wrapped(text) for text in words}
        most = max(map(len, self._lines.values()), default=1)
        self._height = 2 * MARGIN + LINE * (most + 1) - (LINE - LETTERS)

    def under(self, picture: np.ndarray, *, words: str, aside: str) -> np.ndarray:
        """A picture ``(H, W, 3)`` uint8 with its words below, and ``aside``, for example its step."""
        band = Image.new("RGB", (self.width, self._height), PAPER)
        pen = ImageDraw.Draw(band)
        lines = self._lines[words]
        pen.multiline_text(
            (MARGIN, MARGIN), "\n".join(lines), INK, self._font, spacing=LINE - LETTERS
        )
        pen.text((MARGIN, self._height - MARGIN - LETTERS), aside, PALE, self._font)
        return np.concatenate([picture, np.asarray(band)])

    def _wrapped(self, text: str) -> list[str]:
        if self._plain:
            text = unicodedata.normalize("NFKD", text.translate(_WITHOUT_ACCENT))
            text = text.encode("ascii", "ignore").decode()
        room = self.width - 2 * MARGIN
        letters = max(8, int(room / (self._font.getlength("a red fox") / 9)))
        while letters > 4:
            lines = textwrap.wrap(
                text, letters, max_lines=_MOST_LINES, placeholder=" …" if not self._plain else " .."
            )
            if all(self._font.getlength(line) <= room for line in lines):
                return lines or [""]
            letters -= 1
        return lines[:1]


@cache
def _font() -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, bool]:
    """A font of the system, which has the letters of many languages, else Pillow's own, which has
    only the plain ones; and whether it is that."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, LETTERS), False
        except OSError:
            continue
    return ImageFont.load_default(LETTERS), True

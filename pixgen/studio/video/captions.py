"""Writes the words and the step below the pictures of a film."""

import numpy as np
from PIL import Image, ImageDraw

from pixgen.studio.fonts import TextRenderer

LETTERS, LINE, MARGIN = 13, 17, 9  # pixels
INK, PALE, PAPER = (244, 244, 246), (166, 166, 176), (24, 24, 28)
NARROWEST = 256  # pixels in which a caption can be read
_MOST_LINES = 2


class Captions:
    """Draws below pictures of one width; all captions of a film have the same height.

    Args:
        words: every text that may be drawn.
    """

    def __init__(self, words: set[str], *, width: int) -> None:
        self.width = width
        self._lettering = TextRenderer(LETTERS)
        room = width - 2 * MARGIN
        self._lines = {text: self._lettering.wrap(text, room, most=_MOST_LINES) for text in words}
        most = max(map(len, self._lines.values()), default=1)
        self._height = 2 * MARGIN + LINE * (most + 1) - (LINE - LETTERS)

    def under(self, picture: np.ndarray, *, words: str, aside: str) -> np.ndarray:
        """A picture ``(H, W, 3)`` uint8 with its words below, and ``aside``, for example its step."""
        band = Image.new("RGB", (self.width, self._height), PAPER)
        pen = ImageDraw.Draw(band)
        self._lettering.draw_lines(pen, (MARGIN, MARGIN), self._lines[words], INK, line=LINE)
        below = (MARGIN, self._height - MARGIN - LETTERS)
        self._lettering.draw(pen, below, aside, PALE)
        return np.concatenate([picture, np.asarray(band)])

"""A sheet of pictures: a row a caption, a column a way to paint."""

from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pixgen.studio.grid_sheet import INK, PAPER
from pixgen.studio.lettering import Lettering
from pixgen.studio.storage import writing

MARGIN, WORDS = 8, 190  # pixels: between pictures, and for the captions
LETTERS = 13


class Sheet:
    """Collects pictures of one size and writes them as one.

    Args:
        rows: how many captions at most; later ones are left out.
    """

    def __init__(self, *, rows: int = 24) -> None:
        self.rows = rows
        self._pictures: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
        self._ways: list[str] = []

    def add(self, caption: str, way: str, picture: np.ndarray) -> None:
        """A picture ``(H, W, 3)`` uint8; the first of a caption and a way counts."""
        if caption in self._pictures or len(self._pictures) < self.rows:
            self._pictures[caption].setdefault(way, picture)
            if way not in self._ways:
                self._ways.append(way)

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG. Raises StorageError."""
        height, width = next(iter(next(iter(self._pictures.values())).values())).shape[:2]
        lettering = Lettering(LETTERS)
        across = WORDS + len(self._ways) * (width + MARGIN)
        down = 2 * LETTERS + MARGIN + len(self._pictures) * (height + MARGIN)
        sheet = Image.new("RGB", (across, down), PAPER)
        pen = ImageDraw.Draw(sheet)
        for column, way in enumerate(self._ways):
            title = lettering.wrap(way, width, most=2)
            place = (WORDS + column * (width + MARGIN), 0)
            lettering.draw_lines(pen, place, title, INK, line=LETTERS + 1)
        for row, (caption, found) in enumerate(self._pictures.items()):
            top = 2 * LETTERS + MARGIN + row * (height + MARGIN)
            words = lettering.wrap(caption, WORDS)
            lettering.draw_lines(pen, (0, top), words, INK, line=LETTERS + 4)
            for column, way in enumerate(self._ways):
                if way in found:
                    left = WORDS + column * (width + MARGIN)
                    sheet.paste(Image.fromarray(found[way]), (left, top))
        with writing(path) as temporary:
            sheet.save(temporary, "PNG")

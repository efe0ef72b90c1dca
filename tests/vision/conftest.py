"""What the tests of finding pictures share: a folder of plain colours, and a library."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from pixgen.vision.search.library import Library

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")


def draw(path: Path, colour: str, *, size: tuple[int, int] = (48, 32), mark: int = 0) -> Path:
    """A picture of a colour with a bar on it; other marks are other pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", size, colour)
    ImageDraw.Draw(picture).rectangle([4 + 3 * mark, 4, 14 + 3 * mark, 24], fill="white")
    picture.save(path)
    return path


@pytest.fixture
def library(tmp_path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six pictures, three of them in a subfolder."""
    root = tmp_path / "holiday pictures"
    for place, colour in enumerate(COLOURS):
        draw(root / ("deep/er" if place % 2 else "") / f"{colour}.png", colour, mark=place)
    return root

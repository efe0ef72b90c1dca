"""pixgen's own drawings: things that people ask for and that no drawing family has."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixgen.errors import TrainingError
from pixgen.paths import OWN_DRAWINGS
from pixgen.training.data.drawings import render

GROUP = "own"
OWN_WEIGHT = 16.0  # as often as this many usual drawings: there is one of each, and nobody else draws them


def own_things() -> list[str]:
    """What is drawn, by name."""
    return [path.stem for path in _paths()]


def own_drawings() -> Iterator[tuple[str, np.ndarray]]:
    """Each thing and its sprite ``(4, 128, 128)`` uint8, colours premultiplied by alpha. Raises
    TrainingError if one does not render."""
    for path in _paths():
        sprite = render(path.read_text("utf-8"))
        if sprite is None:
            raise TrainingError("{path} shows nothing.", path=path)
        yield path.stem, sprite


def own_records() -> list[dict]:
    """Their rows in a table of sprites, in the order of ``own_drawings``."""
    return [
        {"family": GROUP, "thing": name, "names": [], "group": GROUP, "weight": OWN_WEIGHT}
        for name in own_things()
    ]


def _paths() -> list[Path]:
    return sorted(OWN_DRAWINGS.glob("*.svg"))

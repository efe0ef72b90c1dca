"""A small world to train in: four shapes with names, and one picture of each setting."""

import json
from pathlib import Path

import numpy as np
import pytest

from pixgen.training.compose.places import BANK_FILE, SETTINGS
from pixgen.training.data.drawings import PIXELS_FILE, SIDE, TABLE_FILE

COLOURS = {
    "apple": (220, 30, 30),
    "frog": (40, 160, 60),
    "ball": (40, 80, 220),
    "lemon": (240, 220, 40),
}
FAMILIES = ("noto", "twemoji", "openmoji")


@pytest.fixture
def world(tmp_path) -> Path:
    """A data folder as the ``data`` command leaves it."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    sprites, table = [], []
    for family, reach in zip(FAMILIES, (58, 54, 50), strict=True):
        for thing, colour in COLOURS.items():
            inside = (np.hypot(rows, columns) < reach).astype(np.uint8)
            sprites.append(np.stack([inside * value for value in (*colour, 255)]))
            table.append({"family": family, "thing": thing, "names": [], "group": "emoji-4", "weight": 1.0})
    np.save(tmp_path / PIXELS_FILE, np.stack(sprites))
    (tmp_path / TABLE_FILE).write_text(json.dumps(table))
    bank = np.random.default_rng(0).integers(0, 255, (len(SETTINGS), 1, 3, SIDE, SIDE), dtype=np.uint8)
    np.save(tmp_path / BANK_FILE, bank)
    return tmp_path

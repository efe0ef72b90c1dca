"""Pictures to be measured with: files that any machine can make."""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 128  # pixels


def save_pictures(folder: Path, count: int) -> None:
    """Small PNG files with shapes in them, each another."""
    chance = np.random.default_rng(1)
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    for number in range(count):
        picture = np.empty((SIDE, SIDE, 3), np.uint8)
        picture[:] = chance.integers(0, 256, 3)
        for _ in range(4):
            row, column, reach = chance.integers(0, SIDE, 3)
            picture[(rows - row) ** 2 + (columns - column) ** 2 < reach**2 / 4] = chance.integers(
                0, 256, 3
            )
        Image.fromarray(picture).save(folder / f"{number}.png")

"""The small picture of an empty page: a landscape that grows out of noise, from left to right."""

import base64
import io
from functools import cache

import numpy as np
from PIL import Image

_SIDE = 20


@cache
def invitation() -> str:
    """The picture as a ``data:`` URI of a PNG, ``_SIDE`` pixels wide and high."""
    chance = np.random.default_rng(11)
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE]
    sky = _blend((250, 214, 165), (120, 174, 178), rows / _SIDE)
    scene = sky.copy()
    scene[(rows - 6) ** 2 + (columns - 13.5) ** 2 < 8] = (233, 109, 75)
    for crest, colour in (
        (11 + 1.8 * np.sin(columns / 3.1), (94, 150, 142)),
        (14 + 1.5 * np.sin(columns / 2.3 + 2), (47, 112, 100)),
        (17 + np.sin(columns / 2.9 + 4), (24, 69, 63)),
    ):
        scene[rows >= crest] = colour
    noise = scene[
        chance.integers(0, _SIDE, scene.shape[:2]), chance.integers(0, _SIDE, scene.shape[:2])
    ]
    noise = np.clip(noise + chance.normal(0, 28, scene.shape), 0, 255)
    unpainted = chance.random(scene.shape[:2]) > (columns - 1) / (_SIDE * 0.55)
    scene[unpainted] = noise[unpainted]
    buffer = io.BytesIO()
    Image.fromarray(scene.astype(np.uint8)).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _blend(top: tuple[int, int, int], bottom: tuple[int, int, int], part: np.ndarray) -> np.ndarray:
    return np.array(top) * (1 - part[..., None]) + np.array(bottom) * part[..., None]

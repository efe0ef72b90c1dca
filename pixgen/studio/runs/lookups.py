"""Colour lookup tables in .cube files, as photo and video editors write them (Adobe's Cube LUT specification 1.0)."""

from pathlib import Path

import numpy as np

from pixgen.errors import PictureError
from pixgen.text_files import decode

_LARGEST = 20 * 2**20  # bytes
_MOST_ENTRIES = {"LUT_3D_SIZE": 65, "LUT_1D_SIZE": 65_536}
_AS_CUBE = 33  # entries along each side of a table that is made of three curves


def read_lookup(path: Path) -> np.ndarray:
    """The table of a .cube file, ``(N, N, N, 3)`` float32 by blue, green and red, each from 0 to 1.

    A file of three curves (``LUT_1D_SIZE``) becomes a table, too. Raises PictureError.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError
        return _parse(decode(data))
    except OSError as error:
        raise PictureError("“{name}” cannot be read: check that it is there.", name=path.name) from error
    except ValueError as error:
        raise PictureError(
            "“{name}” is not a colour lookup that can be read: use a .cube file with at most 65 entries a side.",
            name=path.name,
        ) from error


def _parse(text: str) -> np.ndarray:
    kind, size, rows = "", 0, []
    low, high = np.zeros(3, np.float32), np.ones(3, np.float32)
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] == "TITLE":
            continue
        if words[0] in _MOST_ENTRIES:
            kind, size = words[0], int(words[1])
        elif words[0] == "DOMAIN_MIN":
            low = np.array(words[1:4], np.float32)
        elif words[0] == "DOMAIN_MAX":
            high = np.array(words[1:4], np.float32)
        elif words[0][0] in "+-.0123456789":
            rows.append(words[:3])
    table = np.array(rows, np.float32)
    if (
        not kind
        or not 2 <= size <= _MOST_ENTRIES[kind]
        or not np.isfinite(table).all()
        or (high <= low).any()
    ):
        raise ValueError
    own = np.linspace(0, 1, size)
    at = [np.linspace(0, 1, _AS_CUBE if kind == "LUT_1D_SIZE" else size)] * 3
    places = [np.clip((each - low[axis]) / (high[axis] - low[axis]), 0, 1) for axis, each in enumerate(at)]
    if kind == "LUT_1D_SIZE":
        curves = [np.interp(place, own, table.reshape(size, 3)[:, axis]) for axis, place in enumerate(places)]
        blue, green, red = np.meshgrid(curves[2], curves[1], curves[0], indexing="ij")
        return np.clip(np.stack([red, green, blue], -1), 0, 1).astype(np.float32)
    cube = table.reshape(size, size, size, 3)
    for axis, place in enumerate(reversed(places)):  # a domain that is not 0 to 1 is sampled again
        if low[2 - axis] != 0 or high[2 - axis] != 1:
            cube = _resample(cube, place * (size - 1), axis)
    return np.clip(cube, 0, 1).astype(np.float32)


def _resample(cube: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """A table at other places along an axis, linear between its entries."""
    before = np.clip(places.astype(int), 0, cube.shape[axis] - 2)
    share = (places - before).reshape([-1 if each == axis else 1 for each in range(4)])
    return np.take(cube, before, axis) * (1 - share) + np.take(cube, before + 1, axis) * share

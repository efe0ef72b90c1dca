"""Sketches on canvases longer than the sketcher's own: window after window, each seeing what is there."""

from collections.abc import Iterator
from typing import Any

import torch

from pixgen.models.sketcher import BLOCK
from pixgen.synthesis.pens import Pen
from pixgen.synthesis.sketch import OPEN, Hand


def code_size(width: int, height: int, *, grid: int) -> tuple[int, int]:
    """Rows and columns of codes for a canvas of that aspect, the shorter ``grid``, both even."""
    long = round(grid * max(width, height) / min(width, height) / BLOCK) * BLOCK
    return (grid, long) if width >= height else (long, grid)


def windows(length: int, *, grid: int, middle_first: bool) -> list[int]:
    """Where windows of ``grid`` begin, half over each other, so that they cover ``length``.

    In order; or the middle one, those behind it, and those before it, each next to what is written.
    """
    last, half = length - grid, grid // 2
    if not middle_first:
        return [*range(0, last, half), last]
    middle = last // 2 // BLOCK * BLOCK
    behind = [min(start, last) for start in range(middle + half, last + half, half)]
    before = [max(start, 0) for start in range(middle - half, -half, -half)]
    return [middle, *behind, *before]


def spread(
    pen: Pen, wanted: Any, *, known: torch.Tensor, hand: Hand, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Write what is ``OPEN`` in ``known``; yields all codes after each row of blocks in each window.

    Args:
        wanted: of ``pen.wanted``.
        known: ``(N, rows, columns)`` int64, the shorter side the pen's grid.

    Where nothing is known, the middle shows what is wanted, and the rest goes on from it untold.
    """
    codes, grid = known.clone(), pen.grid
    rows, columns = codes.shape[1:]
    empty = bool((codes == OPEN).all())
    for number, start in enumerate(windows(max(rows, columns), grid=grid, middle_first=empty)):
        down, right = (start, 0) if rows > columns else (0, start)
        window = codes[:, down : down + grid, right : right + grid]
        if bool((window != OPEN).all()):
            continue
        told = None if empty and number else wanted
        for written in pen.write(told, known=window.clone(), hand=hand, generator=generator):
            window.copy_(written)
            yield codes.clone()

"""Shapes as SVG: what is in the document is what is drawn."""

import re

import numpy as np
import pytest
import torch

from pixgen.recipe.drawers import Lines, Pixels
from pixgen.synthesis.drawers.pixels import PixelsDrawer, cell_map
from pixgen.synthesis.drawers.strokes import LinesDrawer

CPU = torch.device("cpu")


def drawn(svg, height, width):
    """The rectangles of an SVG of cells as pixels."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for colour, path in re.findall(r'<path fill="#(\w{6})" d="([^"]*)"', svg):
        for x, y, wide in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
            pixels[int(y), int(x) : int(x) + int(wide)] = list(bytes.fromhex(colour))
    return pixels


@pytest.mark.parametrize("shape", ["square", "hex", "triangle", "diamond", "brick", "knit"])
def test_the_cells_of_the_svg_are_those_of_the_picture(shape):
    drawer = PixelsDrawer(Pixels(shape=shape, size=6), width=40, height=30, device=CPU)
    drawer.start_random(torch.Generator().manual_seed(2))
    picture = (drawer.draw()[0].detach().permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    assert (drawn(drawer.to_svg(), 30, 40) == picture).all()


def test_bricks_are_shifted_by_half_a_brick():
    cells = cell_map("brick", 4, width=32, height=16)
    edges = [np.flatnonzero(np.diff(row)).tolist() for row in cells.numpy()]
    assert edges[0] == [7, 15, 23]
    assert edges[4] == [3, 11, 19, 27]
    assert edges[8] == edges[0]


def test_stitches_are_v_shaped_and_symmetrical():
    cells = cell_map("knit", 8, width=32, height=40).numpy()
    stitch = cells[:, 8:16] == cells[20, 8]
    assert (stitch == stitch[:, ::-1]).all()
    tops = [np.flatnonzero(column)[0] for column in stitch.T]
    assert tops[0] < tops[3]  # the arms rise
    assert len(set(cells[20, 8:16])) >= 1


def test_strokes_are_curves_on_paper():
    drawer = LinesDrawer(Lines(count=5, paper=1), width=40, height=30, device=CPU)
    drawer.start_random(torch.Generator().manual_seed(2))
    svg = drawer.to_svg()
    assert '<rect width="40" height="30" fill="#ffffff"/>' in svg
    paths = re.findall(r'd="M([-\d.]+) ([-\d.]+)Q', svg)
    assert len(paths) == 5
    x, y = map(float, paths[0])
    start = drawer.latent[0, 0, :2].detach() * 15 + torch.tensor([20.0, 15.0])
    assert (x, y) == pytest.approx(tuple(start.tolist()), abs=0.01)

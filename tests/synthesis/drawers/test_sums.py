"""On a GPU, gradients of cells and strokes are summed in a fixed order; they are those of torch's look-ups."""

import pytest
import torch

from pixgen.recipe.drawers import Lines, Pixels
from pixgen.synthesis.drawers import pixels, strokes
from pixgen.synthesis.drawers.pixels import PixelsDrawer, cell_map, pixels_of_cells
from pixgen.synthesis.drawers.strokes import LinesDrawer

SIZE = {"width": 40, "height": 24, "device": torch.device("cpu")}
SHAPES = ("square", "diamond", "hex", "triangle", "brick", "knit")


def drawn(drawer):
    """The picture, and the gradient of a weighted sum of it."""
    drawer.latent.grad = None
    picture = drawer.draw()
    weights = torch.randn(picture.shape, generator=torch.Generator().manual_seed(2))
    (picture * weights).sum().backward()
    return picture.detach(), drawer.latent.grad


@pytest.mark.parametrize("palette", [{}, {"count": 3}, {"colours": ("red", "blue")}])
@pytest.mark.parametrize("shape", SHAPES)
def test_cells(shape, palette, monkeypatch):
    drawer = PixelsDrawer(Pixels(shape=shape, size=5, **palette), **SIZE)
    drawer.start_random(torch.Generator().manual_seed(1))
    own = drawn(drawer)
    monkeypatch.setattr(pixels, "merges", lambda tensor: True)
    other = drawn(drawer)
    assert torch.equal(own[0], other[0])
    assert torch.allclose(own[1], other[1], atol=1e-5)


def test_strokes(monkeypatch):
    drawer = LinesDrawer(Lines(count=12), **SIZE)
    drawer.start_random(torch.Generator().manual_seed(1))
    own = drawn(drawer)
    monkeypatch.setattr(strokes, "merges", lambda tensor: True)
    other = drawn(drawer)
    assert torch.allclose(own[0], other[0], atol=1e-5)
    assert torch.allclose(own[1], other[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pixel_is_in_the_row_of_its_cell(shape):
    cell = cell_map(shape, 6, width=31, height=17)
    rows = pixels_of_cells(cell)
    padded = torch.cat([cell.flatten(), torch.tensor([-1])])
    for number, row in enumerate(rows):
        inside = row[row < cell.numel()]
        assert (padded[inside] == number).all()
    assert sorted(rows[rows < cell.numel()].tolist()) == list(range(cell.numel()))

"""Pixel art: cells of one colour, in six shapes, optionally with a limited palette."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from pixgen.losses import rgb
from pixgen.models.merged import merges
from pixgen.recipe.drawers import Pixels
from pixgen.synthesis.drawers.base import Drawer, hex_colour, svg_document
from pixgen.synthesis.precision import clamp_with_grad
from pixgen.synthesis.tensors import main_colours

_STITCH = 0.8  # height of a stitch by its width: a swatch of stockinette has about 5 rows for 4 stitches


class _PixelsOfCells(torch.autograd.Function):
    """Colours ``(1, 3, cells)`` at the pixels ``(1, 3, H W)``. On a GPU, the gradient of torch's ``index_select`` is
    summed by atomic additions that wait for each other, in no fixed order; here each cell reads its own pixels."""

    @staticmethod
    def forward(ctx, colours: torch.Tensor, cell: torch.Tensor, pixels_of_cell: torch.Tensor) -> torch.Tensor:
        ctx.pixels_of_cell = pixels_of_cell
        return colours.index_select(2, cell)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        cells, most = ctx.pixels_of_cell.shape
        read = F.pad(gradient, (0, 1)).index_select(2, ctx.pixels_of_cell.flatten())
        return read.view(1, 3, cells, most).sum(-1), None, None


class _NearestColours(torch.autograd.Function):
    """Colours ``(cells, 3)`` of a palette ``(K, 3)``, whose gradient is summed in a fixed order, for the same
    reason."""

    @staticmethod
    def forward(ctx, palette: torch.Tensor, nearest: torch.Tensor) -> torch.Tensor:
        ctx.count = len(palette)
        ctx.save_for_backward(nearest)
        return palette.index_select(0, nearest)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        (nearest,) = ctx.saved_tensors
        chosen = nearest == torch.arange(ctx.count, device=nearest.device)[:, None]  # (K, cells)
        return (chosen[..., None] * gradient).sum(1), None


class PixelsDrawer(Drawer):
    """Draws cells: ``latent`` is ``(1, 3, N)``, the colour of each cell, followed by the palette's colours
    where the palette is optimized as well.

    With a palette, each cell shows the nearest of its colours; the gradient passes straight through to the
    cell and to the colour that it shows.
    """

    def __init__(self, settings: Pixels, *, width: int, height: int, device: torch.device) -> None:
        cell = cell_map(settings.shape, settings.size, width=width, height=height)
        self._count, self._found = int(cell.max()) + 1, settings.count
        self._cell, self._members = cell.to(device), cell.flatten().bincount().to(device)
        self._pixels_of_cell = pixels_of_cells(cell).to(device)
        self._given = None
        if settings.colours:
            self._given = torch.tensor([rgb(each) for each in settings.colours], device=device)
        self.latent = torch.full((1, 3, self._count + self._found), 0.5, device=device)
        self.latent.requires_grad_()

    @torch.no_grad()
    def start_random(self, generator: torch.Generator) -> None:
        """Initialise the cells with random colours."""
        drawn = torch.rand(self.latent.shape, generator=generator, device=generator.device)
        self.latent.copy_(drawn)

    @torch.no_grad()
    def start_from(self, picture: torch.Tensor) -> None:
        """Initialise each cell with its mean colour in a picture ``(1, 3, H, W)``, and the palette with its
        main colours."""
        flat = picture.to(self.latent.device).flatten(2)
        sums = torch.zeros(1, 3, self._count, device=flat.device)
        sums.index_add_(2, self._cell.flatten(), flat)
        self.latent[..., : self._count] = sums / self._members
        if self._found:
            means = self.latent[:, :, None, : self._count]
            self.latent[0, :, self._count :] = main_colours(means, count=self._found).T

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The picture ``(1, 3, H, W)`` in [0, 1]."""
        latent = self.latent if latent is None else latent
        shown = self._shown(clamp_with_grad(latent, 0.0, 1.0))
        cell = self._cell.flatten()
        if merges(shown):
            drawn = _PixelsOfCells.apply(shown, cell, self._pixels_of_cell)
        else:  # summed in another order, which would change pictures
            drawn = shown.index_select(2, cell)
        return drawn.view(1, 3, *self._cell.shape)

    @torch.no_grad()
    def project(self) -> None:
        """Keep colours in [0, 1]."""
        self.latent.clamp_(0, 1)

    @torch.no_grad()
    def to_svg(self) -> str:
        """The picture as an SVG document: a path for each cell."""
        cells = self._cell.cpu().numpy()
        colours = self._shown(self.latent.detach().clamp(0, 1))[0].T.cpu().numpy()  # (cells, 3)
        runs: list[list[str]] = [[] for _ in range(self._count)]
        for y, row in enumerate(cells):
            for start, end in _runs(row):
                runs[row[start]].append(f"M{start} {y}h{end - start}v1h{start - end}z")
        shapes = (
            f'<path fill="{hex_colour(colour)}" d="{"".join(parts)}"/>'
            for parts, colour in zip(runs, colours, strict=True)
        )
        height, width = cells.shape
        return svg_document(shapes, width=width, height=height, crisp=True)

    def _shown(self, colours: torch.Tensor) -> torch.Tensor:
        """The colours that the cells show, ``(1, 3, cells)``."""
        own, palette = colours[..., : self._count], colours[0, :, self._count :].T
        if self._given is None and not self._found:
            return own
        palette = palette if self._given is None else self._given
        with torch.no_grad():
            nearest = torch.cdist(own[0].T.float(), palette.float()).argmin(1)
        found = (
            _NearestColours.apply(palette, nearest) if merges(palette) else palette.index_select(0, nearest)
        )
        shown = found.T[None]
        return shown + own - own.detach()


def _runs(row: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where each run of equal values in a row begins and ends."""
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(row)], strict=True)


def pixels_of_cells(cell: torch.Tensor) -> torch.Tensor:
    """The pixels of each cell, by number, ``(cells, most)`` int64; rows are filled with the number of pixels.

    Args:
        cell: from ``cell_map``.
    """
    flat = cell.flatten()
    sizes, order = flat.bincount(), flat.argsort(stable=True)
    first = sizes.cumsum(0) - sizes
    place = torch.arange(len(flat)) - first[flat[order]]  # of each pixel in its row
    found = torch.full((len(sizes), int(sizes.max())), len(flat))
    found[flat[order], place] = order
    return found


def cell_map(shape: str, size: int, *, width: int, height: int) -> torch.Tensor:
    """The cell of each pixel, ``(height, width)`` int64, numbered from 0 without gaps.

    ``square``: of side ``size``; ``diamond``: the same, standing on a corner;
    ``hex``: ``size`` wide and pointed upwards; ``triangle``: ``size`` high, up and down in turns;
    ``brick``: ``size`` high and twice as wide, in courses that are shifted by half a brick; ``knit``: stitches ``size``
    wide, two slanted halves that meet in a V.
    """
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    if shape == "square":
        keys = [y // size, x // size]
    elif shape == "diamond":
        side = size * 2**0.5
        keys = [(x + y) // side, (x - y) // side]
    elif shape == "brick":
        course = y // size
        keys = [course, (x + (course % 2) * size) // (2 * size)]
    elif shape == "knit":
        column = x // size
        lean = (x - (column + 0.5) * size).abs()  # the V's arms rise away from the middle of a stitch
        keys = [column, (y + lean) // (size * _STITCH)]
    elif shape == "triangle":
        base = size * 2 / 3**0.5
        row = y // size
        # Three families of lines: one across, two that lean by 60 degrees either way.
        keys = [row, (x / base + y / (2 * size)) // 1, (x / base - y / (2 * size)) // 1]
    else:
        keys = _hexagons(x, y, size)
    _, found = torch.unique(torch.stack([key.flatten() for key in keys]), dim=1, return_inverse=True)
    return found.view(height, width)


def _hexagons(x: torch.Tensor, y: torch.Tensor, size: int) -> list[torch.Tensor]:
    """The nearest centre of each pixel, as row and column of two interleaved lattices."""
    rise = size * 3**0.5
    near, far = ((x / size).round(), (y / rise).round()), ((x / size).floor(), (y / rise).floor())
    to_near = (x - near[0] * size).square() + (y - near[1] * rise).square()
    to_far = (x - (far[0] + 0.5) * size).square() + (y - (far[1] + 0.5) * rise).square()
    first = to_near <= to_far
    return [
        torch.where(first, near[1], far[1]),
        torch.where(first, near[0], far[0]),
        first.float(),
    ]

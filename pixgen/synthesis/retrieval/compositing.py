"""Composite exemplars of things into a sampled picture.

As in retrieval-augmented generators (arXiv 2204.11824), a thing is looked up instead of learned: its exemplar
is decoded, tinted, placed where the text says and laid over the sampled picture, and the codes that it
touches are encoded again.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from pixgen.models.sketchers.exemplars import Exemplars
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.synthesis.retrieval.layout import USUAL_SIZE, Thing
from pixgen.synthesis.retrieval.style_filter import GREY, STICKER, apply_object_style

WHITE = 0.86  # darkest channel of a pixel, from which on it is paper if it is connected to the border
THERE = 0.5  # opacity from which on a pixel belongs to a thing
SOLID = 0.35  # solid part of a pixel's surroundings, from which on it belongs to a pale thing
MOVED, RESIZED = 0.025, 0.06  # random shift as a part of the side, and random change of size


class Compositor:
    """Draws things from exemplars in the codes of ``vqgan``.

    Args:
        generator: of every random number; on the VQGAN's device.
        style: the name of a style for the things.
    """

    def __init__(
        self, exemplars: Exemplars, vqgan: Vqgan, generator: torch.Generator, style: str = ""
    ) -> None:
        self.exemplars, self.vqgan, self.generator = exemplars, vqgan, generator
        self.style = style
        self._cutouts: dict[int, torch.Tensor] = {}

    def composite(
        self, picture: torch.Tensor, things: Sequence[Thing], box: tuple[int, int, int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Lay things over a picture ``(1, 3, H, W)``; returns the picture and the opacity ``(1, 1, H, W)`` of
        the things.

        Args:
            box: left, top, right and bottom in pixels, which the things' places refer to.
        """
        height, width = picture.shape[-2:]
        together = picture.new_zeros(1, 4, height, width)
        for thing in reversed(things):  # the thing named first is in front
            layer = self._layer(thing, (height, width), box)
            together = layer + together * (1 - layer[:, 3:])
        # One rim around all things: the rim of one would cover another that touches it.
        if self.style == STICKER and things:
            largest = max(thing.size for thing in things)
            together = apply_object_style(STICKER, together, side=_side_in_pixels(box, largest))
        opacity = together[:, 3:]
        return picture * (1 - opacity) + together[:, :3], opacity

    def _layer(self, thing: Thing, size: tuple[int, int], box: tuple[int, int, int, int]) -> torch.Tensor:
        """A thing alone on a canvas: colours times opacity, and opacity, ``(1, 4, H, W)``."""
        index = thing.exemplars[self._random_index(len(thing.exemplars))]
        cutout = self._cutout(index)
        if thing.colour:
            cutout = tint(cutout, torch.tensor(thing.colour, device=cutout.device) / 255)
        if index not in self.exemplars.lexicon.lettered and self._random_index(2):
            cutout = cutout.flip(-1)
        left, top, right, bottom = box
        shift = torch.rand(3, generator=self.generator, device=self.generator.device) * 2 - 1
        by_chance = [float(part) for part in shift]
        length = min(right - left, bottom - top)
        side = _side_in_pixels(box, thing.size * (1 + RESIZED * by_chance[2]))
        x = left + (right - left) * thing.x + length * MOVED * by_chance[0]
        y = top + (bottom - top) * thing.y + length * MOVED * by_chance[1]
        resized = F.interpolate(cutout, size=(side, side), mode="bilinear", antialias=True)
        layer = _paste(resized, size, round(x - side / 2), round(y - _anchor_row(resized, thing.edge)))
        return layer if self.style == STICKER else apply_object_style(self.style, layer, side=side)

    def _cutout(self, index: int) -> torch.Tensor:
        """An exemplar without its paper: colours times opacity, and opacity, ``(1, 4, h, w)``."""
        if index not in self._cutouts:
            codes = self.exemplars.codes[index : index + 1].to(self.vqgan.codebook.device)
            drawn = self.vqgan.decode(self.vqgan.lookup(codes)).float().clamp(0, 1)
            solid = self.exemplars.solid[index][None, None].to(drawn.device)
            opacity = 1 - paper_mask(drawn, solid)
            self._cutouts[index] = torch.cat([drawn * opacity, opacity], dim=1)
        return self._cutouts[index]

    def _random_index(self, count: int) -> int:
        device = self.generator.device
        return int(torch.randint(count, (), generator=self.generator, device=device))


def _side_in_pixels(box: tuple[int, int, int, int], size: float) -> int:
    """The side of a thing's exemplar in pixels; at the usual size it fills the box."""
    left, top, right, bottom = box
    return max(8, round(min(right - left, bottom - top) * size / USUAL_SIZE))


def _anchor_row(cutout: torch.Tensor, edge: str) -> float:
    """The row of a cutout ``(1, 4, h, w)`` that its place refers to: the middle, or the thing's top or bottom
    edge."""
    rows = (cutout[0, 3] > THERE).any(1).nonzero()[:, 0]
    if not edge or not len(rows):
        return cutout.shape[-2] / 2
    return int(rows[0]) if edge == "top" else int(rows[-1]) + 1


def paper_mask(drawn: torch.Tensor, solid: torch.Tensor | None = None) -> torch.Tensor:
    """The paper around a drawing, ``(1, 1, H, W)`` in [0, 1]: pale pixels that are connected to the border.

    Args:
        drawn: a picture ``(1, 3, H, W)`` in [0, 1].
        solid: ``(1, 1, h, w)`` bool, where there is no paper.
    """
    white = drawn.amin(1, keepdim=True) > WHITE
    if solid is not None:
        # Bilinear: codes are squares, things are not.
        white &= F.interpolate(solid.float(), size=white.shape[-2:], mode="bilinear") < SOLID
    pale = F.pad(white.float(), (1, 1, 1, 1), value=1.0)
    found = torch.zeros_like(pale)
    found[..., 0, :] = 1.0
    reached = -1.0
    while float(found.sum()) > reached:
        reached = float(found.sum())
        for _ in range(8):
            found = F.max_pool2d(found, 3, 1, 1) * pale
    # One pixel more: at the edge of a thing its colour is mixed with white.
    grown = F.max_pool2d(found, 3, 1, 1)[..., 1:-1, 1:-1]
    return F.avg_pool2d(grown, 3, 1, 1, count_include_pad=False)


def _paste(cutout: torch.Tensor, size: tuple[int, int], left: int, top: int) -> torch.Tensor:
    """A cutout ``(1, 4, h, w)`` on an empty canvas of ``size`` (height, width); pixels outside are
    cropped."""
    height, width = size
    canvas = cutout.new_zeros(1, 4, height, width)
    rows, columns = cutout.shape[-2:]
    first_row, first_column = max(0, top), max(0, left)
    last_row, last_column = min(height, top + rows), min(width, left + columns)
    if first_row < last_row and first_column < last_column:
        canvas[..., first_row:last_row, first_column:last_column] = cutout[
            ..., first_row - top : last_row - top, first_column - left : last_column - left
        ]
    return canvas


def tint(layer: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """Tint a drawing ``(..., 4, H, W)``, colours times opacity and opacity, in shades of one colour ``(3,)``:
    dark stays dark, light stays light."""
    opacity = layer[..., 3:, :, :]
    grey = torch.tensor(GREY, device=layer.device)[:, None, None]
    light = (layer[..., :3, :, :] / opacity.clamp(min=1e-3) * grey).sum(-3, keepdim=True)
    spread = (light - 0.55) * 0.75
    colour = colour[:, None, None]
    shaded = torch.where(spread < 0, colour * (1 + 1.6 * spread), colour + (1 - colour) * 1.1 * spread)
    if float(colour.max()) < 0.12:  # black, and silhouettes: little may shine through
        shaded = colour + 0.12 * light
    return torch.cat([shaded.clamp(0, 1) * opacity, opacity], dim=-3)

"""Composite exemplars of the things that a text names into a sampled picture.

As in retrieval-augmented generators (arXiv 2204.11824), a thing is looked up instead of learned: its exemplar
is decoded, tinted, placed where the text says and laid over the sampled picture, and the codes that it
touches are encoded again.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.sketchers.pocket import OPEN, Exemplars, Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.retrieval.layout import USUAL_SIZE, Thing
from pixgen.synthesis.retrieval.parse_scene import ParsedScene, parse_scene
from pixgen.synthesis.retrieval.style_filter import (
    GREY,
    OBJECT_STYLES,
    SILHOUETTE,
    STICKER,
    apply_object_style,
    apply_style,
)

WHITE = 0.86  # darkest channel of a pixel, from which on it is paper if it is connected to the border
THERE = 0.5  # opacity from which on a pixel belongs to a thing
SOLID = 0.35  # solid part of a pixel's surroundings, from which on it belongs to a pale thing
MOVED, RESIZED = 0.025, 0.06  # random shift as a part of the side, and random change of size
# How much red, green and blue of a background are left in a light.
LIGHT_FACTORS = {"night": (0.22, 0.28, 0.5), "evening": (1.0, 0.68, 0.52)}
TOUCHED_OPACITY = 0.04  # opacity of a thing from which on a code is encoded again
# How pale a background is whose colour the text does not say, at its top and bottom (1 is white); and behind
# things so light that they would not stand out.
PALE, DEEPER = (0.72, 1.0), (0.25, 0.55)
LIGHT, DARK = 190, 128  # a thing's lowest channel is above the one, such a ground's below the other


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


class RetrievedScene:
    """The things and the background of a sketch that are retrieved instead of sampled.

    Args:
        scene: the parsed text.
        sketcher: has exemplars, in the codes of ``vqgan``.
        generator: of every random number.
    """

    def __init__(
        self, scene: ParsedScene, sketcher: Sketcher, vqgan: Vqgan, generator: torch.Generator
    ) -> None:
        self.scene, self._vqgan, self._generator = scene, vqgan, generator
        exemplars = sketcher.exemplars
        assert exemplars is not None, "things are found by a sketcher's exemplars"
        self._colours = list(exemplars.lexicon.colours.values())
        if scene.style == SILHOUETTE:
            black = tuple(replace(thing, colour=(0, 0, 0)) for thing in scene.things)
            self.scene = replace(scene, things=black)
        self._compositor = Compositor(exemplars, vqgan, generator, scene.style)

    def ground(self, codes: torch.Tensor) -> torch.Tensor:
        """Fill codes ``(N, rows, columns)`` with a plain background or a gradient of two colours, if all of
        them are ``OPEN`` and the text describes no background to sample."""
        if self.scene.ground or not bool((codes == OPEN).all()):
            return codes
        rows, columns = (side * self._vqgan.factor for side in codes.shape[1:])
        grounds = torch.cat([self._fade(rows, columns) for _ in codes])
        return self._vqgan.codes(self._vqgan.encode(grounds))

    def things(self, codes: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
        """Composite all things over sampled codes.

        Args:
            codes: ``(N, rows, columns)``.
            free: where they may change, ``(1, rows, columns)``.
        """
        light = LIGHT_FACTORS.get(self.scene.light)
        if not self.scene.things and not self._changes_whole_picture and light is None:
            return codes
        vqgan, box = self._vqgan, self._box(free[0])
        drawn = vqgan.decode(vqgan.lookup(codes)).float().clamp(0, 1)
        if light is not None:
            drawn = drawn * drawn.new_tensor(light)[:, None, None]
        layers = [self._compositor.composite(each[None], self.scene.things, box) for each in drawn]
        pictures, opacity = (torch.cat(parts) for parts in zip(*layers, strict=True))
        touched = F.max_pool2d(opacity, vqgan.factor)[:, 0] > TOUCHED_OPACITY
        if self._changes_whole_picture:
            pictures = torch.cat([self._apply_style(each[None]) for each in pictures]).clamp(0, 1)
        if self._changes_whole_picture or light is not None:
            touched = torch.ones_like(touched)
        return torch.where(touched & free, vqgan.codes(vqgan.encode(pictures)), codes)

    @property
    def _changes_whole_picture(self) -> bool:
        """Whether a style changes the whole picture."""
        return self.scene.style not in ("", *OBJECT_STYLES)

    def _apply_style(self, picture: torch.Tensor) -> torch.Tensor:
        device = self._generator.device
        noise = torch.rand(1, 1, 8, 8, generator=self._generator, device=device)
        # Pixels as large as a code is wide: the VQGAN cannot draw smaller ones.
        return apply_style(self.scene.style, picture, noise=noise, fine=False)

    def _box(self, free: torch.Tensor) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the free codes, in pixels."""
        rows, columns = (free.any(axis).nonzero()[:, 0] for axis in (1, 0))
        if not len(rows):
            return 0, 0, free.shape[1] * self._vqgan.factor, free.shape[0] * self._vqgan.factor
        edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        return tuple(int(edge) * self._vqgan.factor for edge in edges)

    def _fade(self, rows: int, columns: int) -> torch.Tensor:
        """A background ``(1, 3, rows, columns)``: in the colours of the text, or a random pale one."""
        device = self._generator.device
        ends: list[Sequence[int]]
        if said := self.scene.colours:
            ends, paler = [said[0], said[-1]], (0.0, 0.0)
        else:
            light = any(thing.colour and min(thing.colour) > LIGHT for thing in self.scene.things)
            colours = [each for each in self._colours if not light or min(each) < DARK]
            picked = torch.randint(len(colours), (), generator=self._generator, device=device)
            ends, paler = [colours[int(picked)]] * 2, DEEPER if light else PALE
        fade = torch.tensor(ends, device=device, dtype=torch.float32)[:, :, None, None] / 255
        fade = fade + (1 - fade) * torch.tensor(paler, device=device)[:, None, None, None]
        part = torch.linspace(0, 1, rows, device=device)[:, None].expand(rows, columns)
        return rearrange(fade[0] + (fade[1] - fade[0]) * part, "c h w -> 1 c h w")


def retrieve_scene(
    recipe: Recipe, sketcher: Sketcher, vqgan: Vqgan, generator: torch.Generator
) -> RetrievedScene | None:
    """The part of a recipe's text that a sketcher can retrieve, or None: things that it has exemplars of, or
    only a place, which it samples better without words that it has never seen."""
    exemplars, start = sketcher.exemplars, recipe.init
    if exemplars is None or not start.sketch.memory or start.kind == "idea" or start.extend:
        return None
    shown = parse_scene(", ".join(recipe.positive_texts), exemplars.lexicon, version=start.sketch.parser)
    if not (shown.things or shown.ground):
        return None
    return RetrievedScene(shown, sketcher, vqgan, generator)

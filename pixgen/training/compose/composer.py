"""Compositions as values, and their drawing: sprites over backgrounds, in batches, in plain torch.

``LargeComposer`` draws at twice the size.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.synthesis.retrieval.compositing import tint
from pixgen.synthesis.retrieval.style_filter import apply_style
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import SETTINGS, load_settings_bank
from pixgen.training.data.drawings import SIDE, drawings_of, load_sprites, own_drawings, own_records, render


@dataclass(frozen=True)
class Layer:
    """One drawing in a picture: centre in [0, 1], size as a fraction of the side, rotation in degrees."""

    sprite: int
    x: float
    y: float
    scale: float
    angle: float = 0.0
    flip: bool = False
    tint: str | None = None


@dataclass(frozen=True)
class Background:
    """A background: a plain colour, a gradient or pattern of two colours, or a painted setting."""

    kind: str  # plain, fade, striped, dotted, checkered, setting
    colours: tuple[str, ...] = ()
    setting: str = ""
    variant: int = 0
    flip: bool = False


@dataclass(frozen=True)
class Composition:
    """A picture to draw and its caption; compositions with equal meanings are described by the same
    captions."""

    background: Background
    layers: tuple[Layer, ...]
    filter: str = ""
    caption: str = ""
    meaning: tuple = ()


class Composer:
    """Turns compositions into pictures, ``side`` pixels wide and high; random shades and paper come from its
    own generator.

    Args:
        own: also of the things that are drawn for pixgen alone; they come last in the table.
    """

    side = SIDE

    def __init__(self, folder: Path, *, seed: int = 0, own: bool = False) -> None:
        self.sprites, self.table = load_sprites(folder)
        self.own = [sprite for _, sprite in own_drawings()] if own else []
        self.table += own_records() if own else []
        self.bank = load_settings_bank(folder)
        self.places = list(SETTINGS)
        self.rng = np.random.default_rng(seed)

    @torch.no_grad()
    def draw(self, compositions: list[Composition]) -> torch.Tensor:
        """Pictures ``(B, 3, side, side)``, float32 in [0, 1]."""
        pictures = torch.stack([self._background(each.background) for each in compositions])
        depth = max(len(each.layers) for each in compositions)
        for level in range(depth):
            rows = [row for row, each in enumerate(compositions) if len(each.layers) > level]
            layers = [compositions[row].layers[level] for row in rows]
            sprite = self.layers(layers)  # (b, 4, 128, 128), premultiplied
            pictures[rows] = pictures[rows] * (1 - sprite[:, 3:]) + sprite[:, :3]
        for row, each in enumerate(compositions):
            if each.filter:
                fine = bool(self.rng.random() < 0.75)
                noise = torch.from_numpy(self.rng.random((1, 1, 8, 8), dtype=np.float32))
                drawn = apply_style(each.filter, pictures[row : row + 1], noise=noise, fine=fine)
                pictures[row] = drawn[0]
        return pictures.clamp_(0, 1)

    def _shade(self, name: str) -> torch.Tensor:
        rgb = np.array(COLOURS[name], np.float32) / 255
        jitter = 0.015 if name == "white" else 0.05
        return torch.from_numpy((rgb + self.rng.normal(size=3) * jitter).clip(0, 1)).float()

    def _background(self, background: Background) -> torch.Tensor:
        if background.kind == "setting":
            picture = self._setting(background)
            return picture.flip(-1) if background.flip else picture
        if background.colours == ("white",):
            return torch.ones(3, self.side, self.side) - 0.02 * float(self.rng.random() < 0.3)
        first = self._shade(background.colours[0])[:, None, None].expand(3, self.side, self.side)
        if background.kind == "plain":
            return first.clone()
        second = self._shade(background.colours[1])[:, None, None]
        return first + (second - first) * self._pattern(background.kind)

    def _setting(self, background: Background) -> torch.Tensor:
        row = self.places.index(background.setting)
        kept = self.bank[row, background.variant % self.bank.shape[1]]
        return torch.from_numpy(kept.astype(np.float32)) / 255

    def _pattern(self, kind: str) -> torch.Tensor:
        rows, columns = torch.meshgrid(*[torch.arange(self.side) / self.side] * 2, indexing="ij")
        angle, cells = self.rng.uniform(0, np.pi), self.rng.integers(4, 9)
        turned = columns * np.cos(angle) + rows * np.sin(angle)
        if kind == "fade":
            return ((turned - turned.min()) / (turned.max() - turned.min())).float()
        if kind == "striped":
            return torch.sigmoid(20 * torch.sin(turned * 2 * np.pi * cells)).float()
        if kind == "dotted":
            reach = torch.hypot((columns * cells) % 1 - 0.5, (rows * cells) % 1 - 0.5)
            return torch.sigmoid((0.25 - reach) * 40).float()
        return (((columns * cells).int() + (rows * cells).int()) % 2).float()

    def layers(self, layers: list[Layer]) -> torch.Tensor:
        """Drawings placed and coloured as their layers say, colours times opacity, and opacity: ``(B, 4,
        side, side)``."""
        pixels = np.stack([self._pixels(layer.sprite) for layer in layers])
        sprites = torch.from_numpy(pixels.astype(np.float32) / 255)
        for row, layer in enumerate(layers):
            if layer.tint:
                sprites[row] = tint(sprites[row], self._shade(layer.tint))
        return place_sprites(sprites, layers)

    def _pixels(self, index: int) -> np.ndarray:
        count = len(self.sprites)
        return self.sprites[index] if index < count else self.own[index - count]


def place_sprites(sprites: torch.Tensor, layers: list[Layer]) -> torch.Tensor:
    """Place sprites ``(B, 4, H, W)`` in [0, 1] at the positions and sizes of their layers; the shape
    stays."""
    # A coarser level for what is drawn small: bilinear sampling alone would alias.
    coarse = F.interpolate(F.avg_pool2d(sprites, 2), scale_factor=2, mode="bilinear")
    small = torch.tensor([layer.scale < 0.6 for layer in layers])
    sprites = torch.where(small[:, None, None, None], coarse, sprites)
    grid = F.affine_grid(_transforms(layers), list(sprites.shape), align_corners=False)
    return F.grid_sample(sprites, grid, align_corners=False)


def _transforms(layers: list[Layer]) -> torch.Tensor:
    """Affine maps from the picture's coordinates in [-1, 1] to each sprite's, ``(B, 2, 3)``."""
    maps = np.empty((len(layers), 2, 3), np.float32)
    for row, layer in enumerate(layers):
        angle = np.deg2rad(layer.angle)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        linear = turn / layer.scale
        if layer.flip:
            linear[0] *= -1
        centre = np.array([2 * layer.x - 1, 2 * layer.y - 1])
        maps[row, :, :2], maps[row, :, 2] = linear, -linear @ centre
    return torch.from_numpy(maps)


def sheet(pictures: torch.Tensor, columns: int) -> torch.Tensor:
    """Arrange pictures ``(B, 3, H, W)`` in ``columns`` columns, ``(3, rows·H, columns·W)``."""
    rows = -(-len(pictures) // columns)
    padding = torch.ones(rows * columns - len(pictures), *pictures.shape[1:])
    return rearrange(torch.cat([pictures.cpu(), padding]), "(r c) d h w -> d (r h) (c w)", c=columns)


class LargeComposer(Composer):
    """A composer of pictures of 256×256. Each drawing is rendered on first use and cached."""

    side = 2 * SIDE

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        super().__init__(folder, seed=seed)
        self.drawings = drawings_of(folder, self.table)
        self.rendered: dict[int, np.ndarray] = {}

    def _setting(self, background: Background) -> torch.Tensor:
        # The painters' own size: the bank keeps it halved.
        painter, row = SETTINGS[background.setting][0], self.places.index(background.setting)
        chance = np.random.default_rng((row, background.variant % self.bank.shape[1]))
        painted = painter(chance).clip(0, 1).astype(np.float32)
        return torch.from_numpy(painted.transpose(2, 0, 1).copy())

    def _pixels(self, index: int) -> np.ndarray:
        if index not in self.rendered:
            drawn = render(self.drawings[index].svg, side=self.side)
            # Of two drawings in the same words one may show nothing: then the other's sprite is doubled.
            kept = self.sprites[index].repeat(2, axis=1).repeat(2, axis=2)
            self.rendered[index] = kept if drawn is None else drawn
        return self.rendered[index]

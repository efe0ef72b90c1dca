"""Cutouts: the parts of a picture that CLIP looks at, each sampled once.

Crop, flip, affine and perspective of a cutout are matrices; their product is one homography, so a
cutout is one read of the picture, from the level of a small pyramid that its scale needs. Colour
changes are matrices too. All chance comes from the generator that is given, on its device: two runs
at once don't disturb each other, and a run can be repeated.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from kornia.geometry.transform import get_perspective_transform

from pixgen.augmentations import (
    Affine,
    Augmentation,
    ColourJitter,
    Crop,
    CutoutSet,
    Erasing,
    Flip,
    Noise,
    Perspective,
    Sharpness,
)

_CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Placement:
    """Where N cutouts lie: ``matrices`` (N, 3, 3) take a cutout's coordinates in [-1, 1] to the
    picture's; ``paddings`` name what lies outside the picture, one a cutout."""

    matrices: torch.Tensor
    paddings: tuple[str, ...]

    def in_batches(self, batches: int) -> Iterator[tuple[torch.Tensor, "Placement"]]:
        """The cutouts in at most so many batches: which rows each has, and where they lie."""
        count = len(self.paddings)
        for rows in torch.arange(count).chunk(min(batches, count)):
            paddings = tuple(self.paddings[row] for row in rows.tolist())
            yield rows, Placement(self.matrices[rows], paddings)


def place(
    cutouts: CutoutSet, count: int, *, aspect: float, generator: torch.Generator
) -> Placement:
    """Draw ``count`` placements for a picture of ``aspect`` (width / height)."""
    chance = _Chance(count, generator)
    matrices, paddings = [], []
    for crop, number in zip(cutouts.crops, _shares(cutouts.crops, count), strict=True):
        matrices.append(_crop(crop, aspect, _Chance(number, generator)))
        paddings += [crop.padding] * number
    matrix = torch.cat(matrices)
    for augmentation in cutouts.augmentations:
        if make := _GEOMETRY.get(type(augmentation)):
            matrix = matrix @ make(augmentation, chance)
    return Placement(matrix, tuple(paddings))


def sample(picture: torch.Tensor, placement: Placement, *, size: int) -> torch.Tensor:
    """Read the cutouts from the picture.

    Args:
        picture: ``(1, 3, H, W)``, or ``(N, 3, H, W)`` for one cutout from each of N pictures.
        placement: N cutouts.
        size: the side S of a cutout in pixels.

    Returns:
        ``(N, 3, S, S)``, in the picture's range (grey padding is 0.5).
    """
    return read(
        picture, look_up(placement, size=size, height=picture.shape[-2], width=picture.shape[-1])
    )


@dataclass(frozen=True)
class Places:
    """What is read of a picture for N cutouts of side S: ``grid`` ``(N, S, S, 2)`` in [-1, 1], and of
    each the level of the pyramid, and what lies outside of the picture."""

    grid: torch.Tensor
    levels: tuple[int, ...]
    paddings: tuple[str, ...]


def look_up(placement: Placement, *, size: int, height: int, width: int) -> Places:
    """Where the pixels of cutouts of side ``size`` read in a picture of that size."""
    grid = _grid(placement.matrices, size)
    levels = _pixels_a_step(grid, height, width).log2().round().clamp(0, 6).int().tolist()
    return Places(grid, tuple(levels), placement.paddings)


def read(picture: torch.Tensor, places: Places) -> torch.Tensor:
    """The cutouts of a picture, as in ``sample``."""
    pyramid = [picture]
    for _ in range(max(places.levels)):
        pyramid.append(F.avg_pool2d(pyramid[-1], 2, ceil_mode=True))
    cutouts: list[torch.Tensor | None] = [None] * len(places.levels)
    kinds = list(zip(places.levels, places.paddings, strict=True))
    for level, padding in dict.fromkeys(kinds):
        rows = [row for row, kind in enumerate(kinds) if kind == (level, padding)]
        for row, cutout in zip(
            rows, _read(pyramid[level], places.grid, rows, padding), strict=True
        ):
            cutouts[row] = cutout
    return torch.stack(cutouts)


def disturb(
    cutouts: torch.Tensor, augmentations: Sequence[Augmentation], generator: torch.Generator
) -> torch.Tensor:
    """Colour changes, then sharpening, erasing and noise; ``(N, 3, S, S)`` in and out."""
    chance = _Chance(len(cutouts), generator)
    colours = [each for each in augmentations if isinstance(each, ColourJitter)]
    if colours:
        matrix = torch.eye(4, device=cutouts.device).expand(len(cutouts), 4, 4)
        for jitter in colours:
            matrix = _colour_matrix(jitter, chance) @ matrix
        matrix = matrix.to(cutouts.dtype)
        cutouts = einsum(matrix[:, :3, :3], cutouts, "n o i, n i h w -> n o h w")
        cutouts = cutouts + matrix[:, :3, 3, None, None]
    for augmentation in augmentations:
        if change := _PIXELS.get(type(augmentation)):
            cutouts = change(cutouts, augmentation, chance)
    return cutouts


class _Chance:
    """Random numbers for ``count`` cutouts, drawn on the generator's device."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator, self.device = count, generator, generator.device

    def uniform(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        drawn = torch.rand(self.count, generator=self.generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(self.count, *shape, generator=self.generator, device=self.device)

    def happens(self, p: float) -> torch.Tensor:
        """1 where it happens, 0 elsewhere, ``(N,)``."""
        return (self.uniform() < p).float()


def _shares(crops: Sequence[Crop], count: int) -> list[int]:
    total, given, numbers = sum(crop.share for crop in crops), 0.0, []
    for crop in crops:
        given += crop.share / total * count
        numbers.append(round(given) - sum(numbers))
    return numbers


def _crop(crop: Crop, aspect: float, chance: _Chance) -> torch.Tensor:
    if crop.law == "whole":
        half_width = half_height = torch.full(
            (chance.count,), 1 + crop.overscan, device=chance.device
        )
        x = y = torch.zeros_like(half_width)
    else:
        if crop.law == "normal":
            middle, spread = (crop.smallest + crop.largest) / 2, (crop.largest - crop.smallest) / 2
            part = (middle + spread * chance.normal()).clamp(crop.smallest, crop.largest)
        else:
            part = crop.smallest + (crop.largest - crop.smallest) * chance.uniform() ** crop.power
        stretch = math.log(crop.stretch) / 2
        stretched = torch.exp(chance.uniform(-stretch, stretch))
        # The part is of the shorter side: in [-1, 1] that is less of the longer one.
        half_width = part * stretched * min(1.0, 1 / aspect)
        half_height = part / stretched * min(1.0, aspect)
        x = (1 - half_width).clamp(min=0).add(crop.overscan) * chance.uniform(-1, 1)
        y = (1 - half_height).clamp(min=0).add(crop.overscan) * chance.uniform(-1, 1)
    return _matrix(half_width, 0, x, 0, half_height, y)


def _matrix(a, b, c, d, e, f) -> torch.Tensor:
    """Matrices ``(N, 3, 3)`` with rows (a, b, c), (d, e, f), (0, 0, 1) from numbers and ``(N,)``."""
    like = next(value for value in (a, b, c, d, e, f) if isinstance(value, torch.Tensor))
    numbers = [value if isinstance(value, torch.Tensor) else torch.full_like(like, value)
               for value in (a, b, c, d, e, f, 0.0, 0.0, 1.0)]  # fmt: skip
    return rearrange(torch.stack(numbers, -1), "n (r c) -> n r c", r=3)


def _flip(flip: Flip, chance: _Chance) -> torch.Tensor:
    return _matrix(1 - 2 * chance.happens(flip.p), 0, 0, 0, 1, 0)


def _affine(affine: Affine, chance: _Chance) -> torch.Tensor:
    on = chance.happens(affine.p)
    turn = torch.deg2rad(chance.uniform(-affine.degrees, affine.degrees)) * on
    shear = torch.tan(torch.deg2rad(chance.uniform(-affine.shear, affine.shear))) * on
    scale = 1 + chance.uniform(-affine.scale, affine.scale) * on
    x, y = (2 * chance.uniform(-affine.translate, affine.translate) * on for _ in range(2))
    rotation = _matrix(
        turn.cos() * scale, -turn.sin() * scale, x, turn.sin() * scale, turn.cos() * scale, y
    )
    return rotation @ _matrix(1, shear, 0, 0, 1, 0)


def _perspective(perspective: Perspective, chance: _Chance) -> torch.Tensor:
    corners = torch.tensor(_CORNERS, device=chance.device).expand(chance.count, 4, 2)
    moves = torch.rand(chance.count, 4, 2, generator=chance.generator, device=chance.device)
    on = chance.happens(perspective.p)[:, None, None]
    moved = corners * (1 - perspective.distortion * moves * on)
    # The cutout's shrunken corners show the whole crop, so they are the ones mapped from.
    return get_perspective_transform(moved, corners)


_GEOMETRY: dict[type, Callable[..., torch.Tensor]] = {
    Flip: _flip,
    Affine: _affine,
    Perspective: _perspective,
}


def _grid(matrices: torch.Tensor, size: int) -> torch.Tensor:
    """Where each cutout's pixels read in the picture, ``(N, S, S, 2)`` in [-1, 1]."""
    at = (torch.arange(size, device=matrices.device) + 0.5) * (2 / size) - 1
    rows, columns = torch.meshgrid(at, at, indexing="ij")
    points = torch.stack([columns, rows, torch.ones_like(rows)], -1)  # (S, S, 3)
    mapped = einsum(matrices, points, "n o i, h w i -> n h w o")
    return mapped[..., :2] / mapped[..., 2:].clamp(min=1e-3)


def _pixels_a_step(grid: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """How many of a picture's pixels lie between two of a cutout's, ``(N,)``: the geometric mean
    over both directions, at the cutout's middle."""
    middle = grid.shape[1] // 2
    across = grid[:, middle, middle] - grid[:, middle, middle - 1]
    down = grid[:, middle, middle] - grid[:, middle - 1, middle]
    area = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
    return (area.abs() * height * width / 4).sqrt()


def _read(picture: torch.Tensor, grid: torch.Tensor, rows: list[int], padding: str) -> torch.Tensor:
    grid = grid[rows].to(picture.dtype)
    mode = "zeros" if padding == "grey" else padding
    shift = 0.5 if padding == "grey" else 0.0
    if len(picture) == 1:
        # One tall read of the one picture: its gradient is then summed in place instead of being
        # written once for every cutout.
        tall = rearrange(grid, "n h w c -> 1 (n h) w c")
        read = F.grid_sample(picture - shift, tall, padding_mode=mode, align_corners=False)
        return rearrange(read, "1 c (n h) w -> n c h w", n=len(rows)) + shift
    return (
        F.grid_sample(picture[rows] - shift, grid, padding_mode=mode, align_corners=False) + shift
    )


def _colour_matrix(jitter: ColourJitter, chance: _Chance) -> torch.Tensor:
    """Brightness, contrast, saturation and hue as one ``(N, 4, 4)``."""
    on, device = chance.happens(jitter.p), chance.device
    brightness, contrast, saturation = (
        1 + chance.uniform(-amount, amount) * on
        for amount in (jitter.brightness, jitter.contrast, jitter.saturation)
    )
    angle = 2 * math.pi * chance.uniform(-jitter.hue, jitter.hue) * on
    eye = torch.eye(3, device=device)
    grey = torch.tensor(_GREY, device=device).expand(3, 3)
    saturate = saturation[:, None, None] * (eye - grey) + grey
    # A turn about the grey axis (Rodrigues).
    axis = torch.full((3, 3), 1 / 3, device=device)
    third = 1 / math.sqrt(3)
    cross = torch.tensor(
        ((0, -third, third), (third, 0, -third), (-third, third, 0)), device=device
    )
    turn = angle.cos()[:, None, None] * (eye - axis) + angle.sin()[:, None, None] * cross + axis
    gain = (brightness * contrast)[:, None, None]
    matrix = torch.eye(4, device=device).repeat(chance.count, 1, 1)
    matrix[:, :3, :3] = gain * (turn @ saturate)
    matrix[:, :3, 3] = (0.5 * brightness * (1 - contrast))[:, None]
    return matrix


def _sharpen(cutouts: torch.Tensor, sharpness: Sharpness, chance: _Chance) -> torch.Tensor:
    amount = chance.uniform(0, sharpness.amount) * chance.happens(sharpness.p)
    blurred = F.avg_pool2d(F.pad(cutouts, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return cutouts + amount[:, None, None, None].to(cutouts.dtype) * (cutouts - blurred)


def _erase(cutouts: torch.Tensor, erasing: Erasing, chance: _Chance) -> torch.Tensor:
    count = 1 if erasing.together else chance.count
    drawn = _Chance(count, chance.generator)
    area = drawn.uniform(erasing.smallest, erasing.largest)
    shape = torch.exp(drawn.uniform(-math.log(3), math.log(3)) / 2)
    width, height = (area.sqrt() * shape).clamp(max=1), (area.sqrt() / shape).clamp(max=1)
    left, top = (1 - width) * drawn.uniform(), (1 - height) * drawn.uniform()
    at = (torch.arange(cutouts.shape[-1], device=cutouts.device) + 0.5) / cutouts.shape[-1]
    columns = (at >= left[:, None]) & (at < (left + width)[:, None])
    rows = (at >= top[:, None]) & (at < (top + height)[:, None])
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    on = chance.happens(erasing.p).bool()[:, None, None, None]
    return cutouts.masked_fill(hole & on, 0.0)


def _noise(cutouts: torch.Tensor, noise: Noise, chance: _Chance) -> torch.Tensor:
    strength = (chance.uniform(0, noise.amount) * chance.happens(noise.p))[:, None, None, None]
    return cutouts + (strength * chance.normal(*cutouts.shape[1:])).to(cutouts.dtype)


_PIXELS: dict[type, Callable[..., torch.Tensor]] = {
    Sharpness: _sharpen,
    Erasing: _erase,
    Noise: _noise,
}

"""Cutouts, the parts of a picture that CLIP sees: placed, planned for a step, and sampled once each.

Crop, flip, affine and perspective of a cutout are matrices. Their product is one homography, so that a cutout
is one read of the picture, from the level of a small pyramid that its scale needs. Every random number comes
from the given generator, on its device: runs at the same time do not disturb each other, and a run can be
repeated.

The cutouts of a step are planned on the CPU in float32 and uploaded at once: the CPU never waits for a GPU,
and a seed places the same cutouts on every device.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.runtime import current_engine
from pixgen.recipe.cutouts import Crop
from pixgen.synthesis.cutouts.augmentations import AppliedAugmentation, apply_changes
from pixgen.synthesis.precision import full_precision
from pixgen.synthesis.tensors import upload_all


@dataclass(frozen=True)
class Placement:
    """Where N cutouts lie: ``matrices`` ``(N, 3, 3)`` map a cutout's coordinates in [-1, 1] to the picture's;
    ``paddings`` name the fill outside the picture, one for each cutout."""

    matrices: torch.Tensor
    paddings: tuple[str, ...]

    def in_batches(self, batches: int) -> Iterator[tuple[slice, "Placement"]]:
        """Split the cutouts into at most so many batches; yields the rows of each and their placement."""
        count = len(self.paddings)
        side = -(-count // min(batches, count))
        for first in range(0, count, side):
            rows = slice(first, min(first + side, count))
            yield rows, Placement(self.matrices[rows], self.paddings[rows])


def place_crops(crops: Sequence[Crop], count: int, *, aspect: float, generator: torch.Generator) -> Placement:
    """Sample ``count`` crops of a picture of ``aspect`` (width / height), in float32."""
    with full_precision(generator.device):
        matrices, paddings = [], []
        for crop, number in zip(crops, _split_count(crops, count), strict=True):
            matrices.append(_crop(crop, aspect, RandomDraws(number, generator)))
            paddings += [crop.padding] * number
        return Placement(torch.cat(matrices), tuple(paddings))


class RandomDraws:
    """Random numbers for ``count`` cutouts, sampled on the generator's device."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator, self.device = count, generator, generator.device

    def uniform(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """``(N,)`` between two numbers."""
        drawn = torch.rand(self.count, generator=self.generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> torch.Tensor:
        """``(N, *shape)`` with mean 0 and deviation 1."""
        return torch.randn(self.count, *shape, generator=self.generator, device=self.device)

    def bernoulli(self, p: float) -> torch.Tensor:
        """1 with probability ``p``, otherwise 0, ``(N,)``."""
        return (self.uniform() < p).float()


def sample_cutouts(picture: torch.Tensor, placement: Placement, *, size: int) -> torch.Tensor:
    """Sample the cutouts from the picture.

    Args:
        picture: ``(1, 3, H, W)``, or ``(N, 3, H, W)`` for one cutout from each of N pictures.
        placement: N cutouts.
        size: the side S of a cutout in pixels.

    Returns:
        ``(N, 3, S, S)``, in the picture's range (grey padding is 0.5).
    """
    return read_cutouts(
        picture, plan_reads(placement, size=size, height=picture.shape[-2], width=picture.shape[-1])
    )


@dataclass(frozen=True)
class CutoutReads:
    """How N cutouts of side ``size`` are read from a picture: the matrices of a placement, and for each
    cutout its level of the pyramid and its padding; ``points`` are the ``pixel_centres``, if they are kept."""

    matrices: torch.Tensor
    size: int
    levels: tuple[int, ...]
    paddings: tuple[str, ...]
    points: torch.Tensor | None = None


def plan_reads(placement: Placement, *, size: int, height: int, width: int) -> CutoutReads:
    """Choose the level of the pyramid for each cutout of side ``size``; the levels are on the host."""
    with full_precision(placement.matrices.device):
        steps = _pixel_step(placement.matrices, size, height, width)
        levels = steps.log2().round().clamp(0, 6).int().tolist()
    return CutoutReads(placement.matrices, size, tuple(levels), placement.paddings)


def read_cutouts(picture: torch.Tensor, places: CutoutReads) -> torch.Tensor:
    """Read the cutouts from a picture, as ``sample_cutouts`` returns them, in float32."""
    with full_precision(picture.device):
        pyramid = [picture.float()]
        for _ in range(max(places.levels)):
            pyramid.append(F.avg_pool2d(pyramid[-1], 2, ceil_mode=True))
        points = pixel_centres(places.size, picture.device) if places.points is None else places.points
        grid = _map_points(places.matrices, points)
        kinds = list(zip(places.levels, places.paddings, strict=True))
        if len(set(kinds)) == 1:
            level, padding = kinds[0]
            return _read(pyramid[level], grid, list(range(len(kinds))), padding)
        cutouts: dict[int, torch.Tensor] = {}  # by their number
        for level, padding in dict.fromkeys(kinds):
            rows = [row for row, kind in enumerate(kinds) if kind == (level, padding)]
            # Rows by views: a list of numbers would have to be copied to a GPU, and waited for.
            own = torch.stack([grid[row] for row in rows])
            for row, cutout in zip(rows, _read(pyramid[level], own, rows, padding), strict=True):
                cutouts[row] = cutout
        return torch.stack([cutouts[row] for row in range(len(kinds))])


def _split_count(crops: Sequence[Crop], count: int) -> list[int]:
    total, given = sum(crop.share for crop in crops), 0.0
    numbers: list[int] = []
    for crop in crops:
        given += crop.share / total * count
        numbers.append(round(given) - sum(numbers))
    return numbers


def _crop(crop: Crop, aspect: float, draws: RandomDraws) -> torch.Tensor:
    if crop.law == "whole":
        half_width = half_height = torch.full((draws.count,), 1 + crop.overscan, device=draws.device)
        x = y = torch.zeros_like(half_width)
    else:
        if crop.law == "normal":
            middle, spread = (crop.smallest + crop.largest) / 2, (crop.largest - crop.smallest) / 2
            part = (middle + spread * draws.normal()).clamp(crop.smallest, crop.largest)
        else:
            part = crop.smallest + (crop.largest - crop.smallest) * draws.uniform() ** crop.power
        stretch = math.log(crop.stretch) / 2
        stretched = torch.exp(draws.uniform(-stretch, stretch))
        # The part is of the shorter side: in [-1, 1] that is less of the longer one.
        half_width = part * stretched * min(1.0, 1 / aspect)
        half_height = part / stretched * min(1.0, aspect)
        x = (1 - half_width).clamp(min=0).add(crop.overscan) * draws.uniform(-1, 1)
        y = (1 - half_height).clamp(min=0).add(crop.overscan) * draws.uniform(-1, 1)
    return matrix_of(half_width, 0, x, 0, half_height, y)


def matrix_of(a, b, c, d, e, f) -> torch.Tensor:
    """Matrices ``(N, 3, 3)`` with rows (a, b, c), (d, e, f), (0, 0, 1) from numbers and ``(N,)``."""
    like = next(value for value in (a, b, c, d, e, f) if isinstance(value, torch.Tensor))
    numbers = [
        value if isinstance(value, torch.Tensor) else torch.full_like(like, value)
        for value in (a, b, c, d, e, f, 0.0, 0.0, 1.0)
    ]
    return rearrange(torch.stack(numbers, -1), "n (r c) -> n r c", r=3)


def pixel_centres(size: int, device: torch.device) -> torch.Tensor:
    """The centre of each pixel of a cutout, ``(S, S, 3)``: x and y in [-1, 1], and 1."""
    at = (torch.arange(size, device=device) + 0.5) * (2 / size) - 1
    rows, columns = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([columns, rows, torch.ones_like(rows)], -1)


def _map_points(matrices: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Map points ``(H, W, 3)`` by matrices ``(N, 3, 3)``, ``(N, H, W, 2)``."""
    # In the order of memory that is read next, so that nothing is copied.
    mapped = rearrange(points, "h w i -> (h w) i") @ matrices.mT
    mapped = rearrange(mapped, "n (h w) o -> n h w o", h=len(points))
    return mapped[..., :2] / mapped[..., 2:].clamp(min=1e-3)


def _pixel_step(matrices: torch.Tensor, size: int, height: int, width: int) -> torch.Tensor:
    """The number of pixels of the picture for one pixel of a cutout, ``(N,)``: the geometric mean of both
    directions, at the cutout's centre."""
    low, high = ((size // 2 + at + 0.5) * (2 / size) - 1 for at in (-1, 0))
    points = torch.tensor(((high, high, 1.0), (low, high, 1.0), (high, low, 1.0)))
    middle, left, above = _map_points(matrices, points.to(matrices.device)[None]).unbind(2)
    across, down = (middle - left)[:, 0], (middle - above)[:, 0]
    area = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
    return (area.abs() * height * width / 4).sqrt()


def _read(picture: torch.Tensor, grid: torch.Tensor, rows: list[int], padding: str) -> torch.Tensor:
    if padding == "grey":  # zeros of a picture that is shifted
        return _read(picture - 0.5, grid, rows, "zeros") + 0.5
    if len(picture) == 1:
        # One tall read of the one picture: its gradient is then summed in place instead of being
        # written once for every cutout.
        tall = rearrange(grid, "n h w c -> 1 (n h) w c")
        read = grid_sample(picture, tall, padding_mode=padding)
        return rearrange(read, "1 c (n h) w -> n c h w", n=len(rows))
    pictures = picture if len(rows) == len(picture) else picture[rows]
    return grid_sample(pictures, grid, padding_mode=padding)


def grid_sample(picture: torch.Tensor, grid: torch.Tensor, *, padding_mode: str) -> torch.Tensor:
    """``torch.nn.functional.grid_sample``, bilinear and without aligned corners.

    On a GPU its gradient is summed by atomic additions in no fixed order, so that two runs differ by
    rounding, and visibly after some steps. With ``engine.deterministic`` the pixels are looked up by index
    instead, whose gradient torch sums in a fixed order.
    """
    if picture.device.type == "cuda" and current_engine().deterministic:
        return grid_sample_by_index(picture, grid, padding_mode=padding_mode)
    return F.grid_sample(picture, grid, padding_mode=padding_mode, align_corners=False)


def grid_sample_by_index(picture: torch.Tensor, grid: torch.Tensor, *, padding_mode: str) -> torch.Tensor:
    """The same from a picture ``(N, C, H, W)`` at places ``(N, h, w, 2)`` in [-1, 1], ``(N, C, h, w)``.

    Args:
        padding_mode: zeros, border or reflection.

    Only the picture gets a gradient.
    """
    count, _, height, width = picture.shape
    x, y = (
        _pad_places(((grid[..., axis] + 1) * side - 1) / 2, side, padding_mode)
        for axis, side in ((0, width), (1, height))
    )
    left, top = x.floor(), y.floor()
    flat = rearrange(picture, "n c h w -> n (h w) c")
    rows = torch.arange(count, device=picture.device)[:, None, None]
    found = torch.zeros((), device=picture.device)
    for column, across in ((left, left + 1 - x), (left + 1, x - left)):
        for row, down in ((top, top + 1 - y), (top + 1, y - top)):
            seen = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            at = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            found = found + flat[rows, at] * (across * down * seen)[..., None]
    return rearrange(found, "n h w c -> n c h w")


def _pad_places(places: torch.Tensor, side: int, padding_mode: str) -> torch.Tensor:
    """Move places in pixels to where the padding reads them."""
    if padding_mode == "reflection":  # at the outer edges of the outermost pixels
        turned = (places + 0.5).abs().remainder(2 * side)
        places = torch.minimum(turned, 2 * side - turned) - 0.5
    return places if padding_mode == "zeros" else places.clamp(0, side - 1)


@dataclass(frozen=True)
class CutoutBatch:
    """One batch of a step's cutouts.

    ``shares`` ``(N, P)`` is the weight of each cutout for each prompt.
    """

    places: CutoutReads
    changes: tuple[AppliedAugmentation, ...]
    shares: torch.Tensor

    @property
    def count(self) -> int:
        """The number of cutouts."""
        return len(self.places.paddings)

    def see(self, picture: torch.Tensor) -> torch.Tensor:
        """The cutouts of a picture ``(1, 3, H, W)`` in [0, 1], ``(N, 3, S, S)`` in float32."""
        with full_precision(picture.device):
            return apply_changes(read_cutouts(picture, self.places), self.changes)


class CutoutSampler(Protocol):
    """Samples the places of cutouts and what their augmentations do in a step."""

    def place(self, count: int, *, aspect: float) -> Placement:
        """Sample the places of ``count`` cutouts in a picture, or in a region, of ``aspect``."""
        ...

    def warp(self, placement: Placement, *, step: int) -> Placement:
        """The placement of all cutouts of a step with the geometry of their augmentations."""
        ...

    def changes(self, rows: slice, *, step: int) -> list[AppliedAugmentation]:
        """The augmentations of some rows of a step's cutouts after they are read, with their random values on
        the CPU."""
        ...


def plan_cutouts(
    sampler: CutoutSampler,
    placement: Placement,
    shares: torch.Tensor,
    *,
    step: int,
    batches: int,
    size: int,
    height: int,
    width: int,
    device: torch.device,
    points: torch.Tensor | None = None,
) -> Iterator[CutoutBatch]:
    """Sample the cutouts of one step, in at most so many batches.

    Args:
        placement, shares: of all cutouts, on the CPU.
        size: the side S of a cutout; ``height`` and ``width`` are the picture's.
        device: where the picture will be.
        points: the ``pixel_centres`` of a cutout on that device, if they are kept.
    """
    drawn = (
        CutoutBatch(
            replace(plan_reads(places, size=size, height=height, width=width), points=points),
            tuple(sampler.changes(rows, step=step)),
            shares[rows],
        )
        for rows, places in placement.in_batches(batches)
    )
    if device.type == "cpu":
        return drawn  # lazily: a batch is sampled after the noise of the one before
    return iter(_upload_batches(list(drawn), device))


def _upload_batches(batches: list[CutoutBatch], device: torch.device) -> list[CutoutBatch]:
    there = iter(upload_all([each for batch in batches for each in _batch_tensors(batch)], device))
    return [
        CutoutBatch(
            replace(batch.places, matrices=next(there)),
            tuple(
                replace(change, values=tuple(next(there) for _ in change.values)) for change in batch.changes
            ),
            next(there),
        )
        for batch in batches
    ]


def _batch_tensors(batch: CutoutBatch) -> list[torch.Tensor]:
    """The tensors of a batch that its device needs, in the order in which ``_upload_batches`` reads them."""
    return [
        batch.places.matrices,
        *(each for change in batch.changes for each in change.values),
        batch.shares,
    ]

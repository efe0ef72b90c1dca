"""Sketches on canvases longer than the sketcher's own: window after window, each seeing what is there."""

# MERGED pixgen.synthesis.sketching: A start that a sketcher writes: several candidates, shown as they grow, the best of them picked.
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.models.clip.perceptor import Perceptor
from pixgen.models.sketchers.dalle import DalleBart
from pixgen.models.sketchers.pocket import BLOCK, Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers.base import KeptPicture
from pixgen.synthesis.frames import Candidate
from pixgen.synthesis.sketch.samplers import TokenSampler, sampler_for
from pixgen.synthesis.sketch.sampling import OPEN, SamplingSettings
from pixgen.synthesis.tensors import to_pixels


def code_size(width: int, height: int, *, grid: int) -> tuple[int, int]:
    """Rows and columns of codes for a canvas of that aspect, the shorter ``grid``, both even."""
    long = round(grid * max(width, height) / min(width, height) / BLOCK) * BLOCK
    return (grid, long) if width >= height else (long, grid)


def window_offsets(length: int, *, grid: int, middle_first: bool) -> list[int]:
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


def sample_windows(
    pen: TokenSampler,
    wanted: Any,
    *,
    known: torch.Tensor,
    hand: SamplingSettings,
    generator: torch.Generator,
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
    for number, start in enumerate(window_offsets(max(rows, columns), grid=grid, middle_first=empty)):
        down, right = (start, 0) if rows > columns else (0, start)
        window = codes[:, down : down + grid, right : right + grid]
        if bool((window != OPEN).all()):
            continue
        told = None if empty and number else wanted
        for written in pen.write(told, known=window.clone(), hand=hand, generator=generator):
            window.copy_(written)
            yield codes.clone()


UNWRITTEN_GREY = 0.93  # the grey of what is not written yet


@dataclass(frozen=True)
class SketchModel:
    """A sketcher, the VQGAN whose codes it writes, and the CLIP that reads its words, where it does not
    itself."""

    sketcher: Sketcher | DalleBart
    vqgan: Vqgan
    reader: Perceptor | None = None

    @cached_property
    def pen(self) -> TokenSampler:
        """What writes."""
        return sampler_for(self.sketcher, self.reader)

    def begin(self, recipe: Recipe, **tools) -> "SketchSession":
        """A start of a recipe; the arguments are those of ``SketchSession``."""
        return SketchSession(recipe, self, **tools)


class SketchSession:
    """Writes a recipe's start. Iterate it for the pictures on the way; then ``codes`` and
    ``candidates`` are there, the one that ``judge`` likes best first.

    Args:
        judge: how well pictures ``(N, 3, H, W)`` fit, ``(N,)``.
        kept: what of the canvas is there already.
    """

    def __init__(
        self,
        recipe: Recipe,
        book: SketchModel,
        *,
        judge: Callable[[torch.Tensor], torch.Tensor],
        pictures: Mapping[str, Image.Image],
        generator: torch.Generator,
        kept: KeptPicture | None = None,
    ) -> None:
        self.recipe, self.book, self.judge = recipe, book, judge
        self.codes = torch.empty(0)  # (N, rows, columns)
        self.candidates: tuple[Candidate, ...] = ()
        self._pictures, self._generator, self._kept = pictures, generator, kept
        self._remembered = book.pen.remembered(recipe, book.vqgan, generator)

    @torch.no_grad()
    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yields pictures ``(1, 3, H, W)`` in [0, 1], one after each row of blocks."""
        settings, pen = self.recipe.init.sketch, self.book.pen
        known = self._known()
        codes = known.repeat(settings.candidates, 1, 1)
        if self._remembered:
            codes = self._remembered.ground(codes)
        at_once = self.recipe.engine.sketches or settings.candidates
        wanted, hand = pen.wanted(self.recipe, self._pictures, self._remembered), pen.hand(settings)
        written: list[torch.Tensor] = []
        for some in codes.split(at_once):
            for grown in sample_windows(pen, wanted, known=some, hand=hand, generator=self._generator):
                some = grown
                if not written:  # the first is seen growing
                    yield self._decoded(some[:1])
            written.append(some)
        codes = torch.cat(written)
        if self._remembered:
            codes = self._remembered.things(codes, known == OPEN)
            yield self._decoded(codes[:1])
        drawn = torch.cat([self._decoded(each[None]) for each in codes])
        order, self.candidates = rank(
            drawn,
            lambda all_drawn: torch.cat([self.judge(some) for some in all_drawn.split(at_once)]),
        )
        self.codes = codes[order]

    @property
    def most_stages(self) -> int:
        """How many pictures come on the way at most."""
        pen = self.book.pen
        rows, columns = code_size(self.recipe.width, self.recipe.height, grid=pen.grid)
        count = len(window_offsets(max(rows, columns), grid=pen.grid, middle_first=True))
        return count * (pen.grid // pen.block) + (self._remembered is not None)

    def picked(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The codes ``(rows, columns)`` and the picture ``(1, 3, H, W)`` of the recipe's choice."""
        codes = self.codes[self.recipe.init.sketch.pick]
        with torch.no_grad():
            return codes, self._decoded(codes[None])

    def _known(self) -> torch.Tensor:
        """The codes that there are before anything is written, ``(1, rows, columns)``."""
        vqgan, recipe = self.book.vqgan, self.recipe
        rows, columns = code_size(recipe.width, recipe.height, grid=self.book.pen.grid)
        if self._kept is None:
            return torch.full((1, rows, columns), OPEN, device=vqgan.codebook.device)
        size = (rows * vqgan.factor, columns * vqgan.factor)
        picture = F.interpolate(self._kept.picture, size=size, mode="bicubic", antialias=True)
        codes = vqgan.codes(vqgan.encode(picture.clamp(0, 1)))
        painted = F.adaptive_max_pool2d(self._kept.mask, (rows, columns))[:, 0] > 0.5
        return codes.masked_fill(painted, OPEN)

    def _decoded(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes ``(N, rows, columns)`` as pictures ``(N, 3, H, W)``; what is open is paper."""
        vqgan, recipe = self.book.vqgan, self.recipe
        drawn = vqgan.decode(vqgan.lookup(codes.clamp(min=0))).float().clamp(0, 1)
        written = (codes != OPEN).float()[:, None]
        if not bool(written.all()):
            mask = F.interpolate(written, scale_factor=vqgan.factor)
            drawn = drawn * mask + UNWRITTEN_GREY * (1 - mask)
        return cover(drawn, width=recipe.width, height=recipe.height)


def rank(
    drawn: torch.Tensor, judge: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[torch.Tensor, tuple[Candidate, ...]]:
    """In which order a judge likes pictures ``(N, 3, H, W)``, and these as candidates, the best first."""
    liked = judge(drawn)
    order = liked.argsort(descending=True, stable=True)
    return order, tuple(Candidate(to_pixels(drawn[index]), float(liked[index])) for index in order.tolist())


def cover(pictures: torch.Tensor, *, width: int, height: int) -> torch.Tensor:
    """Pictures ``(N, 3, h, w)`` so resized that they cover ``height`` × ``width``, and cut."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    scale = max(height / pictures.shape[-2], width / pictures.shape[-1])
    size = (
        max(height, round(pictures.shape[-2] * scale)),
        max(width, round(pictures.shape[-1] * scale)),
    )
    larger = F.interpolate(pictures, size=size, mode="bicubic", antialias=True, align_corners=False)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return larger[..., top : top + height, left : left + width].clamp(0, 1)

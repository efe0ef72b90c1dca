"""Sample the initial picture with a sketch model: several candidates, shown as they grow, ranked by CLIP.

A canvas longer than the grid of a model of codes is sampled window after window, each of which sees the codes
of those before it. UnCLIP paints whole pictures one after the other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.models.clip.perceptor import Perceptor
from pixgen.models.sketchers.dalle import DalleBart
from pixgen.models.sketchers.pocket import BLOCK, OPEN, Sketcher
from pixgen.models.sketchers.unclip import UnClip
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.init import UNCLIP, prompt_text_or_pictures, sampling_settings
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers.base import KeptPicture
from pixgen.synthesis.frames import Candidate
from pixgen.synthesis.sketch.samplers import SamplingSettings, TokenSampler, sampler_for
from pixgen.synthesis.tensors import to_pixels

UNWRITTEN_GREY = 0.93  # of codes that are not sampled yet


def code_size(width: int, height: int, *, grid: int) -> tuple[int, int]:
    """Rows and columns of codes for a canvas of that aspect, the shorter ``grid``, both even."""
    long = round(grid * max(width, height) / min(width, height) / BLOCK) * BLOCK
    return (grid, long) if width >= height else (long, grid)


def window_offsets(length: int, *, grid: int, middle_first: bool) -> list[int]:
    """Where windows of ``grid`` codes begin that cover ``length`` and overlap by half.

    In order; or the middle one first, then those behind it and those before it, so that each lies next to
    codes that are sampled already.
    """
    last, half = length - grid, grid // 2
    if not middle_first:
        return [*range(0, last, half), last]
    middle = last // 2 // BLOCK * BLOCK
    behind = [min(start, last) for start in range(middle + half, last + half, half)]
    before = [max(start, 0) for start in range(middle - half, -half, -half)]
    return [middle, *behind, *before]


def sample_windows(
    sampler: TokenSampler,
    conditioning: Any,
    *,
    known: torch.Tensor,
    settings: SamplingSettings,
    generator: torch.Generator,
) -> Iterator[torch.Tensor]:
    """Sample the codes that are ``OPEN`` in ``known``; yields all codes after each row of blocks in each
    window.

    Args:
        conditioning: from ``sampler.conditioning``.
        known: ``(N, rows, columns)`` int64, the shorter side the sampler's grid.

    Where no code is known, only the window in the middle is sampled with the conditioning: the others
    continue its codes, so that the subject appears once.
    """
    codes, grid = known.clone(), sampler.grid
    rows, columns = codes.shape[1:]
    empty = bool((codes == OPEN).all())
    for number, start in enumerate(window_offsets(max(rows, columns), grid=grid, middle_first=empty)):
        down, right = (start, 0) if rows > columns else (0, start)
        window = codes[:, down : down + grid, right : right + grid]
        if bool((window != OPEN).all()):
            continue
        condition = None if empty and number else conditioning
        for sampled in sampler.sample(
            condition, known=window.clone(), settings=settings, generator=generator
        ):
            window.copy_(sampled)
            yield codes.clone()


@dataclass(frozen=True)
class SketchModel:
    """A sketcher, the VQGAN whose codes it samples, and the CLIP that encodes texts for it, where it has no
    text encoder."""

    sketcher: Sketcher | DalleBart
    vqgan: Vqgan
    reader: Perceptor | None = None

    @cached_property
    def sampler(self) -> TokenSampler:
        """The sampler of this sketcher."""
        return sampler_for(self.sketcher, self.reader)

    def begin(self, recipe: Recipe, **tools) -> "SketchSession":
        """Start to sample the initial picture of a recipe; the arguments are those of ``SketchSession``."""
        return SketchSession(recipe, self, **tools)


class SketchSession:
    """Samples candidates for a recipe's initial picture.

    Iterate it for the pictures on the way; afterwards ``codes`` and ``candidates`` are there, the most
    similar to the prompts first.

    Args:
        similarity: of pictures ``(N, 3, H, W)`` to the prompts, ``(N,)``.
        kept: the part of the canvas that is not painted anew, whose codes stay.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: SketchModel,
        *,
        similarity: Callable[[torch.Tensor], torch.Tensor],
        pictures: Mapping[str, Image.Image],
        generator: torch.Generator,
        kept: KeptPicture | None = None,
    ) -> None:
        self.recipe, self.model, self.similarity = recipe, model, similarity
        self.codes = torch.empty(0)  # (N, rows, columns)
        self.candidates: tuple[Candidate, ...] = ()
        self._pictures, self._generator, self._kept = pictures, generator, kept
        self._retrieved = model.sampler.retrieve(recipe, model.vqgan, generator)

    @torch.no_grad()
    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yields pictures ``(1, 3, H, W)`` in [0, 1], one after each row of blocks."""
        sketch, sampler = self.recipe.init.sketch, self.model.sampler
        known = self._known_codes()
        codes = known.repeat(sketch.candidates, 1, 1)
        if self._retrieved:
            codes = self._retrieved.ground(codes)
        at_once = self.recipe.engine.sketches or sketch.candidates
        conditioning = sampler.conditioning(self.recipe, self._pictures, self._retrieved)
        settings = sampler.settings(sketch)
        sampled: list[torch.Tensor] = []
        for some in codes.split(at_once):
            for grown in sample_windows(
                sampler, conditioning, known=some, settings=settings, generator=self._generator
            ):
                some = grown
                if not sampled:  # the first candidate is shown as it grows
                    yield self._decode(some[:1])
            sampled.append(some)
        codes = torch.cat(sampled)
        if self._retrieved:
            codes = self._retrieved.things(codes, known == OPEN)
            yield self._decode(codes[:1])
        drawn = torch.cat([self._decode(each[None]) for each in codes])
        order, self.candidates = rank(
            drawn,
            lambda all_drawn: torch.cat([self.similarity(some) for some in all_drawn.split(at_once)]),
        )
        self.codes = codes[order]

    @property
    def most_stages(self) -> int:
        """The most pictures that come on the way."""
        sampler = self.model.sampler
        rows, columns = code_size(self.recipe.width, self.recipe.height, grid=sampler.grid)
        count = len(window_offsets(max(rows, columns), grid=sampler.grid, middle_first=True))
        return count * (sampler.grid // sampler.block) + (self._retrieved is not None)

    def pick(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The codes ``(rows, columns)`` and the picture ``(1, 3, H, W)`` of the candidate that the recipe
        picks."""
        codes = self.codes[self.recipe.init.sketch.pick]
        with torch.no_grad():
            return codes, self._decode(codes[None])

    def _known_codes(self) -> torch.Tensor:
        """The codes before sampling, ``(1, rows, columns)``: ``OPEN`` where to paint, those of a kept picture
        elsewhere."""
        vqgan, recipe = self.model.vqgan, self.recipe
        rows, columns = code_size(recipe.width, recipe.height, grid=self.model.sampler.grid)
        if self._kept is None:
            return torch.full((1, rows, columns), OPEN, device=vqgan.codebook.device)
        size = (rows * vqgan.factor, columns * vqgan.factor)
        picture = F.interpolate(self._kept.picture, size=size, mode="bicubic", antialias=True)
        codes = vqgan.codes(vqgan.encode(picture.clamp(0, 1)))
        painted = F.adaptive_max_pool2d(self._kept.mask, (rows, columns))[:, 0] > 0.5
        return codes.masked_fill(painted, OPEN)

    def _decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes ``(N, rows, columns)`` as pictures ``(N, 3, H, W)``, grey where they are ``OPEN``."""
        vqgan, recipe = self.model.vqgan, self.recipe
        drawn = vqgan.decode(vqgan.lookup(codes.clamp(min=0))).float().clamp(0, 1)
        written = (codes != OPEN).float()[:, None]
        if not bool(written.all()):
            mask = F.interpolate(written, scale_factor=vqgan.factor)
            drawn = drawn * mask + UNWRITTEN_GREY * (1 - mask)
        return cover(drawn, width=recipe.width, height=recipe.height)


def rank(
    drawn: torch.Tensor, similarity: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[torch.Tensor, tuple[Candidate, ...]]:
    """Sort pictures ``(N, 3, H, W)`` by similarity: their order ``(N,)``, and candidates, the most similar
    first."""
    scores = similarity(drawn)
    order = scores.argsort(descending=True, stable=True)
    return order, tuple(Candidate(to_pixels(drawn[index]), float(scores[index])) for index in order.tolist())


def cover(pictures: torch.Tensor, *, width: int, height: int) -> torch.Tensor:
    """Resize pictures ``(N, 3, h, w)`` to cover ``height`` × ``width``, and crop what sticks out."""
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


@dataclass(frozen=True)
class UnClipModel:
    """UnCLIP in the place of a ``SketchModel``."""

    unclip: UnClip

    def begin(self, recipe: Recipe, **tools) -> "UnClipSession":
        """Start to sample the initial picture of a recipe; the arguments are those of ``UnClipSession``."""
        return UnClipSession(recipe, self.unclip, **tools)


class UnClipSession:
    """Samples a recipe's initial picture as ``SketchSession`` does; its pictures have no codes.

    Iterate it for the pictures as they are ready; afterwards ``candidates`` are there, the most similar to
    the prompts first.

    Args:
        similarity: of pictures ``(N, 3, H, W)`` to the prompts, ``(N,)``.

    Raises RecipeError if the recipe asks for something that UnCLIP does not have.
    """

    def __init__(
        self,
        recipe: Recipe,
        unclip: UnClip,
        *,
        similarity: Callable[[torch.Tensor], torch.Tensor],
        pictures: Mapping[str, Image.Image],
        generator: torch.Generator,
        kept: None = None,
    ) -> None:
        self.recipe, self.similarity = recipe, similarity
        self.candidates: tuple[Candidate, ...] = ()
        self._drawn = torch.empty(0)  # (N, 3, H, W), the best first
        self._unclip, self._pictures, self._generator = unclip, pictures, generator
        self._guidance = sampling_settings(recipe.init.sketch, UNCLIP)["guidance"]
        self._terms = prompt_text_or_pictures(recipe)

    @torch.no_grad()
    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yields pictures ``(1, 3, H, W)`` in [0, 1], one after each candidate."""
        drawn = []
        for _ in range(self.most_stages):
            drawn.append(self._paint())
            yield drawn[-1]
        order, self.candidates = rank(torch.cat(drawn), self.similarity)
        self._drawn = torch.cat(drawn)[order]

    @property
    def most_stages(self) -> int:
        """The number of pictures that come on the way."""
        return self.recipe.init.sketch.candidates

    def pick(self) -> tuple[None, torch.Tensor]:
        """No codes, and the picture ``(1, 3, H, W)`` of the candidate that the recipe picks."""
        pick = self.recipe.init.sketch.pick
        return None, self._drawn[pick : pick + 1]

    def _paint(self) -> torch.Tensor:
        guidance, generator = self._guidance, self._generator
        if isinstance(self._terms, str):
            drawn = self._unclip.from_text(self._terms, guidance=guidance, generator=generator)
        else:
            given = [(self._pictures[term.picture], term.weight) for term in self._terms]
            drawn = self._unclip.from_pictures(given, guidance=guidance, generator=generator)
        return cover(drawn, width=self.recipe.width, height=self.recipe.height)

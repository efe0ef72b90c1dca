"""Sketches for prompts with regions: each region is sampled by itself and blended into its place."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image

from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.settings import Growth
from pixgen.synthesis.cutouts.regions import Regions, has_region
from pixgen.synthesis.frames import Candidate
from pixgen.synthesis.sketch.session import (
    UNWRITTEN_GREY,
    SketchModel,
    SketchSession,
    UnClipModel,
    UnClipSession,
)
from pixgen.synthesis.tensors import to_pixels

_COVERED = 0.85  # of the picture, from which on the space between regions gets no sketch


class RegionSketches:
    """A sketch session that samples one picture for each region's box and blends them with soft edges.

    The space that no region covers shows a sketch of the prompts without a region, or of all prompts.

    Args:
        similarity: of pictures ``(N, 3, H, W)`` to prompts, ``(N,)``.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: SketchModel | UnClipModel,
        *,
        similarity: Callable[[torch.Tensor, Scene], torch.Tensor],
        pictures: Mapping[str, Image.Image],
        generator: torch.Generator,
    ) -> None:
        self.recipe = recipe
        self.candidates: tuple[Candidate, ...] = ()
        scene, size = recipe.first_scene, (recipe.height, recipe.width)
        regions = Regions(scene, pictures=pictures, device=generator.device)
        places: dict[tuple[str, str], torch.Tensor] = {
            (prompt.region, prompt.mask): where
            for prompt, where in zip(scene, regions.maps, strict=True)
            if where is not None
        }
        self._parts: list[tuple[SketchSession | UnClipSession, tuple[int, int, int, int]]] = []
        self._weights: list[torch.Tensor] = []
        plain = tuple(prompt for prompt in scene if not has_region(prompt))

        def add(prompts: Scene, box: tuple[int, int, int, int], weight: torch.Tensor) -> None:
            left, top, right, bottom = box
            part = recipe.model_copy(
                update={
                    "prompts": (_without_regions(prompts),),
                    "width": right - left,
                    "height": bottom - top,
                    "grow": Growth(),
                }
            )
            session = model.begin(
                part,
                similarity=lambda drawn: similarity(drawn, part.first_scene),
                pictures=pictures,
                generator=generator,
            )
            self._parts.append((session, box))
            self._weights.append(F.interpolate(weight, size=size, mode="bilinear"))

        open_part = 1 - torch.stack(list(places.values())).amax(0)
        if float(open_part.mean()) > 1 - _COVERED or any(prompt.weight > 0 for prompt in plain):
            add(plain or scene, (0, 0, size[1], size[0]), open_part.clamp(min=1e-3))
        for (key, where), box in zip(places.items(), regions.boxes, strict=True):
            own = tuple(prompt for prompt in scene if (prompt.region, prompt.mask) == key)
            add((*own, *plain), _pixel_box(box, size), where)

    @torch.no_grad()
    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yields pictures ``(1, 3, H, W)`` in [0, 1], one after each row of blocks."""
        paper = [
            torch.full((1, 3, bottom - top, right - left), UNWRITTEN_GREY, device=weight.device)
            for (_, (left, top, right, bottom)), weight in zip(self._parts, self._weights, strict=True)
        ]
        for number, (session, _) in enumerate(self._parts):
            for picture in session:
                paper[number] = picture
                yield self._compose(paper)
            paper[number] = _tensor(session.candidates[0].picture, picture.device)
        candidates = []
        for each in zip(*(session.candidates for session, _ in self._parts), strict=True):
            drawn = self._compose([_tensor(one.picture, paper[0].device) for one in each])
            mean = sum(one.similarity for one in each) / len(each)
            candidates.append(Candidate(to_pixels(drawn[0]), mean))
        self.candidates = tuple(candidates)

    @property
    def most_stages(self) -> int:
        """The most pictures that come on the way."""
        return sum(session.most_stages for session, _ in self._parts)

    def pick(self) -> tuple[None, torch.Tensor]:
        """No codes, as there are several sketches, and the picture of the candidate that the recipe picks."""
        return None, self._compose([session.pick()[1] for session, _ in self._parts])

    def _compose(self, pictures: list[torch.Tensor]) -> torch.Tensor:
        """Blend the pictures of the parts, each in its box, by their weights."""
        height, width = self._weights[0].shape[-2:]
        total = reduce(torch.add, self._weights).clamp(min=1e-6)
        drawn = torch.zeros(1, 3, height, width, device=total.device)
        for picture, (_, box), weight in zip(pictures, self._parts, self._weights, strict=True):
            left, top, right, bottom = box
            # Its border pixels continue beyond the box, where the soft edge of the region lies.
            margin = (left, width - right, top, height - bottom)
            drawn += F.pad(picture, margin, mode="replicate") * (weight / total)
        return drawn


def _without_regions(prompts: Scene) -> Scene:
    return tuple(prompt.model_copy(update={"region": "everywhere", "mask": ""}) for prompt in prompts)


def _pixel_box(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box in [-1, 1] as left, top, right and bottom in pixels of a picture (height, width)."""
    height, width = size
    left, top, right, bottom = (
        round((part + 1) / 2 * side) for part, side in zip(box, (width, height, width, height), strict=True)
    )
    return left, top, right, bottom


def _tensor(picture: np.ndarray, device: torch.device) -> torch.Tensor:
    return rearrange(torch.from_numpy(picture).to(device), "h w c -> 1 c h w").float() / 255

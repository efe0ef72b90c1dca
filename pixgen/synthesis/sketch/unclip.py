"""Sample the initial picture with UnCLIP: whole pictures one after the other, ranked by CLIP."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from PIL import Image

from pixgen.models.sketchers.unclip import UnClip
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.sampling import UNCLIP, prompt_text_or_pictures, sampling_settings
from pixgen.synthesis.frames import Candidate
from pixgen.synthesis.sketch.session import cover, rank


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

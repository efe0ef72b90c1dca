"""Initialise a drawer's latent: random codes, a noise, a picture, or a sampled sketch."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import torch

from pixgen.recipe.init import INIT_KINDS
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.cutouts.regions import has_region
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.frames import Candidate
from pixgen.synthesis.init.regions import RegionSketches
from pixgen.synthesis.sketch.session import SketchModel, SketchSession, UnClipModel, UnClipSession
from pixgen.synthesis.tensors import fit_picture


class Initialisation:
    """Initialises a drawer as a recipe says; iterate it to the end.

    Args:
        generator: the run's generator.
        similarity: of pictures ``(N, 3, H, W)`` to prompts, ``(N,)``; ranks the sketches.
    """

    def __init__(
        self,
        recipe: Recipe,
        drawer: Drawer,
        *,
        pictures: Mapping[str, Any],
        generator: torch.Generator,
        similarity: Callable[[torch.Tensor, Scene], torch.Tensor],
        sketch_model: SketchModel | UnClipModel | None,
    ) -> None:
        if recipe.init.needs_sketcher and sketch_model is None:
            raise ValueError("a recipe with a sketched init needs a sketch model")
        self.recipe, self.drawer = recipe, drawer
        self.pixels: torch.Tensor | None = None  # the initial picture, for losses that need it
        self.candidates: tuple[Candidate, ...] = ()  # of a sketched init
        self._pictures, self._generator = pictures, generator
        self._similarity, self._sketch_model = similarity, sketch_model

    @torch.no_grad()
    def __iter__(self) -> Iterator[tuple[int, torch.Tensor]]:
        """Yields the pictures on the way: a step that counts up from below 0, and ``(1, 3, H, W)`` in [0,
        1]."""
        picture, start = None, self.recipe.init
        if start.needs_sketcher:
            picture = yield from self._sample_sketch()
        elif start.kind == "codes" or (start.masked and start.fill == "codes"):
            self.drawer.start_random(self._generator)
        else:
            picture = self._picture()
            self.drawer.start_from(picture)
            if start.strength:
                self._mix_with_noise(start.strength)
                picture = None
        if self.recipe.losses.start_pixels:
            self.pixels = self.drawer.draw() if picture is None else picture

    def _picture(self) -> torch.Tensor:
        start = self.recipe.init
        size = {"width": self.recipe.width, "height": self.recipe.height}
        if self.drawer.kept is not None:
            return self.drawer.kept.picture
        if start.kind in ("picture", "video"):
            given = self._pictures[start.picture or self.recipe.journey.video]
            picture = fit_picture(given if start.picture else given[0], **size, fit=start.fit)
            return picture.to(self._generator.device)
        noise = INIT_KINDS[start.kind].noise
        assert noise is not None, "every other kind of start is handled before"
        return noise(**size, generator=self._generator)

    def _mix_with_noise(self, strength: float) -> None:
        """Mix the latent with a random one; at strength 1 only the random one is left.

        Weights of sine and cosine keep the variance, where a plain mean would be grey.
        """
        latent = self.drawer.latent
        given = latent.detach().clone()
        self.drawer.start_random(self._generator)
        middle = self.drawer.middle()
        turn = strength * math.pi / 2
        chance = math.sin(turn) * (latent.detach() - middle)
        latent.copy_(middle + math.cos(turn) * (given - middle) + chance)
        self.drawer.project()

    def _sample_sketch(self) -> Generator[tuple[int, torch.Tensor], None, torch.Tensor]:
        # A separate generator: the number of candidates must not change the steps that follow.
        chance = torch.Generator(self._generator.device).manual_seed(self.recipe.seed)
        session = self._start_session(chance)
        yield from enumerate(session, start=-session.most_stages)
        self.candidates = session.candidates
        codes, picture = session.pick()
        vqgan = self._sketch_model.vqgan if isinstance(self._sketch_model, SketchModel) else None
        self.drawer.start_from_sketch(picture, codes, vqgan)
        return picture

    def _start_session(self, chance: torch.Generator) -> SketchSession | UnClipSession | RegionSketches:
        recipe, model = self.recipe, self._sketch_model
        assert model is not None, "which was checked at the beginning"
        if recipe.init.kind == "sketch" and any(map(has_region, recipe.first_scene)):
            return RegionSketches(
                recipe, model, similarity=self._similarity, pictures=self._pictures, generator=chance
            )
        return model.begin(
            recipe,
            similarity=lambda drawn: self._similarity(drawn, recipe.first_scene),
            pictures=self._pictures,
            generator=chance,
            kept=self.drawer.kept,
        )

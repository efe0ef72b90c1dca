"""Each scene of a story may have a sketch of its own, which the picture passes into."""

from collections.abc import Callable, Mapping

import torch
from PIL import Image

from pixgen.prompts import Scene
from pixgen.recipe import Recipe
from pixgen.story import Story
from pixgen.synthesis.beginning import Beginning
from pixgen.synthesis.drawers import Drawer
from pixgen.synthesis.imagining import Imagination
from pixgen.synthesis.sketching import Sketchbook


class Scenes:
    """Moves the latent towards the sketch of the scene that comes, as far as the story has passed into it.

    Args:
        judge: how well pictures ``(N, 3, H, W)`` fit a scene, ``(N,)``; sketches are picked by it.
    """

    def __init__(
        self, recipe: Recipe, drawer: Drawer, *, pictures: Mapping[str, Image.Image],
        judge: Callable[[torch.Tensor, Scene], torch.Tensor], sketchbook: Sketchbook | Imagination | None,
    ) -> None:  # fmt: skip
        self._drawer, self._pictures, self._judge = drawer, pictures, judge
        self._book, self._chance = sketchbook, torch.Generator(drawer.latent.device)
        self._sketched: dict[Scene, torch.Tensor] = {}  # the latent of the scene that comes

    @torch.no_grad()
    def go_on(self, recipe: Recipe, step: int) -> None:
        """After the latent has moved at a step: a part of the way to the sketch of the scene that comes,
        of which nothing is left when that begins."""
        if not recipe.story.sketch:
            return
        (index, part), (next_index, next_part) = recipe.place(step), recipe.place(step + 1)
        share = 1.0 if next_index > index else (next_part - part) / (1 - part)
        scenes = recipe.scenes(step)
        if share > 0 and index + 1 < len(scenes):
            latent = self._drawer.latent
            latent.lerp_(self._sketch(recipe, scenes[index + 1]), share)

    def _sketch(self, recipe: Recipe, scene: Scene) -> torch.Tensor:
        if scene not in self._sketched:
            latent = self._drawer.latent
            own = latent.detach().clone()
            start = {"kind": "sketch", "sketch": recipe.start.sketch}
            alone = recipe.model_copy(update={
                "prompts": (scene,), "story": Story(), "changes": (),
                "start": recipe.start.model_copy(update={**start, "picture": "", "idea": ()}),
            })  # fmt: skip
            beginning = Beginning(
                alone, self._drawer, pictures=self._pictures, generator=self._chance,
                judge=self._judge, sketchbook=self._book,
            )  # fmt: skip
            for _ in beginning:
                pass
            self._sketched = {scene: latent.detach().clone()}
            latent.copy_(own)
        return self._sketched[scene]

"""What pulls at a step of a story, where one scene passes into the next."""

# MERGED pixgen.synthesis.scenes: Each scene of a story may have a sketch of its own, which the picture passes into.
from collections.abc import Callable, Mapping
from itertools import zip_longest

import torch
from PIL import Image

from pixgen.recipe.prompts import LONGEST_TEXT, Prompt, Scene
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.story import Story
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.init.initialise import Initialisation
from pixgen.synthesis.sketch.session import SketchModel
from pixgen.synthesis.sketch.unclip import UnClipModel


def targets_at(
    recipe: Recipe, step: int, target: Callable[[Prompt], torch.Tensor]
) -> tuple[Scene, list[torch.Tensor]]:
    """The prompts in force at a step, as they weigh there, and where each pulls to, unit vectors ``(D,)``.

    Between two scenes the first prompt turns into the first of the next, the second into the second;
    what has no other comes or goes by its weight.
    """
    now, then, part = recipe.transition(step)
    if not part:
        return now, [target(prompt) for prompt in now]
    found: list[tuple[Prompt, torch.Tensor]] = []
    for one, other in zip_longest(now, then):
        if recipe.story.blend == "embeddings" and one and other and _are_compatible(one, other):
            vector = slerp(target(one), target(other), part)
            found.append((_blend_prompts(one, other, part), vector))
            continue
        for prompt, share in ((one, 1 - part), (other, part)):
            if prompt is not None:
                weighed = prompt.model_copy(update={"weight": prompt.weight * share})
                found.append((weighed, target(prompt)))
    return tuple(prompt for prompt, _ in found), [vector for _, vector in found]


def slerp(one: torch.Tensor, other: torch.Tensor, part: float) -> torch.Tensor:
    """The unit vector ``(D,)`` at a part of the way from one to another on the great circle through
    both; spherical linear interpolation, Shoemake 1985."""
    angle = torch.arccos((one @ other).clamp(-1, 1))
    mixed = torch.sin((1 - part) * angle) * one + torch.sin(part * angle) * other
    turned = torch.nn.functional.normalize(mixed, dim=0)
    # The same, or opposite: there is no one way between them. Chosen on the device, for which nobody waits.
    return torch.where(angle.sin() < 1e-4, one if part < 0.5 else other, turned)


def _are_compatible(one: Prompt, other: Prompt) -> bool:
    """Whether one prompt may turn into another: both pull or both push, at the same place."""
    place = ("region", "mask", "first_step", "last_step")
    same = all(getattr(one, name) == getattr(other, name) for name in place)
    return same and one.weight * other.weight > 0


def _blend_prompts(one: Prompt, other: Prompt, part: float) -> Prompt:
    if one == other:
        return one
    mixed = {
        name: getattr(one, name) * (1 - part) + getattr(other, name) * part for name in ("weight", "stop")
    }
    label = one.label if one.label == other.label else f"{one.label} → {other.label}"
    return one.model_copy(update={**mixed, "text": label[:LONGEST_TEXT], "picture": ""})


class SceneSketches:
    """Moves the latent towards the sketch of the scene that comes, as far as the story has passed into it.

    Args:
        judge: how well pictures ``(N, 3, H, W)`` fit a scene, ``(N,)``; sketches are picked by it.
    """

    def __init__(
        self,
        recipe: Recipe,
        drawer: Drawer,
        *,
        pictures: Mapping[str, Image.Image],
        judge: Callable[[torch.Tensor, Scene], torch.Tensor],
        sketch_model: SketchModel | UnClipModel | None,
    ) -> None:
        self._drawer, self._pictures, self._judge = drawer, pictures, judge
        self._book, self._chance = sketch_model, torch.Generator(drawer.latent.device)
        self._sketched: dict[Scene, torch.Tensor] = {}  # the latent of the scene that comes

    @torch.no_grad()
    def go_on(self, recipe: Recipe, step: int) -> None:
        """After the latent has moved at a step: a part of the way to the sketch of the scene that comes,
        of which nothing is left when that begins."""
        if not recipe.story.sketch:
            return
        (index, part), (next_index, next_part) = recipe.scene_at(step), recipe.scene_at(step + 1)
        share = 1.0 if next_index > index else (next_part - part) / (1 - part)
        scenes = recipe.scenes(step)
        if share > 0 and index + 1 < len(scenes):
            latent = self._drawer.latent
            latent.lerp_(self._sketch(recipe, scenes[index + 1]), share)

    def _sketch(self, recipe: Recipe, scene: Scene) -> torch.Tensor:
        if scene not in self._sketched:
            latent = self._drawer.latent
            own = latent.detach().clone()
            start = {"kind": "sketch", "sketch": recipe.init.sketch}
            alone = recipe.model_copy(
                update={
                    "prompts": (scene,),
                    "story": Story(),
                    "changes": (),
                    "init": recipe.init.model_copy(update={**start, "picture": "", "idea": ()}),
                }
            )
            beginning = Initialisation(
                alone,
                self._drawer,
                pictures=self._pictures,
                generator=self._chance,
                judge=self._judge,
                sketch_model=self._book,
            )
            for _ in beginning:
                pass
            self._sketched = {scene: latent.detach().clone()}
            latent.copy_(own)
        return self._sketched[scene]

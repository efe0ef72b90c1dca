"""Prompts over time in the loop: those in force between two scenes, sketches that the picture passes into, and the
sound that weights follow."""

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, Protocol

import torch
from PIL import Image

from pixgen.recipe.effects.expressions import SILENCE
from pixgen.recipe.prompts import LONGEST_TEXT, Prompt, Scene
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.story import Story
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.init.initialise import Initialisation
from pixgen.synthesis.sketch.session import SketchModel, UnClipModel


class SoundLevels(Protocol):
    """A sound as levels in [0, 1], by their names in an expression."""

    def at(self, seconds: float, length: float) -> Mapping[str, float]:
        """The levels from a second on, for a length in seconds; silence beyond the end."""


def sound_at(recipe: Recipe, step: int, pictures: Mapping[str, Any]) -> Mapping[str, float]:
    """The levels of a recipe's sound at a step.

    Args:
        pictures: the recipe's sound among them, by its path, as ``SoundLevels``.
    """
    sound: SoundLevels | None = pictures.get(recipe.journey.audio)
    if sound is None:
        return SILENCE
    return sound.at(recipe.journey.moment(step).seconds, recipe.journey.frame_seconds)


def targets_at(
    recipe: Recipe,
    step: int,
    target: Callable[[Prompt], torch.Tensor],
    *,
    sound: Mapping[str, float] = SILENCE,
) -> tuple[Scene, list[torch.Tensor]]:
    """The prompts in force at a step with their weights there, and the target of each, unit vectors ``(D,)``.

    Between two scenes the first prompt turns into the first of the next scene, the second into the second;
    prompts without a counterpart fade in or out by weight.
    """
    now, then, part = recipe.transition(step, sound)
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
    """Spherical linear interpolation of unit vectors ``(D,)`` (Shoemake, 1985)."""
    angle = torch.arccos((one @ other).clamp(-1, 1))
    mixed = torch.sin((1 - part) * angle) * one + torch.sin(part * angle) * other
    turned = torch.nn.functional.normalize(mixed, dim=0)
    # Equal or opposite vectors have no single path between them. Chosen on the device: nothing waits for it.
    return torch.where(angle.sin() < 1e-4, one if part < 0.5 else other, turned)


def _are_compatible(one: Prompt, other: Prompt) -> bool:
    """Whether one prompt may turn into another: weights of one sign, and the same region and steps."""
    places = [(each.area, each.first_step, each.last_step) for each in (one, other)]
    return places[0] == places[1] and one.weight * other.weight > 0


def _blend_prompts(one: Prompt, other: Prompt, part: float) -> Prompt:
    if one == other:
        return one
    mixed = {
        name: getattr(one, name) * (1 - part) + getattr(other, name) * part for name in ("weight", "stop")
    }
    label = one.label if one.label == other.label else f"{one.label} → {other.label}"
    return one.model_copy(update={**mixed, "text": label[:LONGEST_TEXT], "picture": ""})


class SceneSketches:
    """Moves the latent towards a sketch of the next scene while the story passes into it.

    Args:
        similarity: of pictures ``(N, 3, H, W)`` to a scene, ``(N,)``; ranks the sketches.
    """

    def __init__(
        self,
        recipe: Recipe,
        drawer: Drawer,
        *,
        pictures: Mapping[str, Image.Image],
        similarity: Callable[[torch.Tensor, Scene], torch.Tensor],
        sketch_model: SketchModel | UnClipModel | None,
    ) -> None:
        self._drawer, self._pictures, self._similarity = drawer, pictures, similarity
        self._sketch_model, self._generator = sketch_model, torch.Generator(drawer.latent.device)
        self._sketched: dict[Scene, torch.Tensor] = {}  # the latent of the scene that comes

    @torch.no_grad()
    def advance(self, recipe: Recipe, step: int) -> None:
        """Blend the latent with the sketch of the next scene after a step, so that it arrives when that scene
        begins."""
        if not recipe.story.sketch:
            return
        (index, part), (next_index, next_part) = recipe.scene_at(step), recipe.scene_at(step + 1)
        share = 1.0 if next_index > index else (next_part - part) / (1 - part)
        scenes = recipe.scenes(step)
        if share > 0 and index + 1 < len(scenes):
            latent = self._drawer.latent
            latent.lerp_(self._sketch(recipe, scenes[index + 1], step), share)

    def _sketch(self, recipe: Recipe, scene: Scene, step: int) -> torch.Tensor:
        if scene not in self._sketched:
            latent = self._drawer.latent
            own = latent.detach().clone()
            start = {"kind": "sketch", "sketch": recipe.init.sketch}
            alone = recipe.model_copy(
                update={
                    "prompts": (scene,),
                    "translations": tuple(recipe.translations_at(step).items()),
                    "story": Story(),
                    "changes": (),
                    "init": recipe.init.model_copy(update={**start, "picture": "", "idea": ()}),
                }
            )
            initialisation = Initialisation(
                alone,
                self._drawer,
                pictures=self._pictures,
                generator=self._generator,
                similarity=self._similarity,
                sketch_model=self._sketch_model,
            )
            for _ in initialisation:
                pass
            self._sketched = {scene: latent.detach().clone()}
            latent.copy_(own)
        return self._sketched[scene]

"""What pulls at a step of a story, where one scene passes into the next."""

from collections.abc import Callable
from itertools import zip_longest

import torch

from pixgen.prompts import LONGEST_TEXT, Prompt, Scene
from pixgen.recipe import Recipe


def pulls(
    recipe: Recipe, step: int, target: Callable[[Prompt], torch.Tensor]
) -> tuple[Scene, list[torch.Tensor]]:
    """The prompts in force at a step, as they weigh there, and where each pulls to, unit vectors ``(D,)``.

    Between two scenes the first prompt turns into the first of the next, the second into the second;
    what has no other comes or goes by its weight.
    """
    now, then, part = recipe.passage(step)
    if not part:
        return now, [target(prompt) for prompt in now]
    found: list[tuple[Prompt, torch.Tensor]] = []
    for one, other in zip_longest(now, then):
        if recipe.story.blend == "embeddings" and one and other and _fit(one, other):
            vector = turned(target(one), target(other), part)
            found.append((_between(one, other, part), vector))
            continue
        for prompt, share in ((one, 1 - part), (other, part)):
            if prompt is not None:
                weighed = prompt.model_copy(update={"weight": prompt.weight * share})
                found.append((weighed, target(prompt)))
    return tuple(prompt for prompt, _ in found), [vector for _, vector in found]


def turned(one: torch.Tensor, other: torch.Tensor, part: float) -> torch.Tensor:
    """The unit vector ``(D,)`` at a part of the way from one to another on the great circle through
    both; spherical linear interpolation, Shoemake 1985."""
    angle = torch.arccos((one @ other).clamp(-1, 1))
    mixed = torch.sin((1 - part) * angle) * one + torch.sin(part * angle) * other
    turned = torch.nn.functional.normalize(mixed, dim=0)
    # The same, or opposite: there is no one way between them. Chosen on the device, for which nobody waits.
    return torch.where(angle.sin() < 1e-4, one if part < 0.5 else other, turned)


def _fit(one: Prompt, other: Prompt) -> bool:
    """Whether one prompt may turn into another: both pull or both push, at the same place."""
    place = ("region", "mask", "first_step", "last_step")
    same = all(getattr(one, name) == getattr(other, name) for name in place)
    return same and one.weight * other.weight > 0


def _between(one: Prompt, other: Prompt, part: float) -> Prompt:
    if one == other:
        return one
    mixed = {
        name: getattr(one, name) * (1 - part) + getattr(other, name) * part
        for name in ("weight", "stop")
    }
    label = one.label if one.label == other.label else f"{one.label} → {other.label}"
    return one.model_copy(update={**mixed, "text": label[:LONGEST_TEXT], "picture": ""})

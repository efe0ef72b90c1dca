"""What is asked for when a picture is to turn: other prompts, other weights, another learning rate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pixgen.errors import RecipeError
from pixgen.prompts import Scene, parse, why, with_weights
from pixgen.recipe import Change, Recipe

Scenes = tuple[Scene, ...]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A change that is asked for; None or empty where all stays as it is.

    ``prompts`` is a text in the grammar of prompts, or scenes. ``weights`` are by the prompts' number in
    each scene, the first being 1, and keep all else of the prompts.
    """

    prompts: str | Scenes | None = None
    weights: Mapping[int, float] = field(default_factory=dict)
    learning_rate: float | None = None

    def wanted(
        self, before: Mapping[str, Any], *, keep: Callable[[Scenes], Scenes]
    ) -> dict[str, Any]:
        """What it changes, as arguments of ``Optimization.change``.

        Args:
            before: the ``prompts`` (scenes) and the ``learning_rate`` in force.
            keep: checks new scenes and keeps their pictures; returns those that name the kept ones.

        Raises RecipeError, and what ``keep`` raises.
        """
        wanted: dict[str, Any] = {}
        scenes = before["prompts"]
        if self.prompts is not None:
            scenes = keep(parse(self.prompts) if isinstance(self.prompts, str) else self.prompts)
            wanted["prompts"] = scenes
        if self.weights:
            wanted["prompts"] = with_weights(scenes, self.weights)
        if self.learning_rate is not None:
            try:
                wanted["learning_rate"] = Change(
                    step=0, learning_rate=self.learning_rate
                ).learning_rate
            except ValidationError as error:
                raise RecipeError(
                    "This change is not allowed: {reason}.", reason=why(error)
                ) from error
        return {name: value for name, value in wanted.items() if value != before[name]}


def in_force(recipe: Recipe, step: int) -> dict[str, Any]:
    """The ``prompts`` and the ``learning_rate`` of a step."""
    return {"prompts": recipe.scenes(step), "learning_rate": recipe.learning_rate(step)}

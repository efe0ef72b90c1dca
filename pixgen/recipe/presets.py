"""Presets: partial recipes with a name and a description, as JSON files in ``presets/``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pixgen.errors import RecipeError
from pixgen.paths import PRESETS

DEFAULT = "balanced"


@dataclass(frozen=True)
class Preset:
    """A partial recipe with a title and a description of its quality and cost.

    ``estimated_megabytes`` is the device memory that `pixgen.synthesis.memory.estimate` computes;
    ``estimated_seconds`` are the minimum and maximum on named GPUs, with the arithmetic of the steps at 40 % and
    at 15 % of the bfloat16 rate that the maker states; ``measured`` are runs on named devices, each with
    ``device``, ``megabytes`` and ``seconds``. Presets for the bundled models have none of them: their
    description says what they cost.
    """

    name: str
    title: str
    about: str
    recipe: dict[str, Any]
    estimated_megabytes: int | None = None
    estimated_seconds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    measured: tuple[dict[str, Any], ...] = ()

    @property
    def foretold_megabytes(self) -> int | None:
        """``estimated_megabytes`` by its name in earlier versions."""
        return self.estimated_megabytes

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that it names."""
        clips = self.recipe.get("clip", ())
        return (*([self.recipe["model"]] if "model" in self.recipe else []), *clips)


@cache
def available_presets() -> dict[str, Preset]:
    """Every bundled preset by name, the cheapest first."""
    found = []
    for path in PRESETS.glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        preset = Preset(
            path.stem,
            content["title"],
            content["about"],
            content["recipe"],
            content.get("estimated_megabytes", content.get("foretold_megabytes")),  # its name in 0.1.0
            content.get("estimated_seconds", {}),
            tuple(content.get("measured", ())),
        )
        found.append((content["order"], preset))
    return {preset.name: preset for _, preset in sorted(found, key=lambda each: each[0])}


def load_preset(name: str) -> Preset:
    """The preset of that name. Raises RecipeError, which lists the names."""
    presets = available_presets()
    if name not in presets:
        raise RecipeError(
            "There is no preset “{name}”: choose {choices}.", name=name, choices=", ".join(presets)
        )
    return presets[name]

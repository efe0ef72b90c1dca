"""Presets: partial recipes with a name and a sentence, as JSON files in ``presets/``."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pixgen.errors import RecipeError

FOLDER = Path(__file__).parent.parent / "presets"
DEFAULT = "balanced"


@dataclass(frozen=True)
class Preset:
    """A partial recipe, what it is called and what it costs.

    ``foretold_megabytes`` of a device's memory are what `pixgen.synthesis.estimate` says; ``measured`` are
    runs on named devices, each with ``device``, ``megabytes`` and ``seconds``. Presets for the bundled
    pair, whose sentence says what they cost, have neither.
    """

    name: str
    title: str
    about: str
    recipe: dict[str, Any]
    foretold_megabytes: int | None = None
    measured: tuple[dict[str, Any], ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that it names."""
        clips = self.recipe.get("clip", ())
        return (*([self.recipe["model"]] if "model" in self.recipe else []), *clips)


@cache
def available_presets() -> dict[str, Preset]:
    """Every bundled preset by name, the cheapest first."""
    found = []
    for path in FOLDER.glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        preset = Preset(
            path.stem, content["title"], content["about"], content["recipe"],
            content.get("foretold_megabytes"), tuple(content.get("measured", ())),
        )  # fmt: skip
        found.append((content["order"], preset))
    return {preset.name: preset for _, preset in sorted(found, key=lambda each: each[0])}


def load_preset(name: str) -> Preset:
    """The preset of that name. Raises RecipeError, which lists the names."""
    presets = available_presets()
    if name not in presets:
        raise RecipeError(f"There is no preset “{name}”: choose {', '.join(presets)}.")
    return presets[name]

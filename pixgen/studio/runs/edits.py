"""What is asked for when a picture is to turn: other prompts, other weights, another learning rate."""

# MERGED pixgen.studio.orders: A change asked for by another process than the one that paints: a small file in the run's folder.
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixgen.errors import RecipeError, StudioError
from pixgen.recipe.prompts import Scene, describe_validation, parse, set_weights
from pixgen.recipe.recipe import Change, Recipe
from pixgen.studio.runs.lock import is_locked
from pixgen.studio.runs.run import ENDED, Run
from pixgen.studio.storage import remove, write_bytes

Scenes = tuple[Scene, ...]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change that is asked for; None or empty where all stays as it is.

    ``prompts`` is a text in the grammar of prompts, or scenes. ``weights`` are by the prompts' number in
    each scene, the first being 1, and keep all else of the prompts.
    """

    prompts: str | Scenes | None = None
    weights: Mapping[int, float] = field(default_factory=dict)
    learning_rate: float | None = None

    def wanted(self, before: Mapping[str, Any], *, keep: Callable[[Scenes], Scenes]) -> dict[str, Any]:
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
            wanted["prompts"] = set_weights(scenes, self.weights)
        if self.learning_rate is not None:
            try:
                wanted["learning_rate"] = Change(step=0, learning_rate=self.learning_rate).learning_rate
            except ValidationError as error:
                raise RecipeError(
                    "This change is not allowed: {reason}.", reason=describe_validation(error)
                ) from error
        return {name: value for name, value in wanted.items() if value != before[name]}


def values_at(recipe: Recipe, step: int) -> dict[str, Any]:
    """The ``prompts`` and the ``learning_rate`` of a step."""
    return {"prompts": recipe.scenes(step), "learning_rate": recipe.learning_rate(step)}


_NAME = "change.json"


def request_edit(run: Run, turn: Edit) -> None:
    """Ask whoever paints a run to change it from the next step on; ``turn.prompts`` is a text or None.

    What was asked for before, and is not taken yet, stays asked for where nothing else is said of it.
    Raises RecipeError if the change is not allowed, StudioError if nobody paints the run, StorageError.
    """
    if run.state in ENDED or not is_locked(run.folder):
        raise StudioError(
            "The run {run} is not being painted: `pixgen fork` goes on from it with other words.",
            run=run.id,
        )
    turn.wanted(values_at(run.recipe, run.step), keep=lambda scenes: scenes)  # is it allowed?
    value = _read(run.folder / _NAME)
    if turn.prompts is not None:
        value["prompts"] = turn.prompts
    if turn.weights:
        value["weights"] = {str(number): weight for number, weight in turn.weights.items()}
    if turn.learning_rate is not None:
        value["learning_rate"] = turn.learning_rate
    write_bytes(run.folder / _NAME, json.dumps(value, ensure_ascii=False).encode())


def take_edit(folder: Path) -> dict[str, Any]:
    """The change that was asked for, as arguments of ``Job.change``; empty if there is none. Taken once."""
    path = folder / _NAME
    if not path.exists():
        return {}
    value = _read(path)
    remove(path)
    if "weights" in value:
        value["weights"] = {int(number): weight for number, weight in value["weights"].items()}
    return value


def nothing_pending(folder: Path) -> bool:
    """Whether nothing is asked for that was not taken."""
    return not (folder / _NAME).exists()


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

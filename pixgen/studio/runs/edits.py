"""Edits of a running job: new prompts, weights or learning rate, from this process or another one.

Another process requests an edit by a small file in the run's folder, which the job reads before its next step.
"""

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
from pixgen.studio.runs.run import FINAL_STATES, Run
from pixgen.studio.storage import remove_file, write_bytes

Scenes = tuple[Scene, ...]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A requested edit; None or empty fields stay as they are.

    Args:
        prompts: text in the prompt grammar, or scenes.
        weights: by the number of the prompt in each scene, from 1; the rest of the prompt stays.
    """

    prompts: str | Scenes | None = None
    weights: Mapping[int, float] = field(default_factory=dict)
    learning_rate: float | None = None

    def resolve(self, before: Mapping[str, Any], *, keep: Callable[[Scenes], Scenes]) -> dict[str, Any]:
        """The values that differ from the current ones, as arguments of ``Optimization.change``.

        Args:
            before: the current ``prompts`` (scenes) and ``learning_rate``.
            keep: checks new scenes and copies their pictures; returns scenes that name the copies.

        Raises RecipeError, and what ``keep`` raises.
        """
        changes: dict[str, Any] = {}
        scenes = before["prompts"]
        if self.prompts is not None:
            scenes = keep(parse(self.prompts) if isinstance(self.prompts, str) else self.prompts)
            changes["prompts"] = scenes
        if self.weights:
            changes["prompts"] = set_weights(scenes, self.weights)
        if self.learning_rate is not None:
            try:
                changes["learning_rate"] = Change(step=0, learning_rate=self.learning_rate).learning_rate
            except ValidationError as error:
                raise RecipeError(
                    "This change is not allowed: {reason}.", reason=describe_validation(error)
                ) from error
        return {name: value for name, value in changes.items() if value != before[name]}


def settings_at(recipe: Recipe, step: int) -> dict[str, Any]:
    """The ``prompts`` and the ``learning_rate`` of a recipe at a step."""
    return {"prompts": recipe.scenes(step), "learning_rate": recipe.learning_rate(step)}


_NAME = "change.json"


def request_edit(run: Run, edit: Edit) -> None:
    """Ask the process that paints a run to apply an edit from the next step on.

    An earlier request that was not applied yet stays, except for the fields that this one sets.

    Args:
        edit: with ``prompts`` as text or None.

    Raises RecipeError if the edit is not allowed, StudioError if the run is not being painted,
    StorageError.
    """
    if run.state in FINAL_STATES or not is_locked(run.folder):
        raise StudioError(
            "The run {run} is not being painted: `pixgen fork` goes on from it with other words.",
            run=run.id,
        )
    edit.resolve(settings_at(run.recipe, run.step), keep=lambda scenes: scenes)  # raises if not allowed
    value = _read(run.folder / _NAME)
    if edit.prompts is not None:
        value["prompts"] = edit.prompts
    if edit.weights:
        value["weights"] = {str(number): weight for number, weight in edit.weights.items()}
    if edit.learning_rate is not None:
        value["learning_rate"] = edit.learning_rate
    write_bytes(run.folder / _NAME, json.dumps(value, ensure_ascii=False).encode())


def take_edit(folder: Path) -> dict[str, Any]:
    """Take the requested edit, as arguments of ``Job.change``; empty if there is none. Removes the request."""
    path = folder / _NAME
    if not path.exists():
        return {}
    value = _read(path)
    remove_file(path)
    if "weights" in value:
        value["weights"] = {int(number): weight for number, weight in value["weights"].items()}
    return value


def has_no_pending_edit(folder: Path) -> bool:
    """Whether every requested edit has been applied."""
    return not (folder / _NAME).exists()


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

"""Edits of a run: of a running job (new prompts, weights or learning rate), or as a fork of one that has ended.

Another process requests an edit by a small file in the run's folder, which the job reads before its next step.
A fork is a new run that continues from the saved state of another, which stays as it is.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixgen.errors import RecipeError, StudioError
from pixgen.messages import _
from pixgen.recipe.base import describe_validation
from pixgen.recipe.prompts import Scene, parse, set_weights
from pixgen.recipe.recipe import Change, Recipe
from pixgen.studio.runs.inputs import FOLDER, keep_prompts
from pixgen.studio.runs.record import SavedState, read_state, write_state
from pixgen.studio.runs.run import FINAL_STATES, Run, is_locked, is_painted_elsewhere
from pixgen.studio.storage import remove_file, remove_leftovers, storage_errors, write_bytes
from pixgen.text_files import parse_json

Scenes = tuple[Scene, ...]
MORE_STEPS = 40  # of a fork of a finished run, by default


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A requested edit; None or empty fields stay as they are.

    Args:
        prompts: text in the prompt grammar, or scenes.
        weights: by the number of the prompt in each scene, from 1; the rest of the prompt stays.
        translations: of ``prompts``, as for ``Recipe.with_change``.
    """

    prompts: str | Scenes | None = None
    weights: Mapping[int, float] = field(default_factory=dict)
    learning_rate: float | None = None
    translations: Mapping[str, str] | None = None

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
        changes = {name: value for name, value in changes.items() if value != before[name]}
        if "prompts" in changes and self.translations is not None:
            changes["translations"] = self.translations
        return changes


def settings_at(recipe: Recipe, step: int) -> dict[str, Any]:
    """The ``prompts`` and the ``learning_rate`` of a recipe at a step."""
    return {"prompts": recipe.scenes(step), "learning_rate": recipe.learning_rate(step)}


_REQUEST_FILE = "change.json"


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
            "The run {run} is not being painted: `pixgen fork` continues it with another prompt.",
            run=run.id,
        )
    if is_painted_elsewhere(run.folder):
        raise StudioError("The run {run} is painted by another page: change it there.", run=run.id)
    edit.resolve(settings_at(run.recipe, run.step), keep=lambda scenes: scenes)  # raises if not allowed
    value = _read_request(run.folder / _REQUEST_FILE)
    if edit.prompts is not None:
        value["prompts"] = edit.prompts
    if edit.weights:
        value["weights"] = {str(number): weight for number, weight in edit.weights.items()}
    if edit.learning_rate is not None:
        value["learning_rate"] = edit.learning_rate
    write_bytes(run.folder / _REQUEST_FILE, json.dumps(value, ensure_ascii=False).encode())


def take_edit(folder: Path) -> dict[str, Any]:
    """Take the requested edit, as arguments of ``Job.change``; empty if there is none. Removes the request."""
    path = folder / _REQUEST_FILE
    if not path.exists():
        return {}
    value = _read_request(path)
    remove_file(path)
    if "weights" in value:
        value["weights"] = {int(number): weight for number, weight in value["weights"].items()}
    return value


def has_no_pending_edit(folder: Path) -> bool:
    """Whether every requested edit has been applied."""
    return not (folder / _REQUEST_FILE).exists()


def _read_request(path: Path) -> dict[str, Any]:
    try:
        value = parse_json(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def read_fork_state(parent: Run) -> SavedState:
    """The saved state that a fork continues. Raises StudioError if there is none, or if the run is being
    painted."""
    if is_locked(parent.folder):
        raise StudioError(
            "The run {run} is being painted: change it while it paints, or stop it first.",
            run=parent.id,
        )
    stored = read_state(parent.state_file)
    if stored is None:
        raise StudioError(
            "The run {run} has no saved state to continue from: paint its recipe again.", run=parent.id
        )
    return stored


def create_fork(
    folder: Path,
    parent: Run,
    stored: SavedState,
    *,
    edit: Edit,
    steps: int | None,
    owner: str,
    find: Callable[[str], Path],
    check: Callable[[Recipe], None],
) -> Run:
    """Create a fork in an empty folder: a state whose recipe records the edit, and copies of the parent's
    picture, video, curve, sketches and named pictures.

    Args:
        stored: the state that it continues.
        steps: a new total of steps; by default the state's, or ``MORE_STEPS`` more if that was reached.
        find: returns the file of a picture that new prompts name, or raises PictureError.
        check: raises RecipeError if the recipe is not allowed.

    Raises RecipeError, PictureError, StorageError, StudioError.
    """
    _copy_files(parent, folder)
    recipe = _fork_recipe(stored, edit, steps, keep=lambda scenes: keep_prompts(scenes, folder, find=find))
    check(recipe)
    run = dataclasses.replace(
        parent,
        folder=folder,
        recipe=recipe,
        state="waiting",
        parent=parent.id,
        owner=owner,
        started=datetime.now().astimezone(),
        finished=None,
        notice="",
    )
    write_state(run.state_file, dataclasses.replace(stored, recipe=recipe), step=run.step)
    run.save()
    return run


def begin_again(run: Run, recipe: Recipe, *, owner: str) -> Run:
    """Let a run wait for its turn again, with a recipe that may have more steps. Raises StorageError."""
    remove_leftovers(run.folder)
    run = dataclasses.replace(run, recipe=recipe, state="waiting", finished=None, notice="", owner=owner)
    run.save()
    return run


def check_steps(recipe: Recipe, steps: int, *, done: bool, name: str) -> None:
    """Raise StudioError unless a run with this recipe can continue to so many steps in total."""
    if steps < recipe.steps:
        raise StudioError(
            "{name} has {steps} steps: to continue, give at least as many, not {new_steps}.",
            name=name,
            steps=recipe.steps,
            new_steps=steps,
        )
    if done and steps == recipe.steps:
        raise StudioError(
            "{name} is finished: to continue, give more than {steps} steps.", name=name, steps=steps
        )


def _fork_recipe(
    stored: SavedState, edit: Edit, steps: int | None, *, keep: Callable[[Scenes], Scenes]
) -> Recipe:
    recipe, step = stored.recipe, stored.painter["step"]
    done = step >= recipe.steps
    if steps is None:
        steps = recipe.steps + (MORE_STEPS if done else 0)
    check_steps(recipe, steps, done=done, name=_("The run"))
    edited = edit.resolve(settings_at(recipe, step), keep=keep)
    return (recipe.with_change(step, **edited) if edited else recipe).with_more_steps(steps)


def _copy_files(parent: Run, folder: Path) -> None:
    with storage_errors(folder / FOLDER):
        if (parent.folder / FOLDER).is_dir():
            shutil.copytree(parent.folder / FOLDER, folder / FOLDER)
        for path in (parent.picture, parent.video, parent.sketches, parent.curve):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)

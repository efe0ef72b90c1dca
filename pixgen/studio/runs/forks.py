"""Forks: a new run that continues from the saved state of another, which stays as it is."""

import dataclasses
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pixgen.errors import StudioError
from pixgen.messages import _
from pixgen.recipe.recipe import Change, Recipe
from pixgen.studio.runs.edits import Edit, Scenes, settings_at
from pixgen.studio.runs.inputs import FOLDER, keep_prompts
from pixgen.studio.runs.lock import is_locked
from pixgen.studio.runs.record import SavedState, read_state, write_state
from pixgen.studio.runs.run import Run
from pixgen.studio.storage import storage_errors

MORE_STEPS = 40  # of a fork of a finished run, by default


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
    _copy(parent, folder)
    recipe = _recipe(stored, edit, steps, keep=lambda scenes: keep_prompts(scenes, folder, find=find))
    check(recipe)
    run = dataclasses.replace(
        parent, folder=folder, recipe=recipe, state="waiting", parent=parent.id, owner=owner,
        started=datetime.now().astimezone(), finished=None, notice="",
    )  # fmt: skip
    write_state(run.state_file, dataclasses.replace(stored, recipe=recipe), step=run.step)
    run.save()
    return run


def check_steps(recipe: Recipe, steps: int, *, done: bool, name: str) -> None:
    """Raise StudioError unless a run with this recipe can continue to so many steps in total."""
    if steps < recipe.steps:
        raise StudioError(
            "{name} has {steps} steps: it can go on with as many or more, not with {new_steps}.",
            name=name,
            steps=recipe.steps,
            new_steps=steps,
        )
    if done and steps == recipe.steps:
        raise StudioError(
            "{name} is done: give more steps than its {steps} to go on.", name=name, steps=steps
        )


def _recipe(stored: SavedState, edit: Edit, steps: int | None, *, keep: Callable[[Scenes], Scenes]) -> Recipe:
    recipe, step = stored.recipe, stored.painter["step"]
    done = step >= recipe.steps
    if steps is None:
        steps = recipe.steps + (MORE_STEPS if done else 0)
    check_steps(recipe, steps, done=done, name=_("The run"))
    edited = edit.resolve(settings_at(recipe, step), keep=keep)
    changes = (*recipe.changes, Change(step=step, **edited)) if edited else recipe.changes
    return recipe.model_copy(update={"changes": changes}).with_more_steps(steps)


def _copy(parent: Run, folder: Path) -> None:
    with storage_errors(folder / FOLDER):
        if (parent.folder / FOLDER).is_dir():
            shutil.copytree(parent.folder / FOLDER, folder / FOLDER)
        for path in (parent.picture, parent.video, parent.sketches, parent.curve):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)

"""A change asked for by another process than the one that paints: a small file in the run's folder."""

import json
from pathlib import Path
from typing import Any

from pixgen.errors import StudioError
from pixgen.studio.changes import Turn, in_force
from pixgen.studio.claims import is_claimed
from pixgen.studio.runs import ENDED, Run
from pixgen.studio.storage import remove, write_bytes

_NAME = "change.json"


def order_change(run: Run, turn: Turn) -> None:
    """Ask whoever paints a run to change it from the next step on; ``turn.prompts`` is a text or None.

    What was asked for before, and is not taken yet, stays asked for where nothing else is said of it.
    Raises RecipeError if the change is not allowed, StudioError if nobody paints the run, StorageError.
    """
    if run.state in ENDED or not is_claimed(run.folder):
        raise StudioError(
            "The run {run} is not being painted: `pixgen fork` goes on from it with other words.",
            run=run.id,
        )
    turn.wanted(in_force(run.recipe, run.step), keep=lambda scenes: scenes)  # is it allowed?
    value = _read(run.folder / _NAME)
    if turn.prompts is not None:
        value["prompts"] = turn.prompts
    if turn.weights:
        value["weights"] = {str(number): weight for number, weight in turn.weights.items()}
    if turn.learning_rate is not None:
        value["learning_rate"] = turn.learning_rate
    write_bytes(run.folder / _NAME, json.dumps(value, ensure_ascii=False).encode())


def take_order(folder: Path) -> dict[str, Any]:
    """The change that was asked for, as arguments of ``Job.change``; empty if there is none. Taken once."""
    path = folder / _NAME
    if not path.exists():
        return {}
    value = _read(path)
    remove(path)
    if "weights" in value:
        value["weights"] = {int(number): weight for number, weight in value["weights"].items()}
    return value


def is_taken(folder: Path) -> bool:
    """Whether nothing is asked for that was not taken."""
    return not (folder / _NAME).exists()


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

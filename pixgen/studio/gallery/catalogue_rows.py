"""The rows of the catalogue, the filter for runs, and the SQL that it becomes."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pixgen.errors import StudioError
from pixgen.studio.runs import trash
from pixgen.studio.runs.run import FINAL_STATES, Run, mean_similarity
from pixgen.studio.runs.tags import RunTags, clean_tag

Sort = Literal["newest", "oldest", "similarity", "longest", "prompt"]
STATES = ("painting", *FINAL_STATES)  # painting stands for every state that is not final
SORTS: tuple[str, ...] = get_args(Sort)

COLUMNS: Mapping[str, str] = {
    "id": "TEXT PRIMARY KEY",
    "prompt": "TEXT NOT NULL",
    "preset": "TEXT NOT NULL",
    "seed": "INTEGER NOT NULL",
    "width": "INTEGER NOT NULL",
    "height": "INTEGER NOT NULL",
    "state": "TEXT NOT NULL",
    "step": "INTEGER NOT NULL",
    "steps": "INTEGER NOT NULL",
    "seconds": "REAL NOT NULL",
    "started": "REAL NOT NULL",  # seconds since 1970
    "similarity": "REAL",
    "parent": "TEXT NOT NULL",
    "owner": "TEXT NOT NULL",
    "favourite": "INTEGER NOT NULL",
    "trashed": "INTEGER NOT NULL",
    "family": "TEXT NOT NULL",  # the same for recipes that differ only in their seed
    "folded": "TEXT NOT NULL",  # the text that a search by words compares
    "stamp": "INTEGER NOT NULL",  # modification time of the folder when it was read, in nanoseconds since 1970
    "live": "INTEGER NOT NULL",  # whether the run may change without a newer stamp
}
_ORDERS = {
    "newest": "started DESC, id DESC",
    "oldest": "started, id",
    "similarity": "similarity IS NULL, similarity DESC, started DESC, id DESC",
    "longest": "seconds DESC, started DESC, id DESC",
    "prompt": "folded, started DESC, id DESC",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A run as the catalogue lists it."""

    id: str
    prompt: str
    preset: str
    seed: int
    width: int
    height: int
    state: str
    step: int
    steps: int
    seconds: float
    started: datetime
    similarity: float | None  # to the positive prompts
    parent: str
    owner: str
    favourite: bool
    trashed: bool
    family: str
    tags: tuple[str, ...]

    @classmethod
    def columns(cls) -> list[str]:
        """The columns that ``of`` takes, in order; the first is the id."""
        return [field.name for field in fields(cls) if field.name != "tags"]

    @classmethod
    def of(cls, row: tuple, *, tags: tuple[str, ...]) -> "Entry":
        """An entry from a row of these columns."""
        values = dict(zip(cls.columns(), row, strict=True))
        values["started"] = datetime.fromtimestamp(values["started"]).astimezone()
        values |= {name: bool(values[name]) for name in ("favourite", "trashed")}
        return cls(**values, tags=tags)

    def folder(self, studio: Path) -> Path:
        """The folder of the run within a studio's folder."""
        return (studio / trash.FOLDER if self.trashed else studio) / self.id


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs to list, and in which order; empty or None fields match every run.

    Args:
        text: words that must all be in the prompt or the tags.

    Raises StudioError, which lists the allowed values.
    """

    text: str = ""
    preset: str = ""
    state: str = ""  # one of STATES
    tag: str = ""
    favourite: bool = False
    after: datetime | None = None
    before: datetime | None = None
    trashed: bool | None = False
    owner: str | None = None
    family: str = ""
    parent: str = ""
    exclude_seed: int | None = None  # leaves out runs with this seed
    ids: tuple[str, ...] | None = None
    sort: str = "newest"

    def __post_init__(self) -> None:
        if self.sort == "likeness":  # the name in earlier versions
            object.__setattr__(self, "sort", "similarity")
        if self.state and self.state not in STATES:
            raise StudioError(
                "There is no state “{state}”: choose {choices}.",
                state=self.state[:40],
                choices=", ".join(STATES),
            )
        if self.sort not in SORTS:
            raise StudioError(
                "Runs are not sorted by “{sort}”: choose {choices}.",
                sort=self.sort[:40],
                choices=", ".join(SORTS),
            )


def row_of(run: Run, run_tags: RunTags, *, trashed: int, stamp: int, live: bool) -> tuple[Any, ...]:
    """The values of ``COLUMNS`` for a run."""
    recipe = run.recipe
    values = {
        "id": run.id, "prompt": recipe.title, "preset": recipe.preset, "seed": recipe.seed,
        "width": recipe.width, "height": recipe.height, "state": run.state, "step": run.step,
        "steps": recipe.steps, "seconds": run.seconds, "started": run.started.timestamp(),
        "similarity": mean_similarity(run), "parent": _storable(run.parent), "owner": _storable(run.owner),
        "favourite": run_tags.favourite, "trashed": trashed, "family": _family(run),
        "folded": fold_text(" ".join([recipe.title, *run_tags.tags])), "stamp": stamp, "live": live,
    }  # fmt: skip
    return tuple(values[name] for name in COLUMNS)


def where_clause(run_filter: RunFilter) -> tuple[str, list[Any]]:
    """The SQL after WHERE, and its values."""
    parts: list[str] = ["1"]
    values: list[Any] = []

    def demand(part: str, *given: Any) -> None:
        parts.append(part)
        values.extend(given)

    for word in fold_text(_storable(run_filter.text)).split():
        demand("instr(folded, ?)", word)
    for name in ("preset", "family", "parent"):
        if value := getattr(run_filter, name):
            demand(f"{name} = ?", _storable(value))
    if run_filter.state == "painting":
        demand(f"state NOT IN ({_placeholders(FINAL_STATES)})", *FINAL_STATES)
    elif run_filter.state:
        demand("state = ?", run_filter.state)
    if run_filter.tag:
        demand("id IN (SELECT run FROM tags WHERE tag = ?)", clean_tag(run_filter.tag))
    if run_filter.favourite:
        demand("favourite")
    if run_filter.after is not None:
        demand("started >= ?", run_filter.after.timestamp())
    if run_filter.before is not None:
        demand("started < ?", run_filter.before.timestamp())
    if run_filter.trashed is not None:
        demand("trashed = ?", run_filter.trashed)
    if run_filter.exclude_seed is not None:
        demand("seed != ?", run_filter.exclude_seed)
    if run_filter.owner is not None:
        demand("owner = ?", _storable(run_filter.owner))
    if run_filter.ids is not None:
        demand(f"id IN ({_placeholders(run_filter.ids)})", *run_filter.ids)
    return " AND ".join(parts), values


def order_clause(run_filter: RunFilter) -> str:
    """The SQL after ORDER BY; newer runs come first among equal ones."""
    return _ORDERS[run_filter.sort]


def fold_text(text: str) -> str:
    """Text as it is compared: case-folded and NFKC-normalised."""
    return unicodedata.normalize("NFKC", text).casefold()


def _family(run: Run) -> str:
    recipe = run.recipe.model_dump(mode="json", exclude={"seed"})
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:32]


def _placeholders(values: tuple) -> str:
    return ", ".join("?" * len(values))


def _storable(text: str) -> str:
    """Text that SQLite can store: input from a terminal or a file may contain lone surrogates."""
    return text.encode("utf-8", "replace").decode()

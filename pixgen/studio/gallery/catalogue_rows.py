"""What the catalogue knows of a run, and how one asks for runs: rows, conditions and orders."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pixgen.errors import StudioError
from pixgen.studio.runs import trash as paper_bin
from pixgen.studio.runs.run import ENDED, Run, similarity
from pixgen.studio.runs.tags import RunTags, clean_tag

Sort = Literal["newest", "oldest", "likeness", "longest", "prompt"]
STATES = ("painting", *ENDED)  # painting is whatever has not ended
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
    "binned": "INTEGER NOT NULL",
    "family": "TEXT NOT NULL",  # the same for recipes that differ in their seed only
    "folded": "TEXT NOT NULL",  # what a search by words compares
    "stamp": "INTEGER NOT NULL",  # the folder's time when it was read, in nanoseconds since 1970
    "live": "INTEGER NOT NULL",  # whether it may change without its folder's time
}
_ORDERS = {
    "newest": "started DESC, id DESC",
    "oldest": "started, id",
    "likeness": "similarity IS NULL, similarity DESC, started DESC, id DESC",
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
    similarity: float | None  # to the prompts that pull
    parent: str
    owner: str
    favourite: bool
    binned: bool
    family: str
    tags: tuple[str, ...]

    @classmethod
    def columns(cls) -> list[str]:
        """The columns that ``of`` takes, in their order; the first is the id."""
        return [field.name for field in fields(cls) if field.name != "tags"]

    @classmethod
    def of(cls, row: tuple, *, tags: tuple[str, ...]) -> "Entry":
        """From a row of those columns."""
        values = dict(zip(cls.columns(), row, strict=True))
        values["started"] = datetime.fromtimestamp(values["started"]).astimezone()
        values |= {name: bool(values[name]) for name in ("favourite", "binned")}
        return cls(**values, tags=tags)

    def folder(self, studio: Path) -> Path:
        """Where the run is, in a studio's folder."""
        return (studio / paper_bin.FOLDER if self.binned else studio) / self.id


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs, and in which order; what is empty or None asks for nothing.

    ``text``: every word of it is in the prompt or the tags. Raises StudioError, which lists what is
    allowed.
    """

    text: str = ""
    preset: str = ""
    state: str = ""  # one of STATES
    tag: str = ""
    favourite: bool = False
    after: datetime | None = None
    before: datetime | None = None
    binned: bool | None = False
    owner: str | None = None
    family: str = ""
    parent: str = ""
    but_seed: int | None = None  # not of this one
    ids: tuple[str, ...] | None = None
    sort: str = "newest"

    def __post_init__(self) -> None:
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


def row_of(run: Run, marks: RunTags, *, binned: int, stamp: int, live: bool) -> tuple[Any, ...]:
    """The values of ``COLUMNS`` for a run."""
    recipe = run.recipe
    values = {
        "id": run.id, "prompt": recipe.title, "preset": recipe.preset, "seed": recipe.seed,
        "width": recipe.width, "height": recipe.height, "state": run.state, "step": run.step,
        "steps": recipe.steps, "seconds": run.seconds, "started": run.started.timestamp(),
        "similarity": similarity(run), "parent": _encodable(run.parent), "owner": _encodable(run.owner),
        "favourite": marks.favourite, "binned": binned, "family": _family(run),
        "folded": fold(" ".join([recipe.title, *marks.tags])), "stamp": stamp, "live": live,
    }  # fmt: skip
    return tuple(values[name] for name in COLUMNS)


def condition(wanted: RunFilter) -> tuple[str, list[Any]]:
    """What stands after WHERE, and its values."""
    parts: list[str] = ["1"]
    values: list[Any] = []

    def demand(part: str, *given: Any) -> None:
        parts.append(part)
        values.extend(given)

    for word in fold(_encodable(wanted.text)).split():
        demand("instr(folded, ?)", word)
    for name in ("preset", "family", "parent"):
        if value := getattr(wanted, name):
            demand(f"{name} = ?", _encodable(value))
    if wanted.state == "painting":
        demand(f"state NOT IN ({_places(ENDED)})", *ENDED)
    elif wanted.state:
        demand("state = ?", wanted.state)
    if wanted.tag:
        demand("id IN (SELECT run FROM tags WHERE tag = ?)", clean_tag(wanted.tag))
    if wanted.favourite:
        demand("favourite")
    if wanted.after is not None:
        demand("started >= ?", wanted.after.timestamp())
    if wanted.before is not None:
        demand("started < ?", wanted.before.timestamp())
    if wanted.binned is not None:
        demand("binned = ?", wanted.binned)
    if wanted.but_seed is not None:
        demand("seed != ?", wanted.but_seed)
    if wanted.owner is not None:
        demand("owner = ?", _encodable(wanted.owner))
    if wanted.ids is not None:
        demand(f"id IN ({_places(wanted.ids)})", *wanted.ids)
    return " AND ".join(parts), values


def order(wanted: RunFilter) -> str:
    """What stands after ORDER BY; the newest of equal ones first."""
    return _ORDERS[wanted.sort]


def fold(text: str) -> str:
    """Text as it is compared: without case, in one of Unicode's spellings."""
    return unicodedata.normalize("NFKC", text).casefold()


def _family(run: Run) -> str:
    recipe = run.recipe.model_dump(mode="json", exclude={"seed"})
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:32]


def _places(values: tuple) -> str:
    return ", ".join("?" * len(values))


def _encodable(text: str) -> str:
    """Text that a database can hold: what a terminal or a file brings may have half a character in it."""
    return text.encode("utf-8", "replace").decode()

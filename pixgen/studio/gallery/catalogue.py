"""The catalogue: an SQLite table of all runs, so that thousands can be listed, filtered and searched at once.

It is a cache of the run folders, and is rebuilt from them whenever it is missing, broken or of another
version: deleting it loses nothing. Every file of a run is written atomically, which changes the
modification time of its folder; so that time alone shows whether a run has to be read again.
"""

import hashlib
import json
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pixgen.errors import StorageError, StudioError
from pixgen.recipe.recipe import Recipe
from pixgen.studio.runs import trash
from pixgen.studio.runs.run import (
    FINAL_STATES,
    Run,
    RunTags,
    clean_tag,
    folder_times,
    mean_similarity,
    read_run,
    read_tags,
)
from pixgen.studio.runs.trash import FOLDER, list_trash
from pixgen.studio.storage import remove_file

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
FILE = "catalogue.sqlite3"
_VERSION = 3
# Nanoseconds within which a folder may change again without a newer modification time: with a file system
# that stores parts of a second (Linux updates its clock every 1 to 10 ms), and with one that does not.
_FRESH, _FRESH_IN_SECONDS = 100_000_000, 2_000_000_000
_PATIENCE = 10.0  # seconds to wait for a write of another process
_SCHEMA = f"""
CREATE TABLE runs ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
CREATE INDEX by_time ON runs (trashed, started);
CREATE INDEX by_family ON runs (family);
CREATE INDEX by_parent ON runs (parent);
CREATE TABLE tags (run TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (tag, run)) WITHOUT ROWID;
CREATE INDEX of_run ON tags (run);
CREATE TABLE thumbnails (run TEXT PRIMARY KEY, modified INTEGER NOT NULL, picture BLOB NOT NULL);
PRAGMA user_version = {_VERSION};
"""


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
                "Runs cannot be sorted by “{sort}”: choose {choices}.",
                sort=self.sort[:40],
                choices=", ".join(SORTS),
            )


def row_of(run: Run, run_tags: RunTags, *, trashed: int, stamp: int, live: bool) -> tuple[Any, ...]:
    """The values of ``COLUMNS`` for a run."""
    recipe = run.recipe
    values = {
        "id": run.id,
        "prompt": _own_words(recipe),
        "preset": recipe.preset,
        "seed": recipe.seed,
        "width": recipe.width,
        "height": recipe.height,
        "state": run.state,
        "step": run.step,
        "steps": recipe.steps,
        "seconds": run.seconds,
        "started": run.started.timestamp(),
        "similarity": mean_similarity(run),
        "parent": _storable(run.parent),
        "owner": _storable(run.owner),
        "favourite": run_tags.favourite,
        "trashed": trashed,
        "family": _family(run),
        "folded": fold_text(" ".join([*dict.fromkeys((_own_words(recipe), recipe.title)), *run_tags.tags])),
        "stamp": stamp,
        "live": live,
    }
    return tuple(values[name] for name in COLUMNS)


def _own_words(recipe: Recipe) -> str:
    """The prompts that a run ends with: a fork's own, not those of the run that it was forked from."""
    edited = [change.prompts for change in recipe.changes if change.prompts is not None]
    return recipe.model_copy(update={"prompts": edited[-1]}).title if edited else recipe.title


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


class Catalogue:
    """The catalogue of a studio's folder. Any thread may use it, and any number of processes.

    Args:
        folder: the studio's folder.
        read: returns a run that is not in the trash, or raises StudioError; a studio knows more about a
            running job than its files.

    Every method raises StorageError if the file cannot be written.
    """

    def __init__(self, folder: Path, *, read: Callable[[str], Run] | None = None) -> None:
        self.folder, self.path = folder, folder / FILE
        self._read = read or (lambda run_id: read_run(folder, run_id))
        self._lock = threading.Lock()  # one thread synchronises at a time

    def synchronise(self) -> None:
        """Update the table from the folders: read new and changed runs, remove missing ones."""
        with self._lock, self._open() as table:
            found = dict(self._folders())
            known = {row[0]: row[1:] for row in table.execute("SELECT id, trashed, stamp, live FROM runs")}
            gone = known.keys() - found.keys()
            changed = [
                run_id
                for run_id, (trashed, stamp) in found.items()
                if known.get(run_id) != (trashed, stamp, 0)
            ]
            if gone or changed:
                with table:
                    self._remove_runs(table, gone)
                    for run_id in changed:
                        self._index_run(table, run_id, *found[run_id])

    def find(self, run_filter: RunFilter, *, first: int = 0, count: int | None = None) -> list[Entry]:
        """The runs that match a filter, in its order, from number ``first`` on."""
        where, values = where_clause(run_filter)
        query = (
            f"SELECT {', '.join(Entry.columns())} FROM runs WHERE {where} ORDER BY {order_clause(run_filter)}"
        )
        with self._open() as table:
            rows = table.execute(
                f"{query} LIMIT ? OFFSET ?", [*values, -1 if count is None else count, first]
            )
            return self._entries(table, rows.fetchall())

    def count(self, run_filter: RunFilter) -> int:
        """How many runs match a filter."""
        where, values = where_clause(run_filter)
        with self._open() as table:
            return table.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()[0]

    def values(self, field: str, run_filter: RunFilter) -> dict[str, int]:
        """The values of ``preset``, ``state`` or ``tag`` among the matching runs, with their counts."""
        where, values = where_clause(run_filter)
        source, column = ("runs JOIN tags ON run = id", "tag") if field == "tag" else ("runs", field)
        query = f"SELECT {column}, count(*) FROM {source} WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1"
        with self._open() as table:
            return dict(table.execute(query, values).fetchall())

    def entry(self, run_id: str) -> Entry | None:
        """The run with this id, in the trash or not; None if there is none."""
        found = self.find(RunFilter(ids=(run_id,), trashed=None))
        return found[0] if found else None

    def thumbnails(self, pictures: Iterable[tuple[str, int]]) -> dict[str, bytes]:
        """The saved thumbnails for run ids and modification times of their pictures, by id."""
        query = "SELECT picture FROM thumbnails WHERE run = ? AND modified = ?"
        with self._open() as table:
            rows = {each[0]: table.execute(query, each).fetchone() for each in pictures}
        return {run_id: row[0] for run_id, row in rows.items() if row}

    def keep_thumbnails(self, made: Iterable[tuple[str, int, bytes]]) -> None:
        """Save thumbnails: run id, modification time of the picture, and encoded bytes."""
        with self._open() as table, table:
            table.executemany("INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?)", made)

    def _folders(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Every run's id, whether it is in the trash, and the modification time of its folder."""
        for trashed, times in enumerate((folder_times(self.folder), list_trash(self.folder))):
            for run_id, changed in times.items():
                yield run_id, (trashed, changed)

    def _index_run(self, table: sqlite3.Connection, run_id: str, trashed: int, stamp: int) -> None:
        folder = (self.folder / FOLDER if trashed else self.folder) / run_id
        try:
            run = read_run(folder.parent, run_id) if trashed else self._read(run_id)
        except StudioError:  # killed before its first save, or broken
            self._remove_runs(table, [run_id])
            return
        run_tags = read_tags(folder)
        if time.time_ns() - stamp < (_FRESH if stamp % 10**9 else _FRESH_IN_SECONDS):
            stamp = -1  # it may change again without a newer time: read it once more
        row = row_of(run, run_tags, trashed=trashed, stamp=stamp, live=run.state not in FINAL_STATES)
        table.execute(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * len(row))})", row)
        table.execute("DELETE FROM tags WHERE run = ?", (run_id,))
        table.executemany("INSERT INTO tags VALUES (?, ?)", [(run_id, tag) for tag in run_tags.tags])

    def _remove_runs(self, table: sqlite3.Connection, run_ids: Iterable[str]) -> None:
        for run_id in run_ids:
            table.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            for other in ("tags", "thumbnails"):
                table.execute(f"DELETE FROM {other} WHERE run = ?", (run_id,))

    def _entries(self, table: sqlite3.Connection, rows: list[tuple]) -> list[Entry]:
        entries = []
        for row in rows:
            tags = table.execute("SELECT tag FROM tags WHERE run = ? ORDER BY tag", row[:1])
            entries.append(Entry.of(row, tags=tuple(tag for (tag,) in tags)))
        return entries

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection to the database; a broken file is removed and rebuilt next time."""
        try:
            with closing(self._connection()) as table:
                yield table
        except sqlite3.OperationalError as error:
            raise StorageError(
                "“{file}” cannot be written ({reason}): free some space, or check its folder.",
                file=FILE,
                reason=str(error),
            ) from error
        except sqlite3.DatabaseError as error:
            self._remove()
            raise StorageError(
                "“{file}” was broken and is being rebuilt; no run is lost: try again.", file=FILE
            ) from error

    def _connection(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not a database
            self._remove()
            return self._prepared()

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            remove_file(self.path.with_name(FILE + ending))

    def _prepared(self) -> sqlite3.Connection:
        # The file is created with the first run: listing an empty folder leaves it empty.
        kept = self.path.exists() or any(True for _ in self._folders())
        table = sqlite3.connect(self.path if kept else ":memory:", timeout=_PATIENCE)
        try:
            table.execute("PRAGMA synchronous = NORMAL")
            if table.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                _make(table)
        except BaseException:
            table.close()
            raise
        return table


def _make(table: sqlite3.Connection) -> None:
    """Create empty tables and drop old ones; another process may do the same at this moment."""
    table.execute("PRAGMA journal_mode = WAL")
    with table:
        table.execute("BEGIN IMMEDIATE")
        if table.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
            return
        names = table.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (name,) in names.fetchall():
            table.execute(f'DROP TABLE "{name}"')
        for statement in filter(str.strip, _SCHEMA.split(";")):
            table.execute(statement)

"""The catalogue: a table of all runs, so that thousands can be listed, filtered and searched at once.

It is a cache of the run folders, and is rebuilt from them whenever it is missing, broken or of another
version: deleting it loses nothing. Every file of a run is written atomically, which changes the
modification time of its folder; so that time alone shows whether a run has to be read again.
"""

import hashlib
import json
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select

from pixgen.errors import StudioError
from pixgen.recipe.recipe import Recipe
from pixgen.studio.gallery.database import FILE, RUNS, TAGS, THUMBNAILS, open_database
from pixgen.studio.gallery.entries import SORTS, STATES, Entry, RunFilter, Sort
from pixgen.studio.runs.run import (
    FINAL_STATES,
    Run,
    RunTags,
    clean_tag,
    folder_time,
    folder_times,
    mean_similarity,
    read_run,
    read_tags,
)
from pixgen.studio.runs.trash import TRASH, list_trash

__all__ = ["FILE", "SORTS", "STATES", "Catalogue", "Entry", "RunFilter", "Sort"]

Value = TypeVar("Value")

_NEWEST = (RUNS.c.started.desc(), RUNS.c.id.desc())
_ORDERS = {
    "newest": _NEWEST,
    "oldest": (RUNS.c.started, RUNS.c.id),
    "similarity": (RUNS.c.similarity.is_(None), RUNS.c.similarity.desc(), *_NEWEST),
    "longest": (RUNS.c.seconds.desc(), *_NEWEST),
    "prompt": (RUNS.c.folded, *_NEWEST),
}
# Nanoseconds within which a folder may change again without a newer modification time: with a file system
# that stores parts of a second (Linux updates its clock every 1 to 10 ms), and with one that does not.
_FRESH, _FRESH_IN_SECONDS = 100_000_000, 2_000_000_000
_AT_ONCE = 500  # runs in one statement
_LONGEST_WORD = 1000  # characters that are compared

Place = tuple[bool, int]  # whether a run is in the trash, and the modification time of its folder


def row_of(run: Run, run_tags: RunTags, *, trashed: bool, stamp: int, live: bool) -> dict[str, Any]:
    """A run as a row of the table ``runs``."""
    recipe = run.recipe
    row = {
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
        "parent": run.parent,
        "owner": run.owner,
        "favourite": run_tags.favourite,
        "trashed": trashed,
        "family": _family(run),
        "folded": fold_text(" ".join([*dict.fromkeys((_own_words(recipe), recipe.title)), *run_tags.tags])),
        "stamp": stamp,
        "live": live,
    }
    return {name: _storable(value) if isinstance(value, str) else value for name, value in row.items()}


def _own_words(recipe: Recipe) -> str:
    """The prompts that a run ends with: a fork's own, not those of the run that it was forked from."""
    edited = [change.prompts for change in recipe.changes if change.prompts is not None]
    return recipe.model_copy(update={"prompts": edited[-1]}).title if edited else recipe.title


def conditions(run_filter: RunFilter) -> Iterator[ColumnElement[bool]]:
    """What must be true of a row that matches a filter."""
    for word in fold_text(_storable(run_filter.text)).split():
        yield RUNS.c.folded.contains(word[:_LONGEST_WORD], autoescape=True)
    for name in ("preset", "family", "parent"):
        if value := getattr(run_filter, name):
            yield RUNS.c[name] == _storable(value)
    if run_filter.state == "painting":
        yield RUNS.c.state.not_in(FINAL_STATES)
    elif run_filter.state:
        yield RUNS.c.state == run_filter.state
    if run_filter.tag:
        tag = _storable(clean_tag(run_filter.tag))
        yield RUNS.c.id.in_(select(TAGS.c.run).where(TAGS.c.tag == tag))
    if run_filter.favourite:
        yield RUNS.c.favourite
    if run_filter.after is not None:
        yield RUNS.c.started >= run_filter.after.timestamp()
    if run_filter.before is not None:
        yield RUNS.c.started < run_filter.before.timestamp()
    if run_filter.trashed is not None:
        yield RUNS.c.trashed == run_filter.trashed
    if run_filter.exclude_seed is not None:
        yield RUNS.c.seed != run_filter.exclude_seed
    if run_filter.owner is not None:
        yield RUNS.c.owner == _storable(run_filter.owner)
    if run_filter.ids is not None:
        yield RUNS.c.id.in_([_storable(run_id) for run_id in run_filter.ids])


def fold_text(text: str) -> str:
    """Text as it is compared: case-folded and NFKC-normalised."""
    return unicodedata.normalize("NFKC", text).casefold()


def _family(run: Run) -> str:
    recipe = run.recipe.model_dump(mode="json", exclude={"seed"})
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:32]


def _storable(text: str) -> str:
    """Text that a database can store: input from a terminal or a file may contain lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


class Catalogue:
    """The catalogue of a studio's folder. Any thread may use it, and any number of processes.

    Args:
        folder: the studio's folder.
        read: returns a run that is not in the trash, or raises StudioError; a studio knows more about a
            running job than its files.
        address: of a PostgreSQL database that several pages share, as for ``open_database``; by default a file
            in the folder.

    Raises StudioError if there is no database at the address. Every method raises StorageError if the database
    cannot be written.
    """

    def __init__(self, folder: Path, *, read: Callable[[str], Run] | None = None, address: str = "") -> None:
        self.folder = folder
        self._read = read or (lambda run_id: read_run(folder, run_id))
        self._lock = threading.Lock()  # one thread synchronises at a time
        self._database = open_database(folder, address)
        self._database.check()

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    def synchronise(self) -> None:
        """Update the table from the folders: read new and changed runs, remove missing ones."""
        with self._lock:
            found = dict(self._folders())
            with self._database.reading() as connection:
                rows = connection.execute(select(RUNS.c.id, RUNS.c.trashed, RUNS.c.stamp, RUNS.c.live))
                known = {run_id: tuple(facts) for run_id, *facts in rows}
            for run_id in known.keys() - found.keys():
                # A network file system may list a folder late that another machine has made, and finds it by name.
                if (place := self._find_folder(run_id)) is not None:
                    found[run_id] = place
            gone = sorted(known.keys() - found.keys())
            changed = sorted(
                run_id for run_id, place in found.items() if known.get(run_id) != (*place, False)
            )
            for ids in _portions(gone):
                with self._database.writing() as connection:
                    _remove_runs(connection, ids)
            for ids in _portions(changed):
                # Files are read before the transaction: other pages wait for its end.
                read = {run_id: self._read_row(run_id, *found[run_id]) for run_id in ids}
                if any(read.values()) or any(run_id in known for run_id in ids):
                    with self._database.writing() as connection:
                        _write_runs(connection, read)

    def find(self, run_filter: RunFilter, *, first: int = 0, count: int | None = None) -> list[Entry]:
        """The runs that match a filter, in its order, from number ``first`` on."""
        query = (
            select(*(RUNS.c[name] for name in Entry.columns()))
            .where(*conditions(run_filter))
            .order_by(*_ORDERS[run_filter.sort])
            .limit(count)
            .offset(first)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).fetchall()
            tags: dict[str, list[str]] = {}
            for ids in _portions([row.id for row in rows]):
                tagged = select(TAGS.c.run, TAGS.c.tag).where(TAGS.c.run.in_(ids)).order_by(TAGS.c.tag)
                for run_id, tag in connection.execute(tagged):
                    tags.setdefault(run_id, []).append(tag)
        return [Entry.of(tuple(row), tags=tuple(tags.get(row.id, ()))) for row in rows]

    def count(self, run_filter: RunFilter) -> int:
        """How many runs match a filter."""
        query = select(func.count()).select_from(RUNS).where(*conditions(run_filter))
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def values(self, field: str, run_filter: RunFilter) -> dict[str, int]:
        """The values of ``preset``, ``state`` or ``tag`` among the matching runs, with their counts."""
        column = TAGS.c.tag if field == "tag" else RUNS.c[field]
        source = RUNS.join(TAGS, TAGS.c.run == RUNS.c.id) if field == "tag" else RUNS
        query = (
            select(column, func.count())
            .select_from(source)
            .where(*conditions(run_filter))
            .group_by(column)
            .order_by(func.count().desc(), column)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def entry(self, run_id: str) -> Entry | None:
        """The run with this id, in the trash or not; None if there is none."""
        found = self.find(RunFilter(ids=(run_id,), trashed=None))
        return found[0] if found else None

    def thumbnails(self, pictures: Iterable[tuple[str, int]]) -> dict[str, bytes]:
        """The saved thumbnails for run ids and modification times of their pictures, by id."""
        times, found = dict(pictures), {}
        with self._database.reading() as connection:
            for ids in _portions(sorted(times)):
                for run_id, modified, picture in connection.execute(
                    select(THUMBNAILS).where(THUMBNAILS.c.run.in_(ids))
                ):
                    if times[run_id] == modified:
                        found[run_id] = picture
        return found

    def keep_thumbnails(self, made: Iterable[tuple[str, int, bytes]]) -> None:
        """Save thumbnails: run id, modification time of the picture, and encoded bytes."""
        rows: list[dict[str, Any]] = [
            {"run": run_id, "modified": modified, "picture": picture} for run_id, modified, picture in made
        ]
        for some in _portions(rows):
            with self._database.writing() as connection:
                _replace(connection, THUMBNAILS, [row["run"] for row in some], some)

    def _folders(self) -> Iterator[tuple[str, Place]]:
        """Every run's id and place."""
        for trashed, times in ((False, folder_times(self.folder)), (True, list_trash(self.folder))):
            for run_id, changed in times.items():
                yield run_id, (trashed, changed)

    def _find_folder(self, run_id: str) -> Place | None:
        """The place of a run, looked up by its name; None if it has none."""
        for trashed, studio in ((False, self.folder), (True, self.folder / TRASH)):
            if (changed := folder_time(studio / run_id)) is not None:
                return trashed, changed
        return None

    def _read_row(self, run_id: str, trashed: bool, stamp: int) -> tuple[dict[str, Any], RunTags] | None:
        """The row of a run, and its tags; None if it was killed before its first save, or is broken."""
        folder = (self.folder / TRASH if trashed else self.folder) / run_id
        try:
            run = read_run(folder.parent, run_id) if trashed else self._read(run_id)
        except StudioError:
            return None
        run_tags = read_tags(folder)
        if time.time_ns() - stamp < (_FRESH if stamp % 10**9 else _FRESH_IN_SECONDS):
            stamp = -1  # it may change again without a newer time: read it once more
        live = run.state not in FINAL_STATES
        return row_of(run, run_tags, trashed=trashed, stamp=stamp, live=live), run_tags


def _write_runs(connection: Connection, read: dict[str, tuple[dict[str, Any], RunTags] | None]) -> None:
    """Replace the rows of runs; None removes one."""
    _remove_runs(connection, [run_id for run_id, row in read.items() if row is None])
    kept = {run_id: row for run_id, row in read.items() if row is not None}
    _replace(connection, RUNS, list(kept), [row for row, _tags in kept.values()])
    tags = [
        {"run": run_id, "tag": _storable(tag)}
        for run_id, (_row, run_tags) in kept.items()
        for tag in run_tags.tags
    ]
    _replace(connection, TAGS, list(kept), tags)


def _remove_runs(connection: Connection, ids: Sequence[str]) -> None:
    for table in (RUNS, TAGS, THUMBNAILS):
        _replace(connection, table, ids, [])


def _replace(
    connection: Connection, table: Table, ids: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    """Put rows in the place of those that runs have in a table."""
    if ids:
        connection.execute(delete(table).where((table.c.id if table is RUNS else table.c.run).in_(ids)))
    if rows:
        connection.execute(insert(table), rows)


def _portions(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]

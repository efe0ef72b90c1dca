"""A table of all runs, so that thousands are listed, filtered and searched at once.

It only repeats what the runs' folders say, and is made anew from them whenever it is missing, broken
or of another version: deleting it loses nothing. Every file of a run is written beside its place and
then moved there, which changes its folder's time; so one look at that tells whether to read a run again.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pixgen.errors import StorageError, StudioError
from pixgen.studio.gallery.catalogue_rows import COLUMNS, Entry, RunFilter, condition, order, row_of
from pixgen.studio.runs.run import ENDED, Run, folder_times, read_run
from pixgen.studio.runs.tags import read_tags
from pixgen.studio.runs.trash import FOLDER, list_trash
from pixgen.studio.storage import remove

FILE = "catalogue.sqlite3"
_VERSION = 1
# Nanoseconds: as long as a file system's clock may stand still, where it tells parts of a second (Linux
# moves it every 1 to 10 ms), and where it does not.
_FRESH, _FRESH_IN_SECONDS = 100_000_000, 2_000_000_000
_PATIENCE = 10.0  # seconds to wait for another process that writes
_SCHEMA = f"""
CREATE TABLE runs ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
CREATE INDEX by_time ON runs (binned, started);
CREATE INDEX by_family ON runs (family);
CREATE INDEX by_parent ON runs (parent);
CREATE TABLE tags (run TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (tag, run)) WITHOUT ROWID;
CREATE INDEX of_run ON tags (run);
CREATE TABLE thumbnails (run TEXT PRIMARY KEY, modified INTEGER NOT NULL, picture BLOB NOT NULL);
PRAGMA user_version = {_VERSION};
"""


class Catalogue:
    """The catalogue of a studio's folder. Any thread may use it, and any number of processes.

    Args:
        folder: the studio's.
        read: gives a run that is not in the bin, or raises StudioError; a studio knows more of one
            that it paints than its files say.

    Every method raises StorageError if the file cannot be written.
    """

    def __init__(self, folder: Path, *, read: Callable[[str], Run] | None = None) -> None:
        self.folder, self.path = folder, folder / FILE
        self._read = read or (lambda run_id: read_run(folder, run_id))
        self._lock = threading.Lock()  # one thread brings it up to date

    def synchronise(self) -> None:
        """Bring it up to date with the folders: reads what is new or changed, forgets what is gone."""
        with self._lock, self._open() as table:
            found = dict(self._folders())
            known = {row[0]: row[1:] for row in table.execute("SELECT id, binned, stamp, live FROM runs")}
            gone = known.keys() - found.keys()
            changed = [
                run_id for run_id, (binned, stamp) in found.items() if known.get(run_id) != (binned, stamp, 0)
            ]
            if gone or changed:
                with table:
                    self._forget(table, gone)
                    for run_id in changed:
                        self._take_in(table, run_id, *found[run_id])

    def find(self, wanted: RunFilter, *, first: int = 0, count: int | None = None) -> list[Entry]:
        """The runs that are wanted, in the wanted order, from the ``first`` on."""
        where, values = condition(wanted)
        query = f"SELECT {', '.join(Entry.columns())} FROM runs WHERE {where} ORDER BY {order(wanted)}"
        with self._open() as table:
            rows = table.execute(
                f"{query} LIMIT ? OFFSET ?", [*values, -1 if count is None else count, first]
            )
            return self._entries(table, rows.fetchall())

    def count(self, wanted: RunFilter) -> int:
        """How many runs are wanted."""
        where, values = condition(wanted)
        with self._open() as table:
            return table.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()[0]

    def values(self, field: str, wanted: RunFilter) -> dict[str, int]:
        """What there is of ``preset``, ``state`` or ``tag`` among the wanted runs, and how often."""
        where, values = condition(wanted)
        source, column = ("runs JOIN tags ON run = id", "tag") if field == "tag" else ("runs", field)
        query = f"SELECT {column}, count(*) FROM {source} WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1"
        with self._open() as table:
            return dict(table.execute(query, values).fetchall())

    def entry(self, run_id: str) -> Entry | None:
        """The run of that id, in the bin or not; None if there is none."""
        found = self.find(RunFilter(ids=(run_id,), binned=None))
        return found[0] if found else None

    def thumbnails(self, pictures: Iterable[tuple[str, int]]) -> dict[str, bytes]:
        """The small pictures that were kept for these runs' ids and pictures' times, by the id."""
        query = "SELECT picture FROM thumbnails WHERE run = ? AND modified = ?"
        with self._open() as table:
            rows = {each[0]: table.execute(query, each).fetchone() for each in pictures}
        return {run_id: row[0] for run_id, row in rows.items() if row}

    def keep_thumbnails(self, made: Iterable[tuple[str, int, bytes]]) -> None:
        """Keep small pictures: the run's id, the time of its picture, and the encoded bytes."""
        with self._open() as table, table:
            table.executemany("INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?)", made)

    def _folders(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Every run's id, whether it is in the bin, and its folder's time."""
        for binned, times in enumerate((folder_times(self.folder), list_trash(self.folder))):
            for run_id, changed in times.items():
                yield run_id, (binned, changed)

    def _take_in(self, table: sqlite3.Connection, run_id: str, binned: int, stamp: int) -> None:
        folder = (self.folder / FOLDER if binned else self.folder) / run_id
        try:
            run = read_run(folder.parent, run_id) if binned else self._read(run_id)
        except StudioError:  # killed before it was written down, or spoilt
            self._forget(table, [run_id])
            return
        marks = read_tags(folder)
        if time.time_ns() - stamp < (_FRESH if stamp % 10**9 else _FRESH_IN_SECONDS):
            stamp = -1  # it may change again without a newer time: look once more
        row = row_of(run, marks, binned=binned, stamp=stamp, live=run.state not in ENDED)
        table.execute(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * len(row))})", row)
        table.execute("DELETE FROM tags WHERE run = ?", (run_id,))
        table.executemany("INSERT INTO tags VALUES (?, ?)", [(run_id, tag) for tag in marks.tags])

    def _forget(self, table: sqlite3.Connection, run_ids: Iterable[str]) -> None:
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
        """A connection to the table. One whose file is broken is forgotten, and made anew."""
        try:
            with closing(self._connection()) as table:
                yield table
        except sqlite3.OperationalError as error:
            raise StorageError(
                "“{file}” cannot be written ({reason}): make room, or check its folder.",
                file=FILE,
                reason=str(error),
            ) from error
        except sqlite3.DatabaseError as error:
            self._remove()
            raise StorageError(
                "“{file}” was broken and is made anew; the runs are whole: look again.", file=FILE
            ) from error

    def _connection(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # no database at all
            self._remove()
            return self._prepared()

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            remove(self.path.with_name(FILE + ending))

    def _prepared(self) -> sqlite3.Connection:
        # A file only once there is a run: to list the runs of an empty folder leaves nothing in it.
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
    """Empty tables, whatever was there; another process may be at it too."""
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

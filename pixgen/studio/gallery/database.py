"""The catalogue's tables, and the database that they are in: an SQLite file in the studio's folder, or a PostgreSQL
server that several pages share."""

import logging
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, ExecutableDDLElement

from pixgen.errors import StorageError, StudioError
from pixgen.studio.runs.run import folder_lock, folder_times
from pixgen.studio.runs.trash import list_trash
from pixgen.studio.storage import remove_file, storage_errors, write_bytes

log = logging.getLogger(__name__)
FILE = "catalogue.sqlite3"
ID_FILE = "catalogue.id"  # names a folder in a server's database, whatever its path is on each machine
_VERSION = 3
_PATIENCE = 10.0  # seconds to wait for a server, or for a write of another process
_LOCK = 20_261_130  # any number that only pixgen locks, while it creates tables
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # SQLite's order: by code points

TABLES = MetaData()
RUNS = Table(
    "runs",
    TABLES,
    Column("id", _TEXT, primary_key=True),
    Column("prompt", _TEXT, nullable=False),
    Column("preset", _TEXT, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("width", BigInteger, nullable=False),
    Column("height", BigInteger, nullable=False),
    Column("state", _TEXT, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("steps", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("started", Double, nullable=False),  # seconds since 1970
    Column("similarity", Double),
    Column("parent", _TEXT, nullable=False),
    Column("owner", _TEXT, nullable=False),
    Column("favourite", Boolean, nullable=False),
    Column("trashed", Boolean, nullable=False),
    Column("family", _TEXT, nullable=False),  # the same for recipes that differ only in their seed
    Column("folded", _TEXT, nullable=False),  # the text that a search by words compares
    Column("stamp", BigInteger, nullable=False),  # the folder's modification time, in nanoseconds since 1970
    Column("live", Boolean, nullable=False),  # whether the run may change without a newer stamp
)
Index("by_time", RUNS.c.trashed, RUNS.c.started)
Index("by_family", RUNS.c.family)
Index("by_parent", RUNS.c.parent)
TAGS = Table(
    "tags",
    TABLES,
    Column("tag", _TEXT, primary_key=True),
    Column("run", _TEXT, primary_key=True),
    sqlite_with_rowid=False,
)
Index("of_run", TAGS.c.run)
THUMBNAILS = Table(
    "thumbnails",
    TABLES,
    Column("run", _TEXT, primary_key=True),
    Column("modified", BigInteger, nullable=False),
    Column("picture", LargeBinary, nullable=False),
)


class Database(Protocol):
    """Where the catalogue's tables are."""

    def check(self) -> None:
        """Raise StudioError if the database cannot be used at all."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read the tables from, as a context manager. Raises StorageError."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A connection for one transaction, which no other one writes at the same time. Raises StorageError."""

    def close(self) -> None:
        """Close every connection."""


def open_database(folder: Path, address: str = "") -> Database:
    """The database of a studio's folder.

    Args:
        address: ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``; by default a file in the folder.

    Raises StudioError if the address is not valid, or its library is not installed.
    """
    return PostgresDatabase(folder, address) if address else SqliteFile(folder)


class SqliteFile:
    """An SQLite file, which is created with the first run; a broken one is removed and rebuilt."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.path = folder, folder / FILE
        self._engine = create_engine("sqlite://", creator=self._open, poolclass=NullPool)

        @event.listens_for(self._engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

        self._writer = self._engine.execution_options(begin="BEGIN IMMEDIATE")

    def check(self) -> None:
        """Nothing: a file is looked at when it is needed."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """As ``Database.reading``."""
        with self._errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As ``Database.writing``."""
        with self._errors(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Nothing: each connection is closed after its use."""

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise StorageError(
                "“{file}” cannot be written ({reason}): free some space, or check its folder.",
                file=FILE,
                reason=str(error.orig),
            ) from error
        except DatabaseError as error:
            self._remove()
            raise StorageError(
                "“{file}” was broken and is being rebuilt; no run is lost: try again.", file=FILE
            ) from error

    def _open(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not a database
            self._remove()
            return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        # Listing an empty folder leaves it empty.
        exists = self.path.exists() or bool(folder_times(self._folder) or list_trash(self._folder))
        # Transactions begin as the engine says; Python's own would begin with the first change.
        table = sqlite3.connect(
            self.path if exists else ":memory:",
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            table.execute("PRAGMA synchronous = NORMAL")
            if _version(table) != _VERSION:
                _make_tables(table)
        except BaseException:
            table.close()
            raise
        return table

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            remove_file(self.path.with_name(FILE + ending))


class PostgresDatabase:
    """A schema in a PostgreSQL database, which any number of pages share; each folder of runs has its own.

    Args:
        folder: the studio's folder, which gets a file with its id.
        address: ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self._url = folder, _read_address(address)
        if find_spec("psycopg") is None:
            raise StudioError(
                "psycopg is not installed: pip install 'pixgen[postgres]', or in a clone pip install -r "
                "requirements-postgres.txt."
            )
        self._engine = create_engine(
            self._url,
            pool_pre_ping=True,  # a server may have been started again
            pool_timeout=_PATIENCE,
            max_overflow=20,
            # A pooler such as PgBouncer gives each transaction another connection.
            connect_args={"prepare_threshold": None},
        )
        self._lock = threading.Lock()
        self._tables: Engine | None = None  # once they exist

    def check(self) -> None:
        """As ``Database.check``."""
        try:
            self._prepared()
        except SQLAlchemyError as error:
            raise StudioError(
                "The catalogue at “{address}” cannot be used ({reason}): check the address, and that its server "
                "runs.",
                address=self._url.set(drivername="postgresql", query={}).render_as_string(),
                reason=_reason(error),
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """As ``Database.reading``."""
        with self._errors(), self._prepared().begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As ``Database.writing``."""
        with self._errors(), self._prepared().begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE:.0f}s'"))
            connection.execute(text(f'LOCK TABLE "{self._schema()}".runs IN SHARE ROW EXCLUSIVE MODE'))
            yield connection

    def close(self) -> None:
        """As ``Database.close``."""
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What people are told: the reason is in the log, as it may name the server."""
        try:
            yield
        except SQLAlchemyError as error:
            log.warning("the catalogue does not answer: %s", _reason(error))
            if isinstance(error, ProgrammingError):  # such as tables that somebody has dropped
                self._tables = None
            raise StorageError(
                "The gallery's catalogue does not answer at the moment; no run is lost: try again soon."
            ) from error

    def _prepared(self) -> Engine:
        """The engine, after the tables were created if they are missing."""
        with self._lock:
            if self._tables is None:
                schema = self._schema()
                engine = self._engine.execution_options(schema_translate_map={None: schema})
                with engine.begin() as connection:
                    # Two pages may begin at the same moment.
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                    if schema not in inspect(connection).get_schema_names():
                        connection.execute(CreateSchema(schema))
                    TABLES.create_all(connection)
                self._tables = engine
            return self._tables

    def _schema(self) -> str:
        """The folder's schema. Another version of the tables has another one, so that pages of both can run."""
        return f"pixgen_{folder_id(self._folder)}_v{_VERSION}"


def _version(table: sqlite3.Connection) -> int:
    return table.execute("PRAGMA user_version").fetchone()[0]


def _make_tables(table: sqlite3.Connection) -> None:
    """Create empty tables and drop old ones; another process may do the same at this moment."""
    table.execute("PRAGMA journal_mode = WAL")
    table.execute("BEGIN IMMEDIATE")
    with table:
        if _version(table) == _VERSION:
            return
        names = table.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (name,) in names.fetchall():
            table.execute(f'DROP TABLE "{name}"')
        for each in TABLES.sorted_tables:
            statements: list[ExecutableDDLElement] = [CreateTable(each), *map(CreateIndex, each.indexes)]
            for statement in statements:
                table.execute(str(statement.compile(dialect=sqlite.dialect())))
        table.execute(f"PRAGMA user_version = {_VERSION}")


def _read_address(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    if url is None or url.drivername not in ("postgresql", "postgres") or not url.database:
        raise StudioError(
            "The address of a catalogue is postgresql://USER:PASSWORD@HOST:PORT/DATABASE; the password may also be "
            "in ~/.pgpass. Without one, it is a file in the folder of the runs."
        )
    query = {"connect_timeout": f"{_PATIENCE:.0f}", **url.query}
    return url.set(drivername="postgresql+psycopg", query=query)


def folder_id(folder: Path) -> str:
    """The id of a studio's folder, made once. Raises StorageError."""
    path = folder / ID_FILE
    with storage_errors(path):
        if not path.exists():
            with folder_lock(folder):
                if not path.exists():
                    write_bytes(path, f"{secrets.token_hex(8)}\n".encode())
        found = path.read_text("utf-8").strip()
    if not re.fullmatch(r"[0-9a-f]{16}", found):
        raise StudioError("“{file}” is broken: delete it, and the catalogue is rebuilt.", file=ID_FILE)
    return found


def _reason(error: SQLAlchemyError) -> str:
    """The first line of what the driver says."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0][:300] if said else type(error).__name__

"""The library of all collections: a LanceDB database with one table for each collection and model.

LanceDB is embedded: it writes files below one address, without a server. The address is a folder, or an object store
(``s3://bucket/name``).
"""

import hashlib
import json
import os
import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

from pixgen.errors import SearchError
from pixgen.messages import _
from pixgen.vision.search.collection import KEY, Collection, is_collection, lance_errors, schema

LONGEST_NAME = 48
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]*")  # names that are valid table names
_INDEX_CACHE = 2**30  # bytes of indexes in memory; a million vectors of 512 numbers need half


class Library:
    """The collections at one address.

    Args:
        address: a folder, which is made on the first write, or an object store's address.
    """

    def __init__(self, address: str | Path) -> None:
        self.address = str(address)
        self._opened: Any = None

    def collections(self) -> list[Collection]:
        """Every collection, sorted by name and model."""
        with lance_errors("the library"):
            tables = [self._database.open_table(name) for name in self._tables()]
            found = [self._made(table) for table in tables if is_collection(table)]
        return sorted(found, key=lambda each: (each.name, each.model))

    def open(self, name: str, model: str) -> Collection:
        """The collection of that name for a model. Raises SearchError, which lists the existing names."""
        table = _table_name(name, model)
        with lance_errors(name[:60]):
            if table in self._tables():
                return self._made(self._database.open_table(table))
        names = sorted({each.name for each in self.collections() if each.model == model})
        choose = (
            _("choose {choices}", choices=", ".join(names))
            if names
            else _("make one with “pixgen index FOLDER”")
        )
        raise SearchError(
            "There is no collection “{name}” for the model {model}: {choose}.",
            name=name[:60],
            model=model,
            choose=choose,
        )

    def create(self, name: str, model: str, *, dimensions: int, source: str = "") -> Collection:
        """The collection of that name for a model, made if it is missing.

        Args:
            dimensions: of the model's vectors.
            source: the folder of its pictures; a collection of this name from another folder is an error.

        Raises SearchError, also for an invalid name.
        """
        check_name(name)
        table, facts = _table_name(name, model), {"name": name, "model": model, "source": source}
        with lance_errors(name):
            if table in self._tables():
                made = self._made(self._database.open_table(table))
            else:
                columns = schema(dimensions).with_metadata({KEY: json.dumps(facts)})
                made = self._made(self._database.create_table(table, schema=columns))
        if made.source != source:
            raise SearchError(
                "The collection “{name}” contains the pictures of another folder: choose another name.",
                name=name,
            )
        if made.dimensions != dimensions:
            raise SearchError(
                "The collection “{name}” was indexed with a different “{model}”: choose another name.",
                name=name,
                model=model,
            )
        return made

    def exists(self) -> bool:
        """Whether the library may exist; a missing folder is not made."""
        return "://" in self.address or os.path.isdir(self.address)

    def remove(self, name: str) -> None:
        """Delete a collection, for all models; a missing one is no error."""
        with lance_errors(name):
            for table in self._tables():
                if table.partition(".")[0] == _table_stem(name):
                    self._database.drop_table(table)

    def _made(self, table: Any) -> Collection:
        flat = None if "://" in self.address else Path(self.address) / "flat"
        return Collection(table, folder=flat)

    def _tables(self) -> set[str]:
        """The names of all tables; nothing is written."""
        names: set[str] = set()
        if not self.exists():
            return names
        page = None
        while True:
            listed = self._database.list_tables(page_token=page)
            names.update(listed.tables)
            page = listed.page_token
            if not page:
                return names

    @property
    def _database(self) -> Any:
        if self._opened is None:
            import lancedb

            session = lancedb.Session(index_cache_size_bytes=_INDEX_CACHE)
            # The next search sees what another process has added.
            self._opened = lancedb.connect(
                self.address, session=session, read_consistency_interval=timedelta(0)
            )
        return self._opened


def _table_name(name: str, model: str) -> str:
    """The table name of a collection: table names allow fewer characters, and some file systems take “Photos” and
    “photos” for the same file."""
    return f"{_table_stem(name)}.{hashlib.sha256(model.encode()).hexdigest()[:12]}"


def _table_stem(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    return f"named-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def check_name(name: str) -> None:
    """Raise SearchError if a collection's name is invalid."""
    allowed = all(_is_letter(sign) or sign in "-_" for sign in name)
    if not allowed or not 0 < len(name) <= LONGEST_NAME or not _is_letter(name[0]):
        raise SearchError(
            "“{name}” cannot name a collection: use up to {most} letters, digits, - and _.",
            name=name[:60],
            most=LONGEST_NAME,
        )


def default_name(folder: Path) -> str:
    """The default name of a folder's collection: the letters and digits of any script, and - for other
    characters."""
    said = unicodedata.normalize("NFC", folder.resolve().name)
    kept = "".join(sign if _is_letter(sign) or sign == "_" else "-" for sign in said)
    name = re.sub(r"-+", "-", kept).strip("-_")
    while name and not name[0].isalnum():  # a combining mark without its letter
        name = name[1:].strip("-_")
    return name[:LONGEST_NAME].strip("-_") or "pictures"


def legacy_name(folder: Path) -> str:
    """The name that earlier versions gave a folder's collection: lower-case Latin letters only."""
    name = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")[:LONGEST_NAME]
    return name or "pictures"


def _is_letter(sign: str) -> bool:
    """Whether a character is a letter, a digit, or a combining mark."""
    return unicodedata.category(sign)[0] in "LNM"

"""An object store by fsspec: named objects below one address, such as ``s3://bucket/runs``, and the store's clock.

Whatever the library of a store raises becomes a StorageError here, and its reason is in the log: it may name the server.
"""

import json
import logging
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixgen.errors import StorageError, StudioError
from pixgen.text_files import parse_json

log = logging.getLogger(__name__)
_VERSION = 1
_NAME = "pixgen.json"  # the object with the version and the id of the store
# Of a request to S3, in seconds; its library tries each again, and so do the copies.
_PATIENCE = {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 3}}
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": _PATIENCE},
    "s3a": {"config_kwargs": _PATIENCE},
    "file": {"auto_mkdir": True},
    "local": {"auto_mkdir": True},
}
# What an object's version is read from, and when it was written: each library has its own names.
_VERSIONS = ("ETag", "etag", "generation", "mtime", "created", "LastModified", "last_modified")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")


@dataclass(frozen=True)
class Listed:
    """An object in a listing.

    Args:
        version: a text that is another one after each change.
        modified: when it was written, by the store's clock, in seconds since 1970.
    """

    version: str
    modified: float


class ObjectStore:
    """The objects below one address. Any thread may call any method; each raises StorageError if the store does not
    answer.

    Args:
        address: a URL that fsspec knows, such as ``s3://BUCKET/PREFIX``.

    Raises StudioError if the address is not valid, or its library is not installed.
    """

    def __init__(self, address: str) -> None:
        import fsspec

        self.address = address.rstrip("/")
        protocol, separator, rest = self.address.partition("://")
        try:
            if not separator or not rest:
                raise ValueError(address)
            self._files, self._root = fsspec.url_to_fs(
                self.address,
                use_listings_cache=False,  # other pages write, too
                skip_instance_cache=True,
                **_OPTIONS.get(protocol, {}),
            )
        except ImportError as error:
            raise StudioError(
                "The library for “{protocol}://” is not installed ({reason}): for S3, pip install 'pixgen[s3]', or in a "
                "clone pip install -r requirements-s3.txt.",
                protocol=protocol[:20],
                reason=error,
            ) from error
        except (ValueError, OSError) as error:
            raise StudioError(
                "“{address}” is no address of a storage: write s3://BUCKET/PREFIX, or another URL of fsspec.",
                address=address[:200],
            ) from error
        self._root = self._root.rstrip("/")
        self._is_local = protocol in ("file", "local")
        self._clock, self._read_at = time.time(), time.monotonic()

    def check(self, name: str) -> None:
        """Write an object and read the store's clock from it. Raises StudioError with the reason if that fails."""
        try:
            self.write(name, b"")
            self._clock = self._files.modified(self._path(name)).timestamp()
            self._read_at = time.monotonic()
        except Exception as error:  # that of any library
            cause = error.__cause__ or error
            raise StudioError(
                "The storage at “{address}” cannot be used ({reason}): check the address, its credentials, and that it "
                "can be reached and written.",
                address=self.address,
                reason=str(cause).strip()[:300] or type(cause).__name__,
            ) from error

    def now(self) -> float:
        """The time by the store's clock, in seconds since 1970; all pages agree on it."""
        return self._clock + time.monotonic() - self._read_at

    def list(self, folder: str) -> dict[str, Listed]:
        """The objects below a folder, by their names in it."""
        with self._errors():
            try:
                found = self._files.find(self._path(folder), detail=True)
            except FileNotFoundError:
                return {}
        start = f"{self._path(folder)}/"
        return {
            name.removeprefix(start): Listed(_version(facts), _time(facts)) for name, facts in found.items()
        }

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None if there is none."""
        return self.read_many([name]).get(name)

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """The bytes of objects by their names, without those that do not exist; as many at once as the library does."""
        paths = {self._path(name): name for name in names}
        if not paths:
            return {}
        with self._errors():
            read = self._files.cat(list(paths), on_error="return")
            for answer in read.values():
                if isinstance(answer, Exception) and not isinstance(answer, FileNotFoundError):
                    raise answer
        return {paths[path]: data for path, data in read.items() if isinstance(data, bytes)}

    def write(self, name: str, data: bytes) -> None:
        """Write an object, as a whole."""
        with self._errors():
            if self._is_local:
                with self._whole_file(data) as temporary:
                    os.replace(temporary, self._make_folder(name))
            else:
                self._files.pipe_file(self._path(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Write an object unless there is one; returns whether it was written. Of several pages, one writes it."""
        with self._errors():
            try:
                if not self._is_local or not self._link(name, data):
                    self._files.pipe_file(self._path(name), data, mode="create")
            except FileExistsError:
                return False
        return True

    def download(self, name: str, path: Path) -> bool:
        """Copy an object into a file; returns whether there is one."""
        with self._errors():
            try:
                self._files.get_file(self._path(name), str(path))
            except FileNotFoundError:
                return False
        return True

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects; those that do not exist are no error."""
        for name in names:
            with self._errors(), suppress(FileNotFoundError):
                self._files.rm_file(self._path(name))

    @contextmanager
    def _whole_file(self, data: bytes) -> Iterator[Path]:
        """A temporary file in a folder store: what is linked or renamed from it is never read half-written, as what
        fsspec writes to its own place is."""
        temporary = Path(self._path(f".{secrets.token_hex(8)}"))
        self._files.pipe_file(str(temporary), data)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _link(self, name: str, data: bytes) -> bool:
        """Write an object to a folder store unless there is one; False where the file system has no links. Raises
        FileExistsError."""
        with self._whole_file(data) as temporary:
            try:
                os.link(temporary, self._make_folder(name))
            except FileExistsError:
                raise
            except OSError as error:
                log.debug("the storage has no links: %s", error)
                return False
        return True

    def _make_folder(self, name: str) -> Path:
        path = Path(self._path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # that of any library
            log.debug("the storage: %s: %s", type(error).__name__, error)
            raise StorageError(
                "The storage does not answer at the moment; no picture is lost: try again soon."
            ) from error


def identify(objects: ObjectStore) -> str:
    """A store's id, which its first page gives it. Raises StudioError if it is of a later version, StorageError."""
    objects.create(_NAME, json.dumps({"version": _VERSION, "id": secrets.token_hex(8)}).encode())
    with suppress(ValueError, KeyError, TypeError):
        value = parse_json((objects.read(_NAME) or b"").decode())
        if value["version"] == _VERSION:
            return str(value["id"])
    raise StudioError(
        "The storage at “{address}” is of another version of pixgen, or of another program: choose another prefix.",
        address=objects.address,
    )


def _version(facts: dict[str, Any]) -> str:
    found = next((facts[name] for name in _VERSIONS if facts.get(name) is not None), "")
    return f"{found} {facts.get('size', '')}"


def _time(facts: dict[str, Any]) -> float:
    found = next((facts[name] for name in _TIMES if facts.get(name) is not None), 0.0)
    return found.timestamp() if hasattr(found, "timestamp") else float(found)

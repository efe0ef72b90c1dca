"""Atomic writes: a reader sees the old file or the new one, never a part; errors say what to do."""

import errno
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pixgen.errors import StorageError

# A quota or a limit on file sizes is reported as a full disk.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder, which replaces ``path`` if the block ends without an error.

    Raises StorageError for every OSError in the block; the old file then stays.
    """
    temporary = temporary_path(path)
    try:
        with storage_errors(path):
            yield temporary
            temporary.replace(path)
    finally:
        remove_file(temporary)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn every OSError in the block into a StorageError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically. Raises StorageError."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def prepare_folder(folder: Path) -> bool:
    """Create a studio's folder if needed; returns whether it was created. Raises StorageError if it is
    not writable."""
    try:
        made = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        probe = temporary_path(folder / "probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(
            "The folder “{folder}” cannot be written ({reason}): choose another with --output-dir or "
            "PIXGEN_OUTPUT_DIR.",
            folder=folder,
            reason=error.strerror or str(error),
        ) from error
    return made


def remove_empty(folder: Path) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError):
        folder.rmdir()


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error for a file that could not be written; it names no folder above the file's own."""
    what = f"“{path.parent.name}/{path.name}”"
    if error.errno in _FULL:
        return StorageError(
            "The disk is full: {what} could not be saved. Free some space and try again.", what=what
        )
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return StorageError(
        "{what} could not be saved ({reason}): check that its folder can be written.",
        what=what,
        reason=reason,
    )


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that a killed process has left in a folder."""
    for path in folder.glob(".*.tmp"):
        remove_file(path)


def temporary_path(path: Path) -> Path:
    """A new hidden file name beside ``path``, which ``remove_leftovers`` recognises."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def display_name(path: Path) -> str:
    """The name of a file without the additions of its temporary name."""
    return re.sub(r"^\.(.+)\.[0-9a-f]{8}\.tmp$", r"\1", path.name)


def remove_file(path: Path) -> None:
    """Remove a file; failures are ignored."""
    with suppress(OSError):  # the error that matters has been raised already
        path.unlink(missing_ok=True)

"""Writing files so that a reader sees the old one or the new one, never a part."""

import errno
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pixgen.errors import StorageError

# A quota or a limit on file sizes is as full a disk as a full disk.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder; it replaces ``path`` if the block ends without an error.

    Raises StorageError for every OSError in the block; what was at ``path`` then is still there.
    """
    temporary = temporary_path(path)
    try:
        with storing(path):
            yield temporary
            temporary.replace(path)
    finally:
        remove(temporary)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn every OSError in the block into a StorageError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, replacing what is there at once. Raises StorageError."""
    with writing(path) as temporary:
        temporary.write_bytes(data)


def prepare_folder(folder: Path) -> bool:
    """Make a studio's folder; whether it was not there before. Raises StorageError if it cannot be
    written."""
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
    """Remove a folder if there is nothing in it."""
    with suppress(OSError):
        folder.rmdir()


def storage_error(path: Path, error: OSError) -> StorageError:
    """What to tell about a file that could not be written; names no folder above its own."""
    what = f"“{path.parent.name}/{path.name}”"
    if error.errno in _FULL:
        return StorageError(
            "The disk is full: {what} could not be saved. Make room and try again.", what=what
        )
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return StorageError(
        "{what} could not be saved ({reason}): check that its folder can be written.",
        what=what,
        reason=reason,
    )


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed has left half-written in a folder."""
    for path in folder.glob(".*.tmp"):
        remove(path)


def temporary_path(path: Path) -> Path:
    """A new hidden name beside ``path``, of the kind that ``remove_leftovers`` removes."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def display_name(path: Path) -> str:
    """The name of a file as a person knows it, also while it has its temporary name."""
    return re.sub(r"^\.(.+)\.[0-9a-f]{8}\.tmp$", r"\1", path.name)


def remove(path: Path) -> None:
    """Remove a file that is of no use any more, if that can be done."""
    with suppress(OSError):  # the error that matters has been raised already
        path.unlink(missing_ok=True)

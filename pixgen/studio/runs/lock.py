"""A run belongs to one job at a time, among all processes on the machine."""

import sys
import time
from pathlib import Path
from typing import IO

from pixgen.errors import StudioError
from pixgen.studio.storage import storing

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_NAME = ".lock"
_TRIES, _BETWEEN = 5, 0.02  # whoever only looks holds the lock for a moment


class RunLock:
    """Holds a run's folder until ``release``; the system lets go of it when the process dies.

    Raises StudioError if another job has it, StorageError if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        with storing(folder / _NAME):
            self._file = (folder / _NAME).open("ab")
        for tries_left in reversed(range(_TRIES)):
            try:
                _lock(self._file)
                return
            except OSError as error:
                if not tries_left:
                    self._file.close()
                    raise StudioError(
                        "The run {name} is being painted: stop it first, or wait for its end.",
                        name=folder.name,
                    ) from error
            time.sleep(_BETWEEN)

    def release(self) -> None:
        """Let go; more than once does nothing."""
        self._file.close()


def is_locked(folder: Path) -> bool:
    """Whether a job that lives, of this or another process, has the run."""
    try:
        with (folder / _NAME).open("rb") as file:
            _lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False

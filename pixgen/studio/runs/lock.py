"""Lock a run's folder, so that one job at a time works on it, among all processes on the machine."""

import errno
from pathlib import Path

from filelock import FileLock, Timeout

from pixgen.errors import StudioError
from pixgen.studio.storage import storage_errors

_NAME = ".lock"
_PATIENCE = 0.1  # seconds: is_locked holds a lock for a moment
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class RunLock:
    """Holds a run's folder until ``release``; the system releases it when the process dies.

    Raises StudioError if another job holds it, StorageError if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = _file_lock(folder)
        with storage_errors(folder / _NAME):
            folder.stat()  # filelock would make a folder that is gone
            try:
                self._lock.acquire(timeout=_PATIENCE, poll_interval=_PATIENCE / 5)
            except Timeout as error:
                raise StudioError(
                    "The run {name} is being painted: stop it first, or wait for its end.",
                    name=folder.name,
                ) from error

    def release(self) -> None:
        """Let other jobs work on the run; calling it again does nothing."""
        self._lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a living job, of this or another process, works on the run.

    A run that this process may not write counts as free: nothing can be changed in it from here.
    """
    if not (folder / _NAME).exists():
        return False
    lock = _file_lock(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError as error:
        return error.errno not in _READ_ONLY
    lock.release()
    return False


def _file_lock(folder: Path) -> FileLock:
    # A job's lock is taken by the thread that asks for it, and released by the one that paints.
    return FileLock(folder / _NAME, thread_local=False)

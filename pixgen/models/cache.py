"""The cache folder of downloaded models: where it is, its file locks, and its free disk space."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from pixgen.errors import ModelError, StorageError
from pixgen.models.progress import DownloadProgress, report_download

RESERVED_BYTES = 512 * 2**20  # bytes that stay free, for the converted weights and a margin


def cache_folder() -> Path:
    """``$PIXGEN_CACHE``, else the user's cache folder of the system. Hugging Face's files are in its own cache."""
    return (
        Path(os.environ.get("PIXGEN_CACHE") or platformdirs.user_cache_dir("pixgen")).expanduser().absolute()
    )


def models_dir() -> Path | None:
    """The folder of custom models, ``$PIXGEN_MODELS_DIR``, if it is set."""
    found = os.environ.get("PIXGEN_MODELS_DIR")
    return Path(found).expanduser().absolute() if found else None


def models_folder() -> Path:
    """The folder of converted weights, made if it is missing. Raises StorageError."""
    folder = cache_folder() / "models"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "Models cannot be saved in {folder} ({reason}): set PIXGEN_CACHE to another folder.",
            folder=folder,
            reason=error.strerror,
        ) from error
    return folder


def file_name(name: str) -> str:
    """A model's name as a file name: ``ViT-B-32/openai`` has a slash."""
    return name.replace("/", "--").replace(":", "--")


@contextmanager
def file_lock(path: Path, *, model: str) -> Iterator[None]:
    """Hold a lock on a file of the cache, among all processes; report the wait while another holds it."""
    lock = FileLock(f"{path}.lock")
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            report_download(DownloadProgress(model, waiting=True))
        except OSError as error:
            raise StorageError(
                "Models cannot be saved in {folder} ({reason}): set PIXGEN_CACHE to another folder.",
                folder=path.parent,
                reason=error.strerror,
            ) from error
    try:
        yield
    finally:
        lock.release()


def free_bytes(folder: Path) -> int:
    """Free disk space in bytes at a folder, or where it will be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_disk_space(needed: int, folder: Path, *, model: str) -> None:
    """Raise ModelError if ``needed`` more bytes do not fit on the disk."""
    free = free_bytes(folder)
    if free < needed + RESERVED_BYTES:
        raise ModelError(
            "“{model}” needs {needed}, but {folder} has only {free} free: free some space, or set "
            "PIXGEN_CACHE (HF_HOME for CLIPs) to a folder on another disk.",
            model=model,
            needed=format_bytes(needed + RESERVED_BYTES),
            free=format_bytes(free),
            folder=folder,
        )


def format_bytes(count: int) -> str:
    """A number of bytes as text: ``512 MB``, ``1.7 GB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

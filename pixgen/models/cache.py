"""The one folder where fetched models are kept, and who may write there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from pixgen.errors import ModelError, StorageError
from pixgen.models.progress import DownloadProgress, report_download

RESERVED_BYTES = 512 * 2**20  # bytes that stay free: the weights in their new form, and some air


def cache_folder() -> Path:
    """``$PIXGEN_CACHE``, else the system's folder for caches. Hugging Face's files lie in its own."""
    return (
        Path(os.environ.get("PIXGEN_CACHE") or platformdirs.user_cache_dir("pixgen")).expanduser().absolute()
    )


def models_folder() -> Path:
    """The folder of the models themselves, made if it is not there. Raises StorageError."""
    folder = cache_folder() / "models"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "Models cannot be kept in {folder} ({reason}): let PIXGEN_CACHE name another folder.",
            folder=folder,
            reason=error.strerror,
        ) from error
    return folder


def file_name(name: str) -> str:
    """A model's name as a file's: ``ViT-B-32/openai`` has none of its own."""
    return name.replace("/", "--").replace(":", "--")


@contextmanager
def file_lock(path: Path, *, model: str) -> Iterator[None]:
    """Alone with a file of the cache, among all processes; while another has it, says so."""
    lock = FileLock(f"{path}.lock")
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            report_download(DownloadProgress(model, waiting=True))
        except OSError as error:
            raise StorageError(
                "Models cannot be kept in {folder} ({reason}): let PIXGEN_CACHE name another folder.",
                folder=path.parent,
                reason=error.strerror,
            ) from error
    try:
        yield
    finally:
        lock.release()


def free_bytes(folder: Path) -> int:
    """How much room there is where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_disk_space(needed: int, folder: Path, *, model: str) -> None:
    """Raise ModelError if so many bytes more do not fit."""
    free = free_bytes(folder)
    if free < needed + RESERVED_BYTES:
        raise ModelError(
            "“{model}” needs {needed} and there are {free} free in {folder}: make room, or let "
            "PIXGEN_CACHE (for CLIPs HF_HOME) name a folder on another disk.",
            model=model,
            needed=format_bytes(needed + RESERVED_BYTES),
            free=format_bytes(free),
            folder=folder,
        )


def format_bytes(count: int) -> str:
    """Bytes as a person says them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

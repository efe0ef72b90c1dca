"""Files on Hugging Face, by huggingface_hub and in its cache.

Added here: a check of the disk space and the connection first, verification by sha256, progress, and errors in one
sentence."""

import io
import re
from pathlib import Path

from pixgen.errors import ModelError
from pixgen.models.cache import check_disk_space
from pixgen.models.download import sha256_of
from pixgen.models.progress import DownloadProgress, report_download

CONNECT_TIMEOUT = 10.0  # seconds


class NoSuchFile(ModelError):  # noqa: N818 - what happened
    """The repository is missing or has no such file; another file may exist."""


def cached_path(repository: str, file: str) -> Path | None:
    """The path of a file in the cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, file)
    return Path(found) if isinstance(found, str) else None


def fetch(repository: str, file: str, *, model: str, endpoint: str | None = None) -> Path:
    """The path of a repository's file, downloaded unless it is cached.

    Args:
        endpoint: the URL of a mirror of huggingface.co.

    Raises ModelError, whose message is the reason alone, if it cannot be downloaded.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.constants import ENDPOINT, HF_HUB_CACHE
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    if (found := cached_path(repository, file)) is not None:
        return found
    _check_connection(endpoint or ENDPOINT)
    try:
        facts = hf_hub_download(repository, file, endpoint=endpoint, dry_run=True)
        check_disk_space(facts.file_size or 0, Path(HF_HUB_CACHE), model=model)
        found = Path(
            hf_hub_download(repository, file, endpoint=endpoint, tqdm_class=_progress_bar_class(model))
        )
    except LocalEntryNotFoundError as error:
        raise ModelError("huggingface.co: no connection") from error
    except (EntryNotFoundError, RepositoryNotFoundError) as error:
        raise NoSuchFile(
            "huggingface.co: {repository} has no {file}, or is not public",
            repository=repository,
            file=file,
        ) from error
    except OSError as error:  # httpx's errors as huggingface_hub passes them on, and a full disk
        raise ModelError("huggingface.co: {reason}", reason=str(error).splitlines()[0][:120]) from error
    if not is_verified(found):
        _delete(found)
        raise ModelError("huggingface.co: the downloaded file does not have the expected hash")
    return found


def list_files(repository: str, *, endpoint: str | None = None) -> list[str]:
    """The names of a repository's files, from the network. Raises ModelError with the reason alone."""
    from huggingface_hub import HfApi
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import RepositoryNotFoundError

    _check_connection(endpoint or ENDPOINT)
    try:
        return HfApi(endpoint).list_repo_files(repository)
    except RepositoryNotFoundError as error:
        raise NoSuchFile(
            "huggingface.co: {repository} does not exist or is not public", repository=repository
        ) from error
    except OSError as error:
        raise ModelError("huggingface.co: {reason}", reason=str(error).splitlines()[0][:120]) from error


def is_verified(path: Path) -> bool:
    """Whether a cached file has its promised sha256, which is the name of every large file in the cache."""
    name = path.resolve().name
    return not re.fullmatch(r"[0-9a-f]{64}", name) or sha256_of(path) == name


def remove(repository: str) -> int:
    """Delete a repository from the cache; the number of bytes freed."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except CacheNotFound:
        return 0
    hashes = [
        revision.commit_hash
        for each in cache.repos
        if each.repo_id == repository and each.repo_type == "model"
        for revision in each.revisions
    ]
    plan = cache.delete_revisions(*hashes)
    plan.execute()
    return plan.expected_freed_size


def remove_file(repository: str, file: str) -> int:
    """Delete a file from the cache; the number of bytes freed."""
    if (path := cached_path(repository, file)) is None:
        return 0
    size = path.stat().st_size
    _delete(path)
    return size


def _check_connection(endpoint: str) -> None:
    """Raise ModelError at once without a network: huggingface_hub would try for half a minute."""
    import requests

    try:
        requests.head(endpoint, timeout=CONNECT_TIMEOUT)
    except requests.RequestException as error:
        raise ModelError("{host}: no connection", host=endpoint.split("/")[2]) from error


def _delete(path: Path) -> None:
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _progress_bar_class(model: str) -> type:
    """A class of progress bar for huggingface_hub that reports progress and draws nothing."""
    from huggingface_hub.utils import tqdm

    class ReportingBar(tqdm):
        def __init__(self, *args, **settings) -> None:
            super().__init__(*args, **{**settings, "file": io.StringIO(), "disable": False})
            report_download(DownloadProgress(model, int(self.n), self.total and int(self.total)))

        def update(self, count=1):
            shown = super().update(count)
            report_download(DownloadProgress(model, int(self.n), self.total and int(self.total)))
            return shown

    return ReportingBar

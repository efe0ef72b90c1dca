"""Uploaded picture sets for search: limited in size, separate per upload, deleted after a day at most."""

import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pixgen.errors import ClassifyError, PictureError, SearchError
from pixgen.images import LARGEST_UPLOAD, MAX_BYTES
from pixgen.paths import is_hidden
from pixgen.studio.storage import storage_errors, write_bytes
from pixgen.vision.images import SUFFIXES, PictureArchive, Skipped

MOST = 1000  # pictures per upload
KEPT_SECONDS = 86_400
KEPT_SETS = 40  # of all visitors together, so that the disk does not fill up
_NAME = re.compile(r"upload-[0-9a-f]{32}")
_UNSAFE = re.compile(r"[^\w.-]+")


def is_upload(name: str) -> bool:
    """Whether a collection of this name is an upload."""
    return _NAME.fullmatch(name) is not None


def keep_upload(
    paths: Sequence[Path],
    folder: Path,
    *,
    left_out: Callable[[Skipped], object] = lambda each: None,
) -> Path:
    """Copy pictures, and those in zips, into a new folder below ``folder`` with a secret name.

    Nothing is decoded here, and names in a zip are never used as paths.

    Args:
        left_out: called with each file that cannot be read.

    Raises SearchError if there are no pictures or too many, StorageError, and ClassifyError for a
    broken or hostile zip if it is the only file.
    """
    kept = folder / f"upload-{secrets.token_hex(16)}"
    with storage_errors(kept):
        kept.mkdir(parents=True)
    try:
        room, count = LARGEST_UPLOAD, 0
        for name, data in _pictures(paths, left_out):
            room, count = room - len(data), count + 1
            if room < 0 or count > MOST:
                raise SearchError(
                    "A set has at most {limit} pictures and {megabytes} MB: choose fewer.",
                    limit=MOST,
                    megabytes=LARGEST_UPLOAD // 2**20,
                )
            write_bytes(kept / f"{count:04d}-{_UNSAFE.sub('_', name)[-60:]}", data)
        if not count:
            raise SearchError("There are no pictures: choose PNG, JPEG or WebP files, or a zip of them.")
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    return kept


def old_uploads(folder: Path) -> list[Path]:
    """The uploads below ``folder`` that are older than a day, or beyond the newest forty."""
    if not folder.is_dir():
        return []
    sets = [path for path in folder.iterdir() if is_upload(path.name)]
    ages = {path: time.time() - path.lstat().st_mtime for path in sets}
    newest_first = sorted(sets, key=ages.__getitem__)
    return [
        path for place, path in enumerate(newest_first) if place >= KEPT_SETS or ages[path] > KEPT_SECONDS
    ]


def _pictures(paths: Sequence[Path], left_out: Callable[[Skipped], object]) -> Iterator[tuple[str, bytes]]:
    """The name and bytes of each file that is named like a picture; indexing reports broken ones."""
    for path in paths:
        if path.suffix.lower() == ".zip":
            try:
                archive = PictureArchive(path)
            except ClassifyError as error:
                if len(paths) == 1:
                    raise
                left_out(Skipped(path.name, error.message))
                continue
            for name in archive.names():
                try:
                    yield name.rpartition("/")[2], archive.read(name)
                except PictureError as error:
                    left_out(Skipped(name, error.message))
        elif path.suffix.lower() in SUFFIXES and not is_hidden(path.name):
            with storage_errors(path), path.open("rb") as file:
                yield path.name, file.read(MAX_BYTES + 1)

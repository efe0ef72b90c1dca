"""Download a file from one of several URLs: resumed after a break, verified by size and sha256, then moved into
place."""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pixgen.errors import ModelError, StorageError
from pixgen.messages import Message, _, join_messages
from pixgen.models.cache import check_disk_space, file_lock
from pixgen.models.progress import DownloadProgress, report_download

log = logging.getLogger(__name__)
ATTEMPTS = 3  # at one URL, each resumes the last
TIMEOUT = (10.0, 30.0)  # seconds to connect, and between two chunks
CHUNK = 1 << 20


class SourceUnavailable(ModelError):  # noqa: N818 - it says what it is
    """A URL does not serve the file; the next one may."""


@dataclass(frozen=True)
class PartialDownload:
    """Which file a partial download belongs to, so that no other file is appended to it."""

    url: str = ""
    mark: str = ""  # the server's ETag or date
    total: int | None = None


def download(
    urls: Sequence[str], target: Path, *, model: str, sha256: str = "", megabytes: int | None = None
) -> str:
    """Download a file unless it exists; the URL that served it, or an empty text.

    Args:
        urls: tried in turn.
        target: the file's path; ``.part`` beside it holds the download until it is complete and verified.
        model: the name of its model, for progress and messages.
        sha256: in hexadecimal digits; empty if it is not known.
        megabytes: its approximate size, to check the disk space first.

    Raises ModelError if no URL serves it or the disk is too full, StorageError if it cannot be written.
    """
    import requests  # here: most of the time everything is there

    with file_lock(target, model=model):
        if target.exists():
            return ""
        part = target.with_name(target.name + ".part")
        if megabytes is not None:
            have = part.stat().st_size if part.exists() else 0
            check_disk_space(max(0, megabytes * 10**6 - have), target.parent, model=model)
        reasons = []
        for url in urls:
            for attempt in range(ATTEMPTS):
                try:
                    _fetch(url, part, model=model)
                    _verify(part, sha256)
                    os.replace(part, target)
                    _sidecar(part).unlink(missing_ok=True)
                    return url
                except SourceUnavailable as error:
                    reasons.append(_("{host}: {reason}", host=_host(url), reason=error.message))
                    break
                except requests.RequestException as error:
                    log.info("%s broke off, attempt %d: %s", url, attempt + 1, error)
                    if attempt == ATTEMPTS - 1:
                        reasons.append(
                            _("{host}: {reason}", host=_host(url), reason=_connection_error(error))
                        )
                except OSError as error:
                    raise StorageError(
                        "“{model}” cannot be saved in {folder} ({reason}): free some space, or set "
                        "PIXGEN_CACHE to another folder.",
                        model=model,
                        folder=target.parent,
                        reason=error.strerror or str(error),
                    ) from error
        if not reasons:
            raise ModelError("no address is known")
        raise ModelError(join_messages(reasons, _("{first}; {second}")))


def _fetch(url: str, part: Path, *, model: str) -> None:
    """Complete a partial download; it resumes where it ended if the server's file is still the same."""
    import requests

    known = _read_sidecar(part)
    have = part.stat().st_size if part.exists() and known.url == url and known.mark else 0
    headers = {"User-Agent": "pixgen", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": known.mark}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416 and have and have == known.total:
            return
        if answer.status_code not in (200, 206):
            raise SourceUnavailable("returned {status}", status=answer.status_code)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise SourceUnavailable("returned a web page instead of the file")
        if answer.status_code == 200:
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        if total is not None:
            check_disk_space(total - have, part.parent, model=model)
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        # A weak ETag does not promise the same bytes, and If-Range does not accept it.
        _sidecar(part).write_text(
            json.dumps(asdict(PartialDownload(url, "" if mark.startswith("W/") else mark, total)))
        )
        with part.open("ab" if have else "wb") as file:
            report_download(DownloadProgress(model, have, total))
            for piece in answer.iter_content(CHUNK):
                file.write(piece)
                have += len(piece)
                report_download(DownloadProgress(model, have, total))
        if total is not None and have != total:
            raise requests.ConnectionError(f"{have} of {total} bytes came")


def _verify(part: Path, sha256: str) -> None:
    if sha256 and (found := sha256_of(part)) != sha256:
        part.unlink()
        raise SourceUnavailable(
            "gave another file (sha256 {found}… instead of {expected}…)",
            found=found[:12],
            expected=sha256[:12],
        )


def sha256_of(path: Path) -> str:
    """A file's sha256 in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sidecar(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_sidecar(part: Path) -> PartialDownload:
    try:
        return PartialDownload(**json.loads(_sidecar(part).read_text()))
    except (OSError, ValueError, TypeError):
        return PartialDownload()


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") >= 2 else url


def _connection_error(error: Exception) -> Message:
    return {
        "ConnectTimeout": _("no answer"),
        "ReadTimeout": _("stopped answering"),
        "ConnectionError": _("no connection"),
    }.get(type(error).__name__, _("the connection was lost"))

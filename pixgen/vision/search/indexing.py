"""Index a folder: bring a collection up to date with the files that are new, changed or deleted.

Pictures are decoded on several threads while the model embeds those before them, and are written in batches: after
an interruption, indexing resumes from the last complete batch.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pixgen.errors import PictureError
from pixgen.messages import _
from pixgen.vision.images import (
    OpenedPicture,
    PictureFile,
    Skipped,
    Unchanged,
    map_in_threads,
    open_file,
    printable_path,
    to_batch,
)
from pixgen.vision.search.collection import Collection, Row

if TYPE_CHECKING:
    from pixgen.models import Perceptor

log = logging.getLogger(__name__)

BATCH = 256  # pictures written at once, each batch as a file; at most one batch is lost when the process dies
MODEL_BATCH = 32  # pictures embedded at once
_TIDY_EVERY = 100  # batches: more small files make a search slow

DeviceTurn = Callable[[], AbstractContextManager]
FactsOf = Callable[[PictureFile], Mapping[str, Any]]
EmbeddedFile = tuple[OpenedPicture | Unchanged | Skipped, np.ndarray | None]  # with its unit vector (D,)
Reader = Callable[[Sequence[tuple[PictureFile, str]], Path], Iterator[list[EmbeddedFile]]]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of indexing. ``skipped`` lists the files that were skipped so far."""

    state: Literal["finding", "looking", "tidying", "done"]
    total: int = 0  # files to embed: new ones, and those with another size or time
    done: int = 0  # of them, embedded or skipped
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Files a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the rate so far; None at the start."""
        return (self.total - self.done) / self.rate if self.rate else None


def index_pictures(
    collection: Collection,
    files: Iterable[PictureFile | Skipped],
    perceptor: "Perceptor",
    *,
    folder: Path,
    turn: DeviceTurn = nullcontext,
    facts: FactsOf = lambda found: {},
    reader: Reader | None = None,
) -> Iterator[Progress]:
    """Bring a collection up to date with ``files``, and report progress; the last state is ``done``.

    Args:
        files: all files of the folder, from ``find_pictures``.
        folder: the base of the files' paths; nothing outside it is opened.
        turn: a context that waits for a turn on the device, entered for every batch.
        facts: additional fields of a file's row.
        reader: opens and embeds files in pieces of at most ``MODEL_BATCH``; by default ``read_files``.

    Files of unchanged size and time are skipped; for others with a known path, the sha256 decides. Files that are no
    pictures are listed as skipped. Raises SearchError, OutOfMemory.
    """
    begun, folder = perf_counter(), folder.resolve()
    progress = Progress(state="finding")
    yield progress
    known, wanted, skipped, there = collection.fingerprints(), [], [], set()
    for each in files:
        if isinstance(each, Skipped):
            skipped.append(each)
            continue
        if each.path != printable_path(each.path):  # not UTF-8, which the table requires
            skipped.append(
                Skipped(printable_path(each.path), _("It cannot be read: check its name and permissions."))
            )
            continue
        there.add(each.path)
        if known.get(each.path, ())[:2] != (each.size, each.modified):
            wanted.append(each)
    gone = known.keys() - there
    collection.remove(gone)
    progress = replace(
        progress,
        state="looking",
        total=len(wanted),
        removed=len(gone),
        skipped=tuple(skipped),
        unchanged=len(there) - len(wanted),
        seconds=perf_counter() - begun,
    )
    yield progress

    if reader is None:
        reader = partial(read_files, perceptor, turn=turn)
    to_read = [(found, _known_sha256(found, known)) for found in wanted]
    begun = perf_counter()
    batch: list[EmbeddedFile] = []
    batches = 0
    for piece in reader(to_read, folder):
        batch += piece
        if len(batch) >= BATCH or progress.done + len(piece) == progress.total:
            progress = _write_batch(batch, progress, collection, facts, known)
            batch, batches = [], batches + 1
            if batches % _TIDY_EVERY == 0:
                collection.compact()
        progress = replace(progress, done=progress.done + len(piece), seconds=perf_counter() - begun)
        yield progress
    if wanted or gone:
        yield replace(progress, state="tidying")
        collection.compact()
    yield replace(progress, state="done")


def read_files(
    perceptor: "Perceptor",
    wanted: Sequence[tuple[PictureFile, str]],
    folder: Path,
    *,
    turn: DeviceTurn = nullcontext,
) -> Iterator[list[EmbeddedFile]]:
    """Open files on threads and embed them with a perceptor, in pieces, as ``index_pictures`` does by default.

    Args:
        wanted: each file, with the sha256 that it had, or "".
    """

    def opened(item: tuple[PictureFile, str]) -> OpenedPicture | Unchanged | Skipped:
        return open_known_file(*item, folder=folder, side=perceptor.size)

    results = map_in_threads(opened, wanted, ahead=2 * BATCH)
    while piece := list(islice(results, min(MODEL_BATCH, BATCH))):
        vectors = iter(_embed([each for each in piece if isinstance(each, OpenedPicture)], perceptor, turn))
        yield [(each, next(vectors) if isinstance(each, OpenedPicture) else None) for each in piece]


def open_known_file(
    found: PictureFile, sha256: str, *, folder: Path, side: int
) -> OpenedPicture | Unchanged | Skipped:
    """Open a file as ``open_file`` does; one that is no picture is returned with the reason."""
    try:
        return open_file(found, folder, side=side, known=sha256)
    except PictureError as error:
        return Skipped(found.path, error.message)
    except Exception:  # one bad file must not stop the indexing, whatever the decoder raises
        log.exception("a picture could not be opened")
        return Skipped(found.path, _("It cannot be opened."))


def _known_sha256(found: PictureFile, known: Mapping[str, Any]) -> str:
    """The sha256 that a file had, if its size is still the same; else empty."""
    size, _modified, sha256 = known.get(found.path, (None, None, ""))
    return sha256 if size == found.size else ""


def _write_batch(
    embedded: list[EmbeddedFile],
    progress: Progress,
    collection: Collection,
    facts: FactsOf,
    known: Mapping[str, Any],
) -> Progress:
    """Write a batch of files to the collection; the progress after it."""
    batch = [each for each, _vector in embedded]
    vectors = [vector for _each, vector in embedded if vector is not None]
    seen = [each for each in batch if isinstance(each, OpenedPicture)]
    same = {each.found.path: each.found.modified for each in batch if isinstance(each, Unchanged)}
    skipped = tuple(each for each in batch if isinstance(each, Skipped))
    rows = [
        Row(
            path=each.found.path,
            size=each.found.size,
            modified=each.found.modified,
            sha256=each.sha256,
            width=each.width,
            height=each.height,
            **facts(each.found),
        )
        for each in seen
    ]
    replaced = {row.path for row in rows if row.path in known}
    collection.remove(replaced | {each.path for each in skipped if each.path in known})
    if rows:
        collection.add(rows, np.stack(vectors))
    if same:
        collection.touch(same)
    return replace(
        progress,
        added=progress.added + len(rows) - len(replaced),
        changed=progress.changed + len(replaced),
        unchanged=progress.unchanged + len(same),
        skipped=progress.skipped + skipped,
    )


def _embed(seen: list[OpenedPicture], perceptor: "Perceptor", turn: DeviceTurn) -> list[np.ndarray]:
    """Embed opened pictures as unit vectors ``(D,)``."""
    import torch

    if not seen:
        return []
    squares = to_batch([each.pixels for each in seen], perceptor.device)
    with turn(), torch.no_grad():
        return list(perceptor.embed_images(squares).cpu().numpy())

"""Bringing a collection up to date with its files: what is new, changed or gone, and nothing else.

Pictures are opened on several threads while the model looks at those before them, and are written a
batch at a time: whoever is stopped goes on where the last whole batch was written.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
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

BATCH = 256  # pictures written at once: one file each time, and what a kill can lose
MODEL_BATCH = 32  # pictures that the model sees at once
_TIDY_EVERY = 100  # batches: so many small files make a search slow

DeviceTurn = Callable[[], AbstractContextManager]
FactsOf = Callable[[PictureFile], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an indexing is. ``skipped`` lists the files that were left out so far."""

    state: Literal["finding", "looking", "tidying", "done"]
    total: int = 0  # files to be looked at: those that are new or seem changed
    done: int = 0  # of them, looked at or skipped
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
        """At the rate so far; None before anything is known."""
        return (self.total - self.done) / self.rate if self.rate else None


def index_pictures(
    collection: Collection,
    files: Iterable[PictureFile | Skipped],
    perceptor: "Perceptor",
    *,
    folder: Path,
    turn: DeviceTurn = nullcontext,
    facts: FactsOf = lambda found: {},
) -> Iterator[Progress]:
    """Bring a collection up to date with ``files``; the last progress is ``done``.

    Args:
        files: everything that there is, as ``reading.find_pictures`` tells it.
        folder: what the files' paths are below; no picture outside it is opened.
        turn: a context in which the device is ours, entered anew for every look.
        facts: more fields of a file's row.

    Files whose size and time are known are left alone; of others with a known path, the bytes' hash
    decides. What is no picture is skipped and listed. Raises SearchError, OutOfMemory.
    """
    begun, folder = perf_counter(), folder.resolve()
    progress = Progress(state="finding")
    yield progress
    known, wanted, skipped, there = collection.fingerprints(), [], [], set()
    for each in files:
        if isinstance(each, Skipped):
            skipped.append(each)
            continue
        if each.path != printable_path(each.path):  # no UTF-8, in which the collection writes it
            skipped.append(
                Skipped(printable_path(each.path), _("It cannot be read: check its name and rights."))
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

    def opened(found: PictureFile) -> OpenedPicture | Unchanged | Skipped:
        size, _modified, sha256 = known.get(found.path, (None, None, ""))
        try:
            return open_file(found, folder, side=perceptor.size, known=sha256 if size == found.size else "")
        except PictureError as error:
            return Skipped(found.path, error.message)
        except Exception:  # a file that breaks a decoder in a new way must not end the work
            log.exception("a picture could not be opened")
            return Skipped(found.path, _("It cannot be opened."))

    results = map_in_threads(opened, wanted, ahead=2 * BATCH)
    begun = perf_counter()
    batch, vectors, batches = [], [], 0
    while piece := list(islice(results, min(MODEL_BATCH, BATCH - len(batch)))):
        batch += piece
        vectors += _embed([each for each in piece if isinstance(each, OpenedPicture)], perceptor, turn)
        if len(batch) >= BATCH or progress.done + len(piece) == progress.total:
            progress = _write_batch(batch, vectors, progress, collection, facts, known)
            batch, vectors, batches = [], [], batches + 1
            if batches % _TIDY_EVERY == 0:
                collection.compact()
        progress = replace(progress, done=progress.done + len(piece), seconds=perf_counter() - begun)
        yield progress
    if wanted or gone:
        yield replace(progress, state="tidying")
        collection.compact()
    yield replace(progress, state="done")


def _write_batch(
    batch: list[OpenedPicture | Unchanged | Skipped],
    vectors: list[np.ndarray],
    progress: Progress,
    collection: Collection,
    facts: FactsOf,
    known: Mapping[str, Any],
) -> Progress:
    """Write what has come of a batch of files; the progress after it."""
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
    """A unit vector ``(D,)`` of each opened picture."""
    import torch

    if not seen:
        return []
    squares = to_batch([each.pixels for each in seen], perceptor.device)
    with turn(), torch.no_grad():
        return list(perceptor.embed_images(squares).cpu().numpy())

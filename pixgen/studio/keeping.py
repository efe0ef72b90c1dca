"""What a public studio keeps of strangers' runs, so that no disk fills: the newest, and every favourite."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pixgen.errors import PixgenError
from pixgen.studio import bin as paper_bin
from pixgen.studio.catalogue_rows import Entry, Wanted
from pixgen.studio.limits import Keep
from pixgen.studio.runs import ENDED

if TYPE_CHECKING:
    from pathlib import Path

    from pixgen.studio.gallery import Gallery

log = logging.getLogger(__name__)


class Keeper:
    """Removes for good, after each picture, the runs that a limit no longer keeps; those in the bin first
    of equal ones. Never a favourite, nor one that is being painted."""

    def __init__(self, gallery: "Gallery", keep: Keep) -> None:
        self._gallery, self._keep = gallery, keep
        self._lock = threading.Lock()  # one thread tidies
        self._sizes: dict[str, int] = {}

    def follow(self) -> None:
        """Tidy now, and whenever the studio has painted a picture; where everything is kept, do nothing."""
        if self._keep == Keep():
            return
        self.tidy()
        self._gallery.studio.after_each(lambda job: self.tidy())

    def tidy(self) -> list[str]:
        """Remove what is not kept any more; the ids of what was removed."""
        removed = []
        with self._lock:
            self._gallery.catalogue.synchronise()
            entries = self._gallery.catalogue.find(Wanted(binned=None))
            for entry in self._beyond(entries):
                try:
                    paper_bin.remove(entry.folder(self._gallery.studio.folder))
                    removed.append(entry.id)
                except PixgenError as error:  # somebody goes on with it at this moment
                    log.info("not removed: %s", error)
            self._sizes = {
                each.id: self._sizes[each.id] for each in entries if each.id in self._sizes
            }
        if removed:
            log.info("removed %d runs that are not kept any more", len(removed))
        return removed

    def _beyond(self, newest_first: list[Entry]) -> Iterator[Entry]:
        keep, now = self._keep, datetime.now().astimezone()
        oldest = now - timedelta(days=keep.days) if keep.days is not None else None
        space, count = 0, Counter[str]()
        for entry in sorted(newest_first, key=lambda entry: entry.binned):  # stable
            count[entry.owner] += 1
            if keep.space is not None:
                space += self._size(entry)
            gone = (
                (oldest is not None and entry.started < oldest)
                or (keep.runs is not None and count[entry.owner] > keep.runs)
                or (keep.space is not None and space > keep.space)
            )
            if gone and not entry.favourite and entry.state in ENDED:
                yield entry

    def _size(self, entry: Entry) -> int:
        """The bytes of a run's files, looked up once when it has ended."""
        if entry.id not in self._sizes or entry.state not in ENDED:
            self._sizes[entry.id] = _bytes(entry.folder(self._gallery.studio.folder))
        return self._sizes[entry.id]


def _bytes(folder: "Path") -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # gone at this moment
            continue
    return total

"""Retention of runs: limits on age, number and disk space, and the removal of runs beyond them."""

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pixgen.errors import PixgenError, StudioError
from pixgen.studio.gallery.entries import Entry, RunFilter
from pixgen.studio.runs.run import FINAL_STATES

if TYPE_CHECKING:
    from pathlib import Path

    from pixgen.studio.gallery.gallery import Gallery


PUBLIC_KEEP = "30 days, 200 runs, 20 GB"  # a run takes 1 to 3 MB
MOST_FAVOURITES = 50  # of an owner, that outlast the limits
_UNITS = {"days": 1, "runs": 1, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_LIMIT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(days?|runs?|mb|gb|tb)")


@dataclass(frozen=True, kw_only=True)
class RetentionLimits:
    """How long runs are kept; None is no limit.

    Args:
        days: the age in days.
        runs: how many of the newest runs per owner.
        space: the bytes of all runs together.
    """

    days: float | None = None
    runs: int | None = None
    space: int | None = None


def parse_retention(text: str) -> RetentionLimits:
    """Parse limits such as ``30 days, 200 runs, 20 GB``, or ``all``. Raises StudioError.

    >>> parse_retention("30 days, 2 GB")
    RetentionLimits(days=30.0, runs=None, space=2000000000)
    """
    limits: dict[str, float] = {}
    for part in [] if text.strip().lower() == "all" else text.split(","):
        found = _LIMIT.fullmatch(part.strip().lower())
        if found is None:
            raise StudioError(
                "“{part}” is not a retention limit: write for example “{public_keep}”, or “all”.",
                part=part.strip()[:40],
                public_keep=PUBLIC_KEEP,
            )
        unit = next(unit for unit in _UNITS if unit.startswith(found[2]))
        name = unit if unit in ("days", "runs") else "space"
        limits[name] = float(found[1]) * _UNITS[unit]
    whole = {name: int(limits[name]) for name in ("runs", "space") if name in limits}
    return RetentionLimits(days=limits.get("days"), **whole)


log = logging.getLogger(__name__)


class Retention:
    """Deletes runs beyond the limits after each job, runs in the trash first. Never deletes a run that is being
    painted, nor the newest favourites of an owner: as many as ``MOST_FAVOURITES``, in half of the space."""

    def __init__(self, gallery: "Gallery", keep: RetentionLimits) -> None:
        self._gallery, self._keep = gallery, keep
        self._lock = threading.Lock()  # one thread removes runs at a time
        self._sizes: dict[str, int] = {}

    def follow(self) -> None:
        """Remove expired runs now and after each job; does nothing without limits."""
        if self._keep == RetentionLimits():
            return
        self.remove_expired()
        self._gallery.studio.on_job_end(lambda job: self.remove_expired())

    def remove_expired(self) -> list[str]:
        """Delete the runs beyond the limits; returns their ids."""
        removed = []
        with self._lock:
            self._gallery.synchronise()
            entries = self._gallery.catalogue.find(RunFilter(trashed=None))
            for entry in self._to_remove(entries):
                try:
                    self._gallery.remove(entry)
                    removed.append(entry.id)
                except PixgenError as error:  # it is being resumed at this moment
                    log.info("not removed: %s", error)
            self._sizes = {each.id: self._sizes[each.id] for each in entries if each.id in self._sizes}
        if removed:
            log.info("removed %d runs that are not kept any more", len(removed))
        return removed

    def _to_remove(self, newest_first: list[Entry]) -> Iterator[Entry]:
        keep, now = self._keep, datetime.now().astimezone()
        oldest = now - timedelta(days=keep.days) if keep.days is not None else None
        space, count = 0, Counter[str]()
        favourites, favourite_space = Counter[str](), 0
        for entry in sorted(newest_first, key=lambda entry: entry.trashed):  # stable
            count[entry.owner] += 1
            if keep.space is not None:
                space += self._size(entry)
            gone = (
                (oldest is not None and entry.started < oldest)
                or (keep.runs is not None and count[entry.owner] > keep.runs)
                or (keep.space is not None and space > keep.space)
            )
            if gone and entry.favourite:
                favourites[entry.owner] += 1
                favourite_space += self._size(entry) if keep.space is not None else 0
                gone = favourites[entry.owner] > MOST_FAVOURITES or (
                    keep.space is not None and favourite_space > keep.space / 2
                )
            if gone and entry.state in FINAL_STATES:
                yield entry

    def _size(self, entry: Entry) -> int:
        """The bytes of a run's files, looked up once after its end."""
        if entry.id not in self._sizes or entry.state not in FINAL_STATES:
            folder, store = entry.folder(self._gallery.studio.folder), self._gallery.studio.store
            self._sizes[entry.id] = max(_bytes(folder), 0 if store is None else store.size_of(folder))
        return self._sizes[entry.id]


def _bytes(folder: "Path") -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # gone at this moment
            continue
    return total

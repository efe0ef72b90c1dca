"""Who looks at the page: the seat that a browser keeps, by which a reloaded page finds its job again.

A seat is ``{"visitor": …, "job": …, "seed": …}``.
"""

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pixgen.errors import StudioError
from pixgen.studio import Job, Run, Studio

Enter = Callable[[], Callable[[], bool]]

_OPEN_PAGES = 1000  # that are remembered


class Pages:
    """Which watcher of an open page is the newest: what an older one has to show is out of date."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: OrderedDict[str, object] = OrderedDict()

    def enter(self, page: str | None) -> Callable[[], bool]:
        """A new watcher of a page, by its session; what it returns says whether it is still the newest."""
        mark, page = object(), page or ""
        with self._lock:
            self._newest[page] = mark
            self._newest.move_to_end(page)
            if len(self._newest) > _OPEN_PAGES:
                self._newest.popitem(last=False)
        return lambda: self._newest.get(page, mark) is mark


def _alone() -> Callable[[], bool]:
    return lambda: True


@dataclass(frozen=True)
class Visitor:
    """Who looks: the seat that the browser sent, and the name of a person who has logged in.

    ``enter`` is called when something is begun to be watched for this visitor; what it returns says
    whether that is still what their page shows.
    """

    seat: Mapping[str, str]
    username: str = ""
    enter: Enter = _alone

    @classmethod
    def known(cls, seat: Any, username: str | None, *, enter: Enter = _alone) -> "Visitor":
        """From the seat's JSON that a browser sent, which may be anything."""
        try:
            sent = json.loads(seat)
        except (TypeError, ValueError, RecursionError):
            sent = None
        sent = sent if isinstance(sent, dict) else {}
        kept = {key: sent[key] for key in ("visitor", "job", "seed") if _is_name(sent.get(key))}
        return cls({"visitor": secrets.token_urlsafe(16), **kept}, username or "", enter)

    @property
    def owner(self) -> str:
        """The name under which the studio counts and keeps this visitor's jobs."""
        return self.username or self.seat["visitor"]

    def job(self, studio: Studio) -> Job | None:
        """The visitor's last job, if it is known and theirs."""
        return self.own(studio, self.seat.get("job", ""))

    def own(self, studio: Studio, run_id: str) -> Job | None:
        """The job of that name, if it is known and theirs."""
        job = studio.job(run_id)
        return job if job is not None and job.owner == self.owner else None

    def run(self, studio: Studio) -> Run | None:
        """The visitor's last run on disk, if it is there and theirs."""
        try:
            run = studio.run(self.seat.get("job", ""))
        except StudioError:
            return None
        return run if run.owner == self.owner else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w-]{1,64}", value, re.ASCII) is not None

"""Who has asked to stop what was begun, by the browser's session."""

# MERGED pixgen.ui.visitors: Who looks at the page: the seat that a browser keeps, by which a reloaded page finds its job again.
#
#   A seat is ``{"visitor": …, "job": …, "seed": …}``.
import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pixgen.errors import StudioError
from pixgen.studio import Job, Run, Studio


@dataclass
class Cancellations:
    """Who wants to stop, by session. Any thread may call."""

    _asked: dict[str, threading.Event] = field(default_factory=dict)

    def begin(self, session: str) -> threading.Event:
        """A new event for what a session begins now; what it had begun before stops."""
        self.stop(session)
        self._asked[session] = threading.Event()
        return self._asked[session]

    @contextmanager
    def held(self, session: str) -> Iterator[threading.Event]:
        """``begin`` for as long as the block runs; set when it ends, also because the browser has gone."""
        event = self.begin(session)
        try:
            yield event
        finally:
            event.set()
            self.end(session, event)

    def stop(self, session: str) -> None:
        """Ask what a session has begun to stop."""
        event = self._asked.get(session)
        if event is not None:
            event.set()

    def end(self, session: str, event: threading.Event) -> None:
        """What was begun with the event has ended."""
        if self._asked.get(session) is event:
            del self._asked[session]


_OPEN_PAGES = 1000  # that are remembered


class Watchers:
    """Who watches for which open page, by its session. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: OrderedDict[str, object] = OrderedDict()

    def enter(self, session: str) -> object:
        """A new watcher of a page: a mark, with which it asks whether it still is the newest."""
        mark = object()
        with self._lock:
            self._newest[session] = mark
            self._newest.move_to_end(session)
            if len(self._newest) > _OPEN_PAGES:
                self._newest.popitem(last=False)
        return mark

    def newest(self, session: str, mark: object) -> bool:
        """Whether no other has come since: what an older one has to show is out of date."""
        return self._newest.get(session) is mark

    def leave(self, session: str, mark: object) -> None:
        """A watcher goes."""
        with self._lock:
            if self._newest.get(session) is mark:
                del self._newest[session]

    def watched(self, session: str) -> bool:
        """Whether somebody watches for the page."""
        return session in self._newest


@dataclass(frozen=True)
class BrowserSession:
    """Who looks: the seat that the browser sent, and the name of a person who has logged in.

    ``session`` names the open page, one of ``pages``.
    """

    seat: Mapping[str, str]
    username: str = ""
    pages: Watchers = field(default_factory=Watchers)
    session: str = ""

    @classmethod
    def known(
        cls,
        seat: Any,
        username: str | None,
        *,
        pages: Watchers | None = None,
        session: str | None = "",
    ) -> "BrowserSession":
        """From the seat's JSON that a browser sent, which may be anything."""
        try:
            sent = json.loads(seat)
        except (TypeError, ValueError, RecursionError):
            sent = None
        sent = sent if isinstance(sent, dict) else {}
        kept = {key: sent[key] for key in ("visitor", "job", "seed") if _is_name(sent.get(key))}
        return cls(
            {"visitor": secrets.token_urlsafe(16), **kept},
            username or "",
            pages or Watchers(),
            session or "",
        )

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

    def newest(self, mark: object) -> bool:
        """Whether the watcher with this mark is the newest of the visitor's page."""
        return self.pages.newest(self.session, mark)

    def run(self, studio: Studio) -> Run | None:
        """The visitor's last run on disk, if it is there and theirs."""
        try:
            run = studio.run(self.seat.get("job", ""))
        except StudioError:
            return None
        return run if run.owner == self.owner else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w-]{1,64}", value, re.ASCII) is not None

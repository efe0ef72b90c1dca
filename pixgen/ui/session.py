"""Browser sessions: the visitor of a page, cancellation flags, and the newest watcher of each open page.

A browser keeps ``{"visitor": …, "signature": …, "job": …, "seed": …}``, by which a reloaded page finds its job again.
"""

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import gradio as gr

from pixgen.errors import StudioError
from pixgen.studio import Job, Run, Studio
from pixgen.studio.owners import Owner, program_owner, visitor_owner
from pixgen.text_files import parse_json
from pixgen.ui.protection.logins import login_of
from pixgen.ui.protection.visitors import client_address, is_signed, sign_visitor

_MOST_PAGES = 1000  # open pages that are remembered


@dataclass
class Cancellations:
    """Cancellation flags, one per open page. Any thread may call any method."""

    _flags: dict[str, threading.Event] = field(default_factory=dict)

    def begin(self, page: str) -> threading.Event:
        """A new flag for the work that a page starts; its earlier work is cancelled."""
        self.stop(page)
        self._flags[page] = threading.Event()
        return self._flags[page]

    @contextmanager
    def cancellable(self, page: str) -> Iterator[threading.Event]:
        """A flag for the length of a block; set when the block ends, also when the browser disconnects."""
        flag = self.begin(page)
        try:
            yield flag
        finally:
            flag.set()
            self.end(page, flag)

    def stop(self, page: str) -> None:
        """Cancel the work that a page has started."""
        flag = self._flags.get(page)
        if flag is not None:
            flag.set()

    def end(self, page: str, flag: threading.Event) -> None:
        """Forget a flag whose work has ended, unless the page has started something else since."""
        if self._flags.get(page) is flag:
            del self._flags[page]


class Watchers:
    """The newest watcher of each open page: two streams must not update one page. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._newest: OrderedDict[str, object] = OrderedDict()

    def enter(self, page: str) -> object:
        """Register a new watcher of a page; returns its id for ``is_newest`` and ``leave``."""
        mark = object()
        with self._lock:
            self._newest[page] = mark
            self._newest.move_to_end(page)
            if len(self._newest) > _MOST_PAGES:
                self._newest.popitem(last=False)
        return mark

    def enter_first(self, page: str) -> object | None:
        """Register a watcher of a page that has none; None if it has one."""
        with self._lock:
            return None if page in self._newest else self.enter(page)

    @contextmanager
    def watching(self, page: str) -> Iterator[object]:
        """A new watcher of a page for the length of a block; yields its id."""
        mark = self.enter(page)
        try:
            yield mark
        finally:
            self.leave(page, mark)

    def is_newest(self, page: str, mark: object) -> bool:
        """Whether no newer watcher has registered; an older one would show outdated screens."""
        return self._newest.get(page) is mark

    def leave(self, page: str, mark: object) -> None:
        """Remove a watcher, if it is still the newest."""
        with self._lock:
            if self._newest.get(page) is mark:
                del self._newest[page]

    def watched(self, page: str) -> bool:
        """Whether this page has a watcher."""
        return page in self._newest


@dataclass(frozen=True)
class BrowserSession:
    """A visitor of the page.

    Args:
        stored: what their browser keeps: ``visitor`` with its ``signature`` and, after a first picture, ``job``
            and ``seed``.
        login: of a person who has logged in, else None.
        address: that the request came from, if it is known.
        watchers: of all open pages.
        page: this open page, by gradio's session hash.
    """

    stored: Mapping[str, str]
    login: Owner | None = None
    watchers: Watchers = field(default_factory=Watchers)
    page: str = ""
    address: str = ""

    @classmethod
    def from_request(
        cls, text: object, request: gr.Request, *, watchers: Watchers | None = None
    ) -> "BrowserSession":
        """From the JSON text that a browser sent with a request."""
        return cls.from_browser(
            text,
            login_of(request),
            watchers=watchers,
            page=request.session_hash,
            address=client_address(request),
        )

    @classmethod
    def from_browser(
        cls,
        text: object,
        login: Owner | None,
        *,
        watchers: Watchers | None = None,
        page: str | None = "",
        address: str = "",
    ) -> "BrowserSession":
        """From the JSON text that a browser sent, which may be anything; a new visitor if it is not valid, or
        its id was not given out here."""
        try:
            sent = parse_json(text)  # type: ignore[arg-type]
        except (TypeError, ValueError, RecursionError):
            sent = None
        sent = sent if isinstance(sent, dict) else {}
        kept = {key: sent[key] for key in ("visitor", "job", "seed") if _is_name(sent.get(key))}
        if "visitor" not in kept or not is_signed(kept["visitor"], sent.get("signature")):
            kept["visitor"] = secrets.token_urlsafe(16)
        stored = {**kept, "signature": sign_visitor(kept["visitor"])}
        return cls(stored, login, watchers or Watchers(), page or "", address)

    @property
    def owner(self) -> Owner:
        """The name under which the studio counts and keeps this visitor's jobs."""
        if self.login is not None:
            return self.login
        return visitor_owner(self.stored["visitor"], address=self.address)

    def with_job(self, run_id: str, *, seed: int) -> str:
        """The JSON that the browser stores so that the Create tab shows this run."""
        return json.dumps({**self.stored, "job": run_id, "seed": str(seed)})

    def job(self, studio: Studio) -> Job | None:
        """The visitor's last job, if it exists and belongs to them."""
        return self.find_job(studio, self.stored.get("job", ""))

    def find_job(self, studio: Studio, run_id: str) -> Job | None:
        """The job with this id, if it exists and belongs to the visitor."""
        job = studio.job(run_id)
        return job if job is not None and job.owner == self.owner else None

    def is_newest(self, mark: object) -> bool:
        """Whether the watcher with this id is the newest of the visitor's page."""
        return self.watchers.is_newest(self.page, mark)

    def run(self, studio: Studio) -> Run | None:
        """The visitor's last run on disk, if it exists and belongs to them."""
        try:
            run = studio.run(self.stored.get("job", ""))
        except StudioError:
            return None
        return run if run.owner == self.owner else None


def owner_of(request: gr.Request) -> Owner:
    """The owner of what a program paints and finds through an endpoint."""
    if (login := login_of(request)) is not None:
        return login
    return program_owner(str(request.session_hash)[:64], address=client_address(request))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w-]{1,64}", value, re.ASCII) is not None

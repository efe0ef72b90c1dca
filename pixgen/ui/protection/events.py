"""What browsers and programs send as events: the values in them, which may be anything, and the queue in which they wait.

gradio's queue keeps whatever a browser does not read, of any number of streams, and a table of the last 10,000 events from
which it makes statistics after each event. ``BoundedQueue`` does neither.
"""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage, ProcessCompletedMessage
from gradio.utils import LRUCache
from starlette.requests import Request

from pixgen.errors import PixgenError
from pixgen.ui.i18n import ENGLISH, LANGUAGES
from pixgen.ui.protection.visitors import scope_address

MOST_EVENTS_OF_ADDRESS = 40  # a stranger's: running, waiting, or with an end that was not read yet
_MOST_UNREAD = 100  # messages of a page, some 20 seconds of a picture's updates
_UNREAD_SECONDS = 60.0  # after which nobody is expected to read them any more
_SWEEP_SECONDS = 5.0
Number = TypeVar("Number", int, float)


def event_value(event: object, name: str) -> Any:
    """A value that the page's own HTML sends with an event; None if it was not sent."""
    try:
        return getattr(event, name)
    except (AttributeError, TypeError):
        return None


def read_form_number(value: Any, kind: Callable[[float], Number], *, name: str) -> Number:
    """A finite number in a form. Raises PixgenError, which names the field, for anything else."""
    try:
        number = float(value)
        if math.isfinite(number):
            return kind(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise PixgenError("“{name}” must be a number: write one, or leave the field empty.", name=name)


class BoundedQueue(Queue):
    """gradio's queue of events, which forgets what nobody reads.

    A page that has more than ``_MOST_UNREAD`` messages to read, or has read none for ``_UNREAD_SECONDS``, loses its
    events. On a page for strangers, a network address has at most ``MOST_EVENTS_OF_ADDRESS``.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.ANALYTICS_MAX_EVENTS = 0  # statistics that nobody sees, made anew after each event
        self.pending_messages_per_session = _Mailboxes(self.pending_messages_per_session.max_size)
        self._sessions_of_address: dict[str, dict[str, str]] = defaultdict(dict)  # by the ids of events
        self._next_sweep = 0.0

    async def push(
        self, body: PredictBodyInternal, request: Request, username: str | None
    ) -> tuple[bool, Any, Any]:
        """As gradio's: add an event; returns whether it was added, its id or why it was not, and the kind of that."""
        if time.monotonic() > self._next_sweep:
            self._next_sweep = time.monotonic() + _SWEEP_SECONDS
            await self._forget_unread()
        fn = self.blocks.fns.get(body.fn_index)
        say = LANGUAGES.get(getattr(fn, "page", ""), ENGLISH)
        if self.max_size is not None and len(self) >= self.max_size:
            return False, say("Too many people use this page now: try again in a minute."), "queue_full"
        if not getattr(self.blocks, "public", False):
            return await super().push(body, request, username)
        open_events = self._open_events(address := scope_address(request.scope))
        if len(open_events) >= MOST_EVENTS_OF_ADDRESS:
            text = say(
                "Too much at once from your network: close other tabs of this page, or try again in a minute."
            )
            return False, text, "queue_full"
        added, event, kind = await super().push(body, request, username)
        if added and event in self.event_ids_to_events:
            open_events[event] = self.event_ids_to_events[event].session_hash
        if not open_events:
            self._sessions_of_address.pop(address, None)
        return added, event, kind

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """As gradio's: put a message into the mailbox of an event's page. An event whose mailbox is full ends."""
        mailbox = self.pending_messages_per_session.get(event.session_hash)
        if mailbox is None:
            event.alive = False
        elif event.alive and mailbox.qsize() >= _MOST_UNREAD:
            while not mailbox.empty():
                mailbox.get_nowait()
            super().send_message(event, ProcessCompletedMessage(output={"error": None}, success=False))
            event.alive = False
        else:
            super().send_message(event, event_message)

    def _open_events(self, address: str) -> dict[str, str]:
        """The sessions of an address's events that have not ended or whose end was not read, by their ids."""
        events = self._sessions_of_address[address]
        for event, session in list(events.items()):
            if event not in self.pending_event_ids_session.get(session, ()):
                del events[event]
        return events

    async def _forget_unread(self) -> None:
        """Forget pages whose events have all ended, or that have not read for too long."""
        now = time.monotonic()
        for session, mailbox in list(self.pending_messages_per_session.items()):
            is_unread = now - mailbox.last_read > _UNREAD_SECONDS
            if is_unread or not self.pending_event_ids_session.get(session):
                del self.pending_messages_per_session[session]
        for session in set(self.pending_event_ids_session) - set(self.pending_messages_per_session):
            await self.clean_events(session_hash=session)
            self.pending_event_ids_session.pop(session, None)
        for address in list(self._sessions_of_address):
            if not self._open_events(address):
                del self._sessions_of_address[address]


class _Mailbox(asyncio.Queue):
    """The messages for a page, and when it last waited for one."""

    def __init__(self) -> None:
        super().__init__()
        self.last_read = time.monotonic()

    async def get(self) -> Any:
        self.last_read = time.monotonic()
        return await super().get()


class _Mailboxes(LRUCache):
    """A mailbox for each page, which it has from the first message on."""

    def __setitem__(self, session: str, _: object) -> None:
        super().__setitem__(session, _Mailbox())

    def __delitem__(self, session: str) -> None:
        self.pop(session, None)

"""Who has asked to stop what was begun, by the browser's session."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Stops:
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

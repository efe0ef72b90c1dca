"""Whose turn it is on a device: paintings one after the other, short work between two steps."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any


class FairLock:
    """A lock that is handed over in the order of asking; a context manager.

    A painting takes it anew for every step. With an ordinary lock it would get it back at once each
    time, and whoever else asks would wait for the last step.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking: deque[object] = deque()  # the first one holds the lock

    def __enter__(self) -> "FairLock":
        mark = object()
        with self._changed:
            self._asking.append(mark)
            try:
                self._changed.wait_for(lambda: self._asking[0] is mark)
            except BaseException:  # Ctrl-C: nobody is to wait for one who has gone
                self._asking.remove(mark)
                self._changed.notify_all()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._asking.popleft()
            self._changed.notify_all()


class Line:
    """Members in the order in which they came; the first one's turn lasts until it leaves."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._members: list[Any] = []

    def join(self, member: Any) -> None:
        """Stand behind the others."""
        with self._changed:
            self._members.append(member)

    def wait(self, member: Any, *, until: Callable[[], bool]) -> bool:
        """Wait for the member's turn, or ``until`` is true when the line moves; whether it is its turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._members[0] is member or until())
            return self._members[0] is member and not until()

    def wake(self) -> None:
        """Let everyone who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def leave(self, member: Any) -> None:
        """Go, from wherever in the line."""
        with self._changed:
            self._members = [each for each in self._members if each is not member]
            self._changed.notify_all()

    def place(self, member: Any) -> int:
        """How many are before the member; 0 for the first, and for one who has left."""
        with self._changed:
            return next((place for place, each in enumerate(self._members) if each is member), 0)

    def members(self) -> list[Any]:
        """Everyone, the first one first."""
        with self._changed:
            return list(self._members)

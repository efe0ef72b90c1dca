"""Whose turn it is on a device: paintings one after the other, short work between two steps."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Member = TypeVar("Member")


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


class JobQueue(Generic[Member]):
    """Members in the order in which they came. The first who does not rest gets the turn when nobody
    has it, and has it until it leaves or rests."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._members: list[Member] = []
        self._resting: list[Member] = []
        self._turn: Member | None = None

    def join(self, member: Member) -> None:
        """Stand behind the others."""
        with self._changed:
            self._members.append(member)

    def wait(self, member: Member, *, until: Callable[[], bool]) -> bool:
        """Wait for the member's turn, or ``until`` is true when the line moves; whether it has the turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._may(member) or until())
            if until() or not self._may(member):
                return False
            self._turn = member
            return True

    def wake(self) -> None:
        """Let everyone who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def leave(self, member: Member) -> None:
        """Go, from wherever in the line."""
        with self._changed:
            self._members = [each for each in self._members if each is not member]
            self._resting = [each for each in self._resting if each is not member]
            self._yield(member)

    def rest(self, member: Member) -> None:
        """Keep the place, and let others go first until ``wake_up``."""
        with self._changed:
            if not _has(self._resting, member):
                self._resting.append(member)
            self._changed.notify_all()

    def resume(self, member: Member) -> None:
        """Wait for the turn again."""
        with self._changed:
            self._resting = [each for each in self._resting if each is not member]
            self._changed.notify_all()

    def is_paused(self, member: Member) -> bool:
        """Whether the member lets others go first."""
        with self._changed:
            return _has(self._resting, member)

    def yield_device(self, member: Member) -> None:
        """Let the next have the turn, if the member has it, and stay in the line."""
        with self._changed:
            self._yield(member)

    def exchange(self, member: Member, other: Member) -> None:
        """Let two who wait change places; nothing if one of them is not in the line, or has the turn."""
        with self._changed:
            if self._turn is member or self._turn is other:
                return
            places = {id(each): place for place, each in enumerate(self._members)}
            if id(member) in places and id(other) in places:
                one, two = places[id(member)], places[id(other)]
                self._members[one], self._members[two] = other, member
                self._changed.notify_all()

    def place(self, member: Member) -> int:
        """How many are before the member; 0 for the first, for who has the turn, and for one who has left.

        Who rests is passed over, and counts for nobody else.
        """
        with self._changed:
            if self._turn is member or not _has(self._members, member):
                return 0
            before = self._members[: _index(self._members, member)]
            count = sum(each is self._turn or not _has(self._resting, each) for each in before)
            behind = self._turn is not None and not _has(before, self._turn)
            return count + behind

    def members(self) -> list[Member]:
        """Everyone, the first one first."""
        with self._changed:
            return list(self._members)

    def _may(self, member: Member) -> bool:
        if self._turn is not None:
            return self._turn is member
        first = next((each for each in self._members if not _has(self._resting, each)), None)
        return first is member

    def _yield(self, member: Member) -> None:
        if self._turn is member:
            self._turn = None
        self._changed.notify_all()


def _has(members: Sequence[Member], member: Member) -> bool:
    return any(each is member for each in members)


def _index(members: Sequence[Member], member: Member) -> int:
    return next(place for place, each in enumerate(members) if each is member)

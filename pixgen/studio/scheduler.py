"""Scheduling on one device: a queue for whole jobs, and a fair lock for short work between two steps."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Member = TypeVar("Member")


class FairLock:
    """A first-come, first-served lock; a context manager.

    A job takes it for every step. An ordinary lock would go straight back to that job each time, and
    other threads would wait until its last step.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tickets: deque[object] = deque()  # the first one holds the lock

    def __enter__(self) -> "FairLock":
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
            try:
                self._changed.wait_for(lambda: self._tickets[0] is ticket)
            except BaseException:  # Ctrl-C: a cancelled waiter must not block the queue
                self._tickets.remove(ticket)
                self._changed.notify_all()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._tickets.popleft()
            self._changed.notify_all()


class JobQueue(Generic[Member]):
    """A first-come, first-served queue. The first member that is not paused gets the turn when it is free,
    and keeps it until it leaves or yields it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._members: list[Member] = []
        self._paused: list[Member] = []
        self._turn: Member | None = None

    def join(self, member: Member) -> None:
        """Add a member at the end."""
        with self._changed:
            self._members.append(member)

    def wait(self, member: Member, *, until: Callable[[], bool]) -> bool:
        """Wait for the turn, or until ``until()`` is true; returns whether the member has the turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._can_start(member) or until())
            if until() or not self._can_start(member):
                return False
            self._turn = member
            return True

    def notify(self) -> None:
        """Make waiting members check their ``until`` again."""
        with self._changed:
            self._changed.notify_all()

    def leave(self, member: Member) -> None:
        """Remove a member from the queue, wherever it is."""
        with self._changed:
            self._members = [each for each in self._members if each is not member]
            self._paused = [each for each in self._paused if each is not member]
            self._release_turn(member)

    def pause(self, member: Member) -> None:
        """Let others go first until ``resume``; the member keeps its position."""
        with self._changed:
            if not _contains(self._paused, member):
                self._paused.append(member)
            self._changed.notify_all()

    def resume(self, member: Member) -> None:
        """End a pause."""
        with self._changed:
            self._paused = [each for each in self._paused if each is not member]
            self._changed.notify_all()

    def is_paused(self, member: Member) -> bool:
        """Whether a member is paused."""
        with self._changed:
            return _contains(self._paused, member)

    def yield_device(self, member: Member) -> None:
        """Give up the turn, if the member has it, and stay in the queue."""
        with self._changed:
            self._release_turn(member)

    def swap(self, member: Member, other: Member) -> None:
        """Swap two waiting members; does nothing if one of them is not in the queue, or has the turn."""
        with self._changed:
            if self._turn is member or self._turn is other:
                return
            places = {id(each): place for place, each in enumerate(self._members)}
            if id(member) in places and id(other) in places:
                one, two = places[id(member)], places[id(other)]
                self._members[one], self._members[two] = other, member
                self._changed.notify_all()

    def position(self, member: Member) -> int:
        """How many members are ahead; 0 for the one with the turn and for one that has left.

        Paused members are not counted.
        """
        with self._changed:
            if self._turn is member or not _contains(self._members, member):
                return 0
            before = self._members[: _index(self._members, member)]
            count = sum(each is self._turn or not _contains(self._paused, each) for each in before)
            behind = self._turn is not None and not _contains(before, self._turn)
            return count + behind

    def members(self) -> list[Member]:
        """All members, in order."""
        with self._changed:
            return list(self._members)

    def _can_start(self, member: Member) -> bool:
        if self._turn is not None:
            return self._turn is member
        first = next((each for each in self._members if not _contains(self._paused, each)), None)
        return first is member

    def _release_turn(self, member: Member) -> None:
        if self._turn is member:
            self._turn = None
        self._changed.notify_all()


def _contains(members: Sequence[Member], member: Member) -> bool:
    return any(each is member for each in members)


def _index(members: Sequence[Member], member: Member) -> int:
    return next(place for place, each in enumerate(members) if each is member)

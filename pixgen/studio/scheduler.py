"""Scheduling: a queue that gives whole jobs their turns on workers, and a fair lock of one device for short work
between two steps."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

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
    """A queue for one worker or several. A free worker takes the first member that is not paused, of those whose
    owner has the fewest turns at that moment; with one worker, that is first come, first served. A member keeps
    its turn until it leaves or yields it.

    Args:
        owner: whose member it is.
        stopped: whether a member is to end without another turn; ``notify`` says that it may have changed.
        fits: whether a worker can take a member.
    """

    def __init__(
        self,
        *,
        owner: Callable[[Member], str] = lambda member: "",
        stopped: Callable[[Member], bool] = lambda member: False,
        fits: Callable[[Any, Member], bool] = lambda worker, member: True,
    ) -> None:
        self._owner, self._stopped, self._fits = owner, stopped, fits
        self._changed = threading.Condition()
        self._workers = 1
        self._members: list[Member] = []
        self._paused: list[Member] = []
        self._turns: list[Member] = []  # the members that have one, the earliest first

    @property
    def workers(self) -> int:
        """How many members can have a turn at once."""
        return self._workers

    @workers.setter
    def workers(self, count: int) -> None:
        with self._changed:
            self._workers = count
            self._changed.notify_all()

    def join(self, member: Member) -> None:
        """Add a member at the end."""
        with self._changed:
            self._members.append(member)
            self._changed.notify_all()

    def take(self, worker: object = None, *, until: Callable[[], bool] = lambda: False) -> Member | None:
        """Wait for a member that this worker can take, and give it the turn; None once ``until()`` is true."""
        with self._changed:
            while not until():
                ready = [each for each in self._ready() if self._fits(worker, each)]
                if ready:
                    member = self._fairest(ready, self._turns)
                    self._turns.append(member)
                    return member
                self._changed.wait()
            return None

    def take_stopped(self, *, until: Callable[[], bool] = lambda: False) -> Member | None:
        """Wait for a member that was stopped while it had no turn; None once ``until()`` is true."""
        with self._changed:
            while not until():
                for member in self._members:
                    if self._stopped(member) and not _contains(self._turns, member):
                        self._turns.append(member)
                        return member
                self._changed.wait()
            return None

    def notify(self) -> None:
        """Make waiting workers look again."""
        with self._changed:
            self._changed.notify_all()

    def leave(self, member: Member) -> None:
        """Remove a member from the queue, wherever it is."""
        with self._changed:
            self._members = _without(self._members, member)
            self._paused = _without(self._paused, member)
            self._turns = _without(self._turns, member)
            self._changed.notify_all()

    def pause(self, member: Member) -> None:
        """Let others go first until ``resume``; the member keeps its position."""
        with self._changed:
            if not _contains(self._paused, member):
                self._paused.append(member)
            self._changed.notify_all()

    def resume(self, member: Member) -> None:
        """End a pause."""
        with self._changed:
            self._paused = _without(self._paused, member)
            self._changed.notify_all()

    def is_paused(self, member: Member) -> bool:
        """Whether a member is paused."""
        with self._changed:
            return _contains(self._paused, member)

    def yield_turn(self, member: Member) -> None:
        """Give up the turn, if the member has it, and stay in the queue."""
        with self._changed:
            self._turns = _without(self._turns, member)
            self._changed.notify_all()

    def swap(self, member: Member, other: Member) -> None:
        """Swap two waiting members; does nothing if one of them is not in the queue, or has the turn."""
        with self._changed:
            if _contains(self._turns, member) or _contains(self._turns, other):
                return
            places = {id(each): place for place, each in enumerate(self._members)}
            if id(member) in places and id(other) in places:
                one, two = places[id(member)], places[id(other)]
                self._members[one], self._members[two] = other, member
                self._changed.notify_all()

    def position(self, member: Member) -> int:
        """How many members must end before its turn; 0 for one with a turn and for one that has left.

        Paused members are not counted.
        """
        with self._changed:
            if _contains(self._turns, member) or not _contains(self._members, member):
                return 0
            return max(0, self._ahead(member) - (self._workers - 1))

    def expected_order(self) -> list[Member]:
        """All members that are not paused, those with a turn first, in the order in which their turns are
        expected to begin."""
        with self._changed:
            return self._expected_order(self._ready())

    def members(self) -> list[Member]:
        """All members, in order."""
        with self._changed:
            return list(self._members)

    def _ready(self) -> list[Member]:
        """The members that a worker may take."""
        return [
            each
            for each in self._members
            if not (_contains(self._turns, each) or _contains(self._paused, each) or self._stopped(each))
        ]

    def _fairest(self, ready: Sequence[Member], turns: Sequence[Member]) -> Member:
        counts = Counter(self._owner(each) for each in turns)
        return min(ready, key=lambda each: counts[self._owner(each)])  # the first of several

    def _ahead(self, member: Member) -> int:
        """How many members begin before this one, if it is not paused or as soon as it is not."""
        ready = [
            each
            for each in self._members
            if not _contains(self._turns, each) and (each is member or not _contains(self._paused, each))
        ]
        return _index(self._expected_order(ready), member)

    def _expected_order(self, ready: Sequence[Member]) -> list[Member]:
        """As if turns ended in the order in which they began, the earliest first."""
        if self._workers == 1:
            return [*self._turns, *ready]
        order, waiting = list(self._turns), list(ready)
        while waiting:
            beside = order[max(0, len(order) - self._workers + 1) :]
            order.append(self._fairest(waiting, beside))
            waiting = _without(waiting, order[-1])
        return order


def _without(members: Sequence[Member], member: Member) -> list[Member]:
    return [each for each in members if each is not member]


def _contains(members: Sequence[Member], member: Member) -> bool:
    return any(each is member for each in members)


def _index(members: Sequence[Member], member: Member) -> int:
    return next(place for place, each in enumerate(members) if each is member)

"""Whose turn it is."""

import threading

import pytest

from pixgen.studio.scheduler import FairLock, JobQueue


def test_the_lock_is_handed_over_in_the_order_of_asking():
    lock, order, threads = FairLock(), [], []
    with lock:
        for number in range(5):
            asking = len(lock._tickets)
            threads.append(threading.Thread(target=lambda n=number: take(lock, order, n)))
            threads[-1].start()
            while len(lock._tickets) == asking:
                pass
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def take(lock, order, number):
    with lock:
        order.append(number)


def test_whoever_takes_the_lock_again_and_again_does_not_starve_others():
    lock, done = FairLock(), threading.Event()
    visitor = threading.Thread(target=lambda: take(lock, [], 0) or done.set())
    turns = 0
    with lock:
        visitor.start()
        while len(lock._tickets) < 2:
            pass
    while not done.is_set():
        with lock:
            turns += 1
    assert turns < 1000


def test_an_error_hands_the_lock_over():
    lock = FairLock()
    with pytest.raises(KeyError), lock:
        raise KeyError
    with lock:
        pass


def test_the_line_keeps_its_order_and_closes_up():
    line, (first, second, third) = JobQueue(), (object(), object(), object())
    for member in (first, second, third):
        line.join(member)
    assert [line.position(member) for member in (first, second, third)] == [0, 1, 2]
    line.leave(first)
    assert [line.position(member) for member in (first, second, third)] == [0, 0, 1]
    line.leave(object())
    assert line.members() == [second, third]


def test_waiting_ends_with_a_turn_or_with_giving_up():
    line, gone, (first, second) = JobQueue(), threading.Event(), (object(), object())
    line.join(first)
    assert line.take() is first
    turns = []
    waiting = threading.Thread(target=lambda: turns.append(line.take(until=gone.is_set)))
    waiting.start()
    gone.set()
    line.notify()
    waiting.join(10)
    assert turns == [None]
    line.join(second)
    assert line.take(until=lambda: False) is second


def test_a_member_that_was_stopped_gets_no_turn_and_is_ended():
    stopped = [2]
    line = JobQueue(stopped=lambda number: number in stopped)
    for number in (1, 2, 3):
        line.join(number)
    assert [line.take(), line.take_stopped(), line.take()] == [1, 2, 3]
    stopped.append(3)
    line.yield_turn(3)
    assert line.take_stopped() == 3


def turns(line, workers, count):
    """The names of the members that get the first turns, when the one with the earliest turn ends first."""
    line.workers = workers
    running, order = [], []
    while len(order) < count:
        while len(running) < min(workers, len(line.members())):
            running.append(line.take())
            order.append(running[-1])
        line.leave(running.pop(0))
    return order[:count]


def test_one_worker_goes_by_the_order_alone():
    line = JobQueue(owner=lambda name: name[0])
    for name in ("a1", "a2", "a3", "b1", "c1"):
        line.join(name)
    assert turns(line, 1, 5) == ["a1", "a2", "a3", "b1", "c1"]


def test_several_workers_are_shared_fairly_among_people():
    line = JobQueue(owner=lambda name: name[0])
    for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1"):
        line.join(name)
    line.workers = 2
    expected = line.expected_order()
    assert turns(line, 2, 7) == expected == ["a1", "b1", "a2", "b2", "a3", "c1", "a4"]


def test_places_count_those_who_must_end_first():
    line = JobQueue()
    line.workers = 2
    members = [object() for _ in range(5)]
    for member in members:
        line.join(member)
    assert [line.take(), line.take()] == members[:2]
    assert [line.position(member) for member in members] == [0, 0, 1, 2, 3]
    line.leave(members[1])
    assert [line.position(member) for member in members] == [0, 0, 0, 1, 2]


def test_a_worker_takes_only_what_fits():
    line = JobQueue(fits=lambda worker, size: size <= worker)
    for size in (3, 1, 2):
        line.join(size)
    assert [line.take(2), line.take(2), line.take(9)] == [1, 2, 3]

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


def test_waiting_ends_with_the_turn_or_with_giving_up():
    line, gone, (first, second) = JobQueue(), threading.Event(), (object(), object())
    line.join(first)
    line.join(second)
    turns = []
    waiting = threading.Thread(target=lambda: turns.append(line.wait(second, until=gone.is_set)))
    waiting.start()
    gone.set()
    line.notify()
    waiting.join(10)
    assert turns == [False]
    assert line.wait(first, until=lambda: False)

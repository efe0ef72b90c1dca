"""Watching without a thread: what streams show, and what they hold while they wait."""

import asyncio
import threading
import time

import pytest
from anyio import to_thread

from pixgen.recipe.recipe import make_recipe
from pixgen.studio.status import WatchPoint, leave_pause, watch_points
from pixgen.ui.streaming import job_end, without_thread


def a_recipe(**fields):
    return make_recipe({"prompts": "a fox", "width": 32, "height": 32, "steps": 6}, fields)


@pytest.fixture
def gated(make_studio):
    """A studio whose jobs wait for ``open``, and the event."""
    gate = threading.Event()
    studio = make_studio(gate=gate)
    yield studio, gate
    gate.set()


def states_of(job, **how):
    for status in job.watch(**how):
        yield status.state


async def collect(stream):
    return [item async for item in stream]


def test_a_stream_shows_what_the_generator_yields(studio):
    job = studio.submit(a_recipe())
    states = asyncio.run(collect(without_thread(states_of)(job, rate=1e6)))
    assert states[-1] == "done"
    assert "painting" in states or len(states) == 1


def test_a_hundred_watchers_hold_no_thread_while_they_wait(gated):
    studio, gate = gated
    job = studio.submit(a_recipe())

    async def watch_all():
        before = threading.active_count()
        streams = [asyncio.create_task(collect(without_thread(states_of)(job))) for _ in range(100)]
        ends = [asyncio.create_task(job_end(job)) for _ in range(50)]
        await asyncio.sleep(0.5)
        # Threads of the pool stay for a while: none of them may be busy.
        first = asyncio.get_running_loop().time()
        await asyncio.to_thread(int)
        assert asyncio.get_running_loop().time() - first < 1
        assert job._watchers == 150
        gate.set()
        shown = await asyncio.gather(*streams)
        await asyncio.gather(*ends)
        return threading.active_count() - before, shown

    threads, shown = asyncio.run(watch_all())
    assert threads <= 45  # anyio's pool of 40, and asyncio's for this test
    assert all(states[-1] == "done" for states in shown)
    assert job._watchers == 0


def test_a_pause_of_a_hundred_streams_holds_no_thread():
    def pausing():
        assert leave_pause(0.6)
        yield "first"
        yield "second"

    async def watch_all():
        streams = [asyncio.create_task(collect(without_thread(pausing)())) for _ in range(100)]
        await asyncio.sleep(0.3)
        first = asyncio.get_running_loop().time()
        await to_thread.run_sync(int)  # of the pool that streams use
        assert asyncio.get_running_loop().time() - first < 0.2
        return await asyncio.gather(*streams)

    assert asyncio.run(watch_all()) == [["first", "second"]] * 100
    assert not leave_pause(1)  # nobody waits elsewhere here


def test_waiting_for_the_next_status_blocks_no_thread(gated):
    """When the wait on the event loop is over, ``watch`` has the next status at once."""
    studio, gate = gated
    job = studio.submit(a_recipe())
    points: list[WatchPoint] = []
    token = watch_points.set(points)
    try:
        statuses = job.watch(rate=4)
        next(statuses)
        point = points.pop()
        assert point.job is job
        time.sleep(max(0.0, point.late - time.monotonic()))
        began = time.monotonic()
        next(statuses)
        assert time.monotonic() - began < 0.5
    finally:
        watch_points.reset(token)
        statuses.close()


def test_a_stream_that_is_left_lets_go_of_its_job(gated):
    studio, _ = gated
    job = studio.submit(a_recipe())

    async def leave():
        stream = without_thread(states_of)(job)
        await anext(stream)
        assert job._watchers == 1
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.aclose()

    asyncio.run(leave())
    assert job._watchers == 0
    assert job._listeners == []


def test_an_error_of_the_generator_is_the_streams(studio):
    def broken():
        yield 1
        raise ValueError("broken")

    async def read(seen):
        async for item in without_thread(broken)():
            seen.append(item)

    seen: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(read(seen))
    assert seen == [1]

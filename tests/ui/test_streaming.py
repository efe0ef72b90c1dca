"""Watching without a thread: what streams show, and what they hold while they wait."""

import asyncio
import threading
import time

import gradio as gr
import pytest
from anyio import to_thread
from gradio.data_classes import PredictBodyInternal
from gradio.server_messages import ProcessGeneratingMessage
from starlette.requests import Request

from pixgen.recipe.recipe import make_recipe
from pixgen.studio.status import WatchPoint, leave_pause, watch_points
from pixgen.ui import streaming
from pixgen.ui.blocks import LightBlocks
from pixgen.ui.streaming import MOST_EVENTS_OF_ADDRESS, job_end, without_thread


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


def push_with(page, *, fn, session, address="203.0.113.5"):
    """Add an event to a page's queue as a request of this address does."""
    body = PredictBodyInternal(data=[], fn_index=fn, session_hash=session, request=None)
    request = Request({"type": "http", "client": (address, 1), "headers": []})
    return page._queue.push(body, request, None)


@pytest.fixture
def counting_page():
    """A page for strangers with one queued event, whose queue works nothing off."""
    with LightBlocks() as page:
        number = gr.Number()
        number.change(lambda value: value, number, number)
    page.public = True
    page.queue(max_size=60)
    return page, next(iter(page.fns))


def test_an_address_has_a_bounded_number_of_events(counting_page):
    page, fn = counting_page

    async def crowd():
        return [
            await push_with(page, fn=fn, session=f"s{number}") for number in range(MOST_EVENTS_OF_ADDRESS + 5)
        ]

    answers = asyncio.run(crowd())
    assert [added for added, *_ in answers] == [True] * MOST_EVENTS_OF_ADDRESS + [False] * 5
    assert "from your network" in answers[-1][1]
    assert asyncio.run(push_with(page, fn=fn, session="other", address="203.0.113.6"))[0]
    page._queue.max_size = 3
    assert "Too many people" in asyncio.run(push_with(page, fn=fn, session="x", address="203.0.113.7"))[1]


def test_an_address_may_send_again_when_the_ends_were_read(counting_page):
    page, fn = counting_page
    queue = page._queue

    async def one_after_another():
        for number in range(3 * MOST_EVENTS_OF_ADDRESS):
            added, event, _ = await push_with(page, fn=fn, session=f"s{number}")
            assert added
            await queue.remove_from_queue(event)
            queue.pending_event_ids_session[f"s{number}"].remove(event)  # as gradio does when its end is read
            queue._next_sweep = 0.0

    asyncio.run(one_after_another())
    assert len(queue.pending_event_ids_session) <= 1
    assert len(queue.pending_messages_per_session) <= 1
    assert not queue.event_analytics


def test_pages_that_read_nothing_lose_their_events(counting_page, monkeypatch):
    page, fn = counting_page
    queue = page._queue

    async def ignore():
        _, unread, _ = await push_with(page, fn=fn, session="unread")
        _, full, _ = await push_with(page, fn=fn, session="full")
        event = queue.event_ids_to_events[full]
        for _number in range(1000):
            queue.send_message(event, ProcessGeneratingMessage(output={"data": ["x"]}, success=True))
        assert not event.alive
        last = queue.pending_messages_per_session["full"].get_nowait()
        assert (last.msg, last.success) == ("process_completed", False)
        assert queue.pending_messages_per_session["full"].empty()
        monkeypatch.setattr(streaming, "_UNREAD_SECONDS", -1.0)
        await queue._forget_unread()
        assert unread not in queue.event_ids_to_events

    asyncio.run(ignore())
    assert not queue.pending_messages_per_session
    assert not queue.pending_event_ids_session
    assert not queue._sessions_of_address
    assert not len(queue)

"""The queue of events: what one address and a page that reads nothing may hold of it."""

import asyncio

import gradio as gr
import pytest
from gradio.data_classes import PredictBodyInternal
from gradio.server_messages import ProcessGeneratingMessage
from starlette.requests import Request

from pixgen.ui.blocks import LightBlocks
from pixgen.ui.protection import events
from pixgen.ui.protection.events import MOST_EVENTS_OF_ADDRESS


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
        monkeypatch.setattr(events, "_UNREAD_SECONDS", -1.0)
        await queue._forget_unread()
        assert unread not in queue.event_ids_to_events

    asyncio.run(ignore())
    assert not queue.pending_messages_per_session
    assert not queue.pending_event_ids_session
    assert not queue._sessions_of_address
    assert not len(queue)

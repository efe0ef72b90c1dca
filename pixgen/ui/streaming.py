"""Streams that hold no thread: what lets hundreds of people watch pictures on one page.

In gradio, a generator of updates that watches a job occupies a thread while it waits. Here it waits on the event loop and
takes a thread only for the moment in which the next update is made.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from functools import wraps
from typing import Any

from anyio import CancelScope, to_thread

from pixgen.studio import Job
from pixgen.studio.status import Pause, WatchPoint, watch_points

_END = object()


def without_thread(handler: Callable[..., Iterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    """Decorate an event's generator that watches jobs by ``Job.watch``: it becomes an asynchronous one."""

    @wraps(handler)
    async def stream(*given: Any, **named: Any) -> AsyncIterator[Any]:
        updates, points = handler(*given, **named), []
        try:
            while True:
                if points:
                    await _next_status(points.pop())
                context = copy_context()  # of this moment: gradio's own values are in it
                context.run(watch_points.set, points)
                update = await to_thread.run_sync(context.run, next, updates, _END)
                if update is _END:
                    return
                yield update
        finally:
            with CancelScope(shield=True):  # also when the browser has gone
                await to_thread.run_sync(updates.close)

    return stream


async def job_end(job: Job) -> None:
    """Wait until a job has ended, as one who watches it."""
    with job.watched():
        while not job.ended:
            await _wait(job, lambda: job.ended, until=None)


async def _next_status(point: WatchPoint | Pause) -> None:
    """Wait until ``watch`` would have a new status at once, or for the time of a pause."""
    if isinstance(point, Pause):
        await asyncio.sleep(point.seconds)
        return
    job = point.job
    await _wait(job, lambda: job.ended, until=point.due)
    await _wait(job, lambda: job.has_news(point.seen), until=point.late)


async def _wait(job: Job, ready: Callable[[], bool], *, until: float | None) -> None:
    changed, loop = asyncio.Event(), asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed: the page ends
            loop.call_soon_threadsafe(changed.set)

    with job.listening(wake):
        while not ready():
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            try:
                await asyncio.wait_for(changed.wait(), left)
            except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
                return
            changed.clear()

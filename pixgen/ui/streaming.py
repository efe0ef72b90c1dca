"""What lets hundreds of people use one page: streams that hold no thread, and sessions that copy no page.

In gradio, a generator of updates that watches a job occupies a thread while it waits. Here it waits on the event loop and
takes a thread only for the moment in which the next update is made. And gradio describes every component anew for each
browser, for its own deep links, which this page does not use: that took half of a busy server's time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from functools import wraps
from types import SimpleNamespace
from typing import Any, cast

from anyio import CancelScope, to_thread
from gradio.blocks import Blocks, BlocksConfig
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

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


@asynccontextmanager
async def light_sessions(app: App) -> AsyncIterator[None]:
    """The lifespan of a gradio app: its sessions describe no components."""
    app.state_holder = _LightSessions()
    app.state_holder.set_blocks(app.get_blocks())
    yield


class _LightSessions(StateHolder):
    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _light_session(self.blocks)
        return super().__getitem__(session_id)


class _LightConfig(BlocksConfig):
    """Components and events as in the page, without the descriptions that a session keeps for deep links."""

    def __copy__(self) -> "_LightConfig":
        return _lighten(super().__copy__())

    @staticmethod
    def config_for_block(*_: Any, **__: Any) -> dict[str, Any]:
        return {}


def _lighten(config: BlocksConfig) -> _LightConfig:
    light = _LightConfig(config.root_block)
    vars(light).update(vars(config))
    return light


def _light_session(page: Blocks) -> SessionState:
    without = SimpleNamespace(default_config=_lighten(page.default_config), blocks={})
    return SessionState(cast(Blocks, without))


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

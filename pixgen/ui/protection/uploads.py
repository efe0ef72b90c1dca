"""Bounds what strangers send: requests at once, the silence within one, and uploads by address and in all. Of uploads,
the oldest files go first, and none that was just used."""

import asyncio
import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from anyio import to_thread
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixgen.images import LARGEST_UPLOAD
from pixgen.ui.protection.visitors import ignore_refusal, scope_address

MOST_BYTES = 4 * 2**30  # of all files that browsers sent or were sent
MOST_BYTES_OF_ADDRESS = 2**30  # a day
_USED_WITHIN = 3600.0  # seconds since it was last served or sent, in which a file may be on a screen
_DAY = 86_400.0
_MOST_ADDRESSES = 10_000
_ENVELOPE = 2**20  # bytes of a request beside its files
MOST_REQUESTS = 150  # of one network address at once; an open page has two streams, and some while it loads
LONGEST_SILENCE = 30.0  # seconds between two parts of a request's body


class RequestLimits:
    """ASGI middleware that bounds requests which are open at once, and ends those whose body stops coming.

    Args:
        most: open requests of one network address, streams of events among them.
        silence: seconds until the next part of a body has to come.
        refuse: called with "requests" whenever one is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int = MOST_REQUESTS,
        silence: float = LONGEST_SILENCE,
        refuse: Callable[[str], object] = ignore_refusal,
    ) -> None:
        self._app, self._most, self._silence, self._report = app, most, silence, refuse
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = scope_address(scope)
        if self._open[address] >= self._most:
            self._report("requests")
            detail = (
                "Too much at once from your network: close other tabs of this page, or try again in a minute."
            )
            await JSONResponse({"detail": detail}, 429, {"retry-after": "60"})(scope, receive, send)
            return
        # gradio looks whether a stream's reader has gone by a ``receive`` that it cancels at once: nothing may wait there.
        is_complete = scope["method"] in ("GET", "HEAD")

        async def receive_in_time() -> Message:
            nonlocal is_complete
            if is_complete:  # only the end of the connection is left to come
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._silence)
            except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
                return {"type": "http.disconnect"}
            is_complete = not message.get("more_body", False)
            return message

        self._open[address] += 1
        try:
            await self._app(scope, receive_in_time, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


class UploadLimits:
    """ASGI middleware that bounds uploads.

    Args:
        folder: where gradio keeps what is uploaded and what it serves.
        most: the bytes of all files there.
        most_of_address: the bytes that may come from one network address a day.
        refuse: called with "upload" whenever one is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        folder: Path,
        most: int = MOST_BYTES,
        most_of_address: int = MOST_BYTES_OF_ADDRESS,
        refuse: Callable[[str], object] = ignore_refusal,
    ) -> None:
        self._app, self._folder, self._most, self._most_of_address = app, folder, most, most_of_address
        self._report = refuse
        self._sent: OrderedDict[str, tuple[float, int]] = OrderedDict()  # when a day began, and its bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith("/upload"):
            await self._app(scope, receive, send)
            return
        address, received = scope_address(scope), 0
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        size = int(announced) if announced.isdigit() and len(announced) < 16 else 0
        problem = ""
        if size > LARGEST_UPLOAD + _ENVELOPE:
            problem = f"Too much at once: upload at most {LARGEST_UPLOAD // 2**20} MB."
        elif self._bytes_of(address) + size > self._most_of_address:
            problem = "Your network has uploaded too much today: try again tomorrow."
        elif not await to_thread.run_sync(make_space, self._folder, self._most - max(size, _ENVELOPE)):
            problem = "The server has no space for more files now: try later."
        if problem:
            self._report("upload")
            await JSONResponse({"detail": problem}, 413)(scope, receive, send)
            return

        async def receive_and_count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_UPLOAD + _ENVELOPE:  # of one who did not announce it
                return {"type": "http.disconnect"}
            return message

        try:
            await self._app(scope, receive_and_count, send)
        finally:
            self._add(address, received)

    def _bytes_of(self, address: str) -> int:
        began, count = self._sent.get(address, (0.0, 0))
        return count if time.monotonic() - began < _DAY else 0

    def _add(self, address: str, count: int) -> None:
        before = self._bytes_of(address)
        began = self._sent[address][0] if before else time.monotonic()
        self._sent[address] = (began, before + count)
        self._sent.move_to_end(address)
        if len(self._sent) > _MOST_ADDRESSES:
            self._sent.popitem(last=False)


def make_space(folder: Path, most: int) -> bool:
    """Delete the files of a folder that were used the longest ago until they take at most ``most`` bytes;
    returns whether they do. Files that were used in the last hour stay."""
    files = list(_files(folder))
    total = sum(size for _, size, _ in files)
    for used, size, path in sorted(files):
        if total <= most or time.time() - used < _USED_WITHIN:
            break
        try:
            os.unlink(path)
        except OSError:  # gone at this moment
            continue
        total -= size
    return total <= most


def _files(folder: Path) -> Iterator[tuple[float, int, str]]:
    """When each file was last used, its bytes, and its path; links are left out."""
    for root, _folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            try:
                facts = os.lstat(path)
            except OSError:  # gone at this moment
                continue
            yield max(facts.st_atime, facts.st_mtime), facts.st_size, path

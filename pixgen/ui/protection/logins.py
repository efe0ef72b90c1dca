"""Who has logged in, by a password of this page or with Hugging Face; and delays for wrong passwords, so that they
cannot be tried by the thousand."""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr
from gradio import utils
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixgen.studio.owners import Owner, hugging_face_owner, login_owner
from pixgen.ui.protection.visitors import ignore_refusal, scope_address

_FREE_TRIES = 3  # wrong ones, before any delay
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 8.0  # seconds
_MOST_WRONG = 20  # from one address; then it has to wait for the end of the window
_WINDOW = 900.0  # seconds after the last wrong login, in which it counts
_MOST_ADDRESSES = 10_000
_MOST_WAITING = 50  # logins that are delayed at once
_OAUTH = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET")  # what Hugging Face sets for such a Space


def offers_hugging_face() -> bool:
    """Whether people can sign in with Hugging Face: on a Space whose README says ``hf_oauth: true``.

    Elsewhere gradio would sign in everybody as the account of the host, and without a secret it would sign the cookie
    with a key that everybody knows.
    """
    return bool(utils.get_space()) and all(os.environ.get(name) for name in _OAUTH)


def login_of(request: gr.Request) -> Owner | None:
    """The owner that a person who has logged in is; None for others."""
    if request.username:
        return login_owner(request.username)
    name = _hugging_face_name(request) if offers_hugging_face() else ""
    return hugging_face_owner(name) if name else None


def _hugging_face_name(request: gr.Request) -> str:
    """The name in the session cookie that gradio signs; empty without one, or after it has expired."""
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    account = scope.get("session", {}).get("oauth_info") or {}
    if account.get("expires_at", float("inf")) < time.time():
        return ""
    return str(account.get("userinfo", {}).get("preferred_username") or "")


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0


class LoginDelay:
    """ASGI middleware that delays logins from an address after wrong ones, and refuses them after twenty.

    Args:
        refuse: called with "login" whenever one is refused.
    """

    def __init__(self, app: ASGIApp, *, refuse: Callable[[str], object] = ignore_refusal) -> None:
        self._app, self._report = app, refuse
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        if not is_post or not scope["path"].rstrip("/").endswith("/login"):  # gradio answers at /login/ too
            await self._app(scope, receive, send)
            return
        address = scope_address(scope)
        wrong = self._count(address)
        if wrong >= _MOST_WRONG or self._waiting >= _MOST_WAITING:
            self._report("login")
            await _refuse(scope, receive, send)
            return
        self._add_wrong(address)  # until its answer says that it was right: others may come meanwhile
        if delay := login_delay(wrong):
            self._waiting += 1
            try:
                await asyncio.sleep(delay)
            finally:
                self._waiting -= 1

        async def send_and_clear(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self._failures.pop(address, None)
            await send(message)

        await self._app(scope, receive, send_and_clear)

    def _count(self, address: str) -> int:
        failures = self._failures.get(address)
        if failures is None or time.monotonic() - failures.last > _WINDOW:
            return 0
        return failures.count

    def _add_wrong(self, address: str) -> None:
        self._failures[address] = _Failures(self._count(address) + 1, time.monotonic())
        self._failures.move_to_end(address)
        if len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)


def login_delay(wrong: int) -> float:
    """Seconds before a login is looked at, after so many wrong ones: doubled each time, from half a second.

    >>> [login_delay(wrong) for wrong in (0, 2, 3, 4, 5, 50)]
    [0.0, 0.0, 0.5, 1.0, 2.0, 8.0]
    """
    if wrong < _FREE_TRIES:
        return 0.0
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(wrong - _FREE_TRIES, 10))


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse(
        {"detail": "Too many wrong logins: try again in a quarter of an hour."},
        429,
        {"retry-after": f"{_WINDOW:.0f}"},
    )
    await answer(scope, receive, send)

"""What holds for every answer: headers that tell browsers what the page may load and who may show it in a frame, a log
of failures without what was sent, and no answer from endpoints of gradio's that a public page has no use for."""

import logging
import os
import re

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

# Hugging Face shows a Space in a frame of its own site.
_SPACE_FRAMES = "https://huggingface.co https://*.huggingface.co https://*.hf.space"
# They fetch addresses, give any file to ffmpeg, take uploads that are not counted, or keep pages for links.
_NOT_OFFERED = re.compile(
    r"/file[=/]https?:|/proxy=|/pwa_icon/|/(?:process_recording|component_server|deep_link|dev/reload)/?$"
)
# They name the address that the request gave, which a cache must not hand to others.
_OF_ONE_REQUEST = (b"text/html", b"application/json")


def security_headers(*, in_space: bool) -> list[tuple[bytes, bytes]]:
    """The headers of every answer. Scripts may be inline and evaluated, as gradio's own are."""
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "connect-src": "'self' data: blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": f"'self' {_SPACE_FRAMES}" if in_space else "'self'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "geolocation=(), microphone=(), camera=(), payment=()",
    }
    if not in_space:  # it cannot name other sites
        headers["x-frame-options"] = "SAMEORIGIN"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class SecurityHeaders:
    """ASGI middleware that adds ``security_headers`` to every answer, where it has not got them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = security_headers(in_space="SPACE_ID" in os.environ)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower(): value for name, value in given}
                added = [(name, value) for name, value in self._headers if name not in names]
                if b"cache-control" not in names and names.get(b"content-type", b"").startswith(
                    _OF_ONE_REQUEST
                ):
                    added.append((b"cache-control", b"private, no-cache"))
                message = {**message, "headers": [*given, *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class EndpointGuard:
    """ASGI middleware that answers and logs requests which fail, as uvicorn's own log would quote what was sent.

    Args:
        public: answer 404 for endpoints of gradio's that the page has no use for.
    """

    def __init__(self, app: ASGIApp, *, public: bool) -> None:
        self._app, self._public = app, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._public and _NOT_OFFERED.search(scope["path"]):
            await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            pass
        except Exception:
            log.exception("a request failed")
            if not started:
                detail = "The server could not answer this request."
                await JSONResponse({"detail": detail}, 500)(scope, receive, send)

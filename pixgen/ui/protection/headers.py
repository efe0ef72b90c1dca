"""Response headers that tell browsers what the page may load, and who may show it in a frame."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# Hugging Face shows a Space in a frame of its own site.
_SPACE_FRAMES = "https://huggingface.co https://*.huggingface.co https://*.hf.space"


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

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._headers = security_headers(in_space="SPACE_ID" in os.environ)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                added = [(name, value) for name, value in self._headers if name not in names]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)

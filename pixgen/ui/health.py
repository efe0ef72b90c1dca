"""``/health``: whether the page is ready, for load balancers, containers and monitors."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse

from pixgen import __version__
from pixgen.studio import Studio

PATH = "/health"


class Health:
    """ASGI middleware that answers ``GET /health`` without a login, and passes everything else on.

    The answer is JSON: ``status`` is "ready", ``version``, ``device``, and how many jobs are ``painting`` and
    ``waiting``. It names no run, prompt or path.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], studio: Studio) -> None:
        self._app, self._studio = app, studio

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        asked = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if not asked or scope["path"].removeprefix(scope.get("root_path", "")) != PATH:
            await self._app(scope, receive, send)
            return
        states = [entry.job.state for entry in self._studio.queue()]
        state = {
            "status": "ready",
            "version": __version__,
            "device": self._studio.device,
            "painting": len(states) - states.count("waiting"),
            "waiting": states.count("waiting"),
        }
        await JSONResponse(state, headers={"cache-control": "no-store"})(scope, receive, send)

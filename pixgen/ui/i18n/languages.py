"""The page's languages: which there are, how a visitor gets the right one, and how to change it.

The first language is served at ``/``, each other one at an address of its own, such as ``/tr``. A
visitor of ``/`` is redirected by the address (``?lang=tr``), else by the language chosen earlier in this
browser, else by the browser's own languages.
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from pixgen.ui.i18n import LANGUAGES, Translator

COOKIE = "pixgen-language"  # page.js writes it when a language is chosen


def other_languages(first: Translator) -> list[Translator]:
    """Every language but the first."""
    return [each for code, each in LANGUAGES.items() if code != first.language]


def preferred_language(accepted: str) -> str | None:
    """The language of ours that an ``Accept-Language`` header likes best; None if it likes none.

    >>> preferred_language("de, tr-TR;q=0.8, en;q=0.5")
    'tr'
    """
    liked: list[tuple[float, str]] = []
    for part in accepted[:1000].split(","):
        code, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            liked.append((-quality, code.lower().split("-")[0]))
    # Sorting is stable: of equals, the one that is named first.
    return next((code for _, code in sorted(liked, key=lambda each: each[0]) if code in LANGUAGES), None)


def choose_language(query: str, cookie: str, accepted: str) -> str | None:
    """The language that a request for ``/`` should be answered in; None if any will do."""
    asked = parse_qs(query).get("lang", [""])[-1]
    try:
        kept = SimpleCookie(cookie)
    except CookieError:
        kept = SimpleCookie()
    before = kept[COOKIE].value if COOKIE in kept else ""
    return next((code for code in (asked, before) if code in LANGUAGES), None) or preferred_language(accepted)


class LanguageRedirect:
    """ASGI middleware that redirects requests for ``/`` to the visitor's language.

    Args:
        first: the language at ``/``.
        by_browser: whether the browser's own languages count.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], *, first: str, by_browser: bool = True) -> None:
        self._app, self._first, self._by_browser = app, first, by_browser

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and _is_front(scope):
            headers = dict(scope["headers"])
            query = scope["query_string"].decode("latin-1")
            cookie, accepted = (
                headers.get(name, b"").decode("latin-1") for name in (b"cookie", b"accept-language")
            )
            language = choose_language(query, cookie, accepted if self._by_browser else "")
            if language not in (None, self._first):
                # Relative, so that it holds behind any proxy.
                where = f"{language}?{query}" if query else language
                vary = (b"vary", b"accept-language, cookie")
                await send(
                    {
                        "type": "http.response.start",
                        "status": 307,
                        "headers": [(b"location", where.encode("latin-1")), vary],
                    }
                )
                await send({"type": "http.response.body"})
                return
        await self._app(scope, receive, send)


def language_links(first: Translator) -> Sequence[tuple[Translator, str]]:
    """Each language with its address, relative to any page."""
    return [
        (each, f"{'./' if each is first else each.language}?lang={each.language}")
        for each in LANGUAGES.values()
    ]


def _is_front(scope: MutableMapping[str, Any]) -> bool:
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) in ("", "/")

"""The page's languages: translation from their catalogues, and the choice for a visitor.

The first language is served at ``/``, each other one at an address of its own, such as ``/tr``. A
visitor of ``/`` is redirected by the address (``?lang=tr``), else by the language chosen earlier in this
browser, else by the browser's own languages.
"""

import gettext
import io
from collections.abc import Sequence
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from pixgen.messages import Message, ngettext
from pixgen.paths import LOCALES

DOMAIN = "pixgen"
COOKIE = "pixgen-language"  # page.js writes it when a language is chosen


def catalogue_file(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


class Translator:
    """Translates the page's sentences into one language.

    >>> say = Translator("tr", "Türkçe")
    >>> say("Search")
    'Ara'
    >>> say("There is no run “{run_id}”.", run_id="x")
    '“x” adlı çizim yok.'

    Args:
        language: its code in HTML and in addresses.
        name: what it calls itself.
    """

    def __init__(self, language: str, name: str) -> None:
        self.language, self.name = language, name

    def __call__(self, text: str, /, **values: Any) -> str:
        """A sentence in this language with its values filled in; in English if the catalogue does not have
        it."""
        message = text if isinstance(text, Message) and not values else Message(text, **values)
        return message.translated(self._catalogue)

    def ngettext(self, one: str, many: str, count: int, /, **values: Any) -> str:
        """A sentence about ``count`` things, in the singular or the plural."""
        return ngettext(one, many, count, **values).translated(self._catalogue)

    def pgettext(self, context: str, text: str, /, **values: Any) -> str:
        """A sentence whose English means different things in different places; ``context`` tells them
        apart."""
        said = self._catalogue.pgettext(context, text)
        return said.format(**values) if values else said

    @cached_property
    def _catalogue(self) -> gettext.NullTranslations:
        """Compiled on first use, so that a clone and an installation work alike and no compiled file can be
        out of date."""
        file = catalogue_file(self.language)
        if not file.exists():  # English is the language of the source
            return gettext.NullTranslations()
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        compiled = io.BytesIO()
        with file.open("rb") as source:
            write_mo(compiled, read_po(source, locale=self.language, domain=DOMAIN))
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)


ENGLISH = Translator("en", "English")
TURKISH = Translator("tr", "Türkçe")
LANGUAGES = {each.language: each for each in (ENGLISH, TURKISH)}


def other_languages(first: Translator) -> list[Translator]:
    """Every language but the first."""
    return [each for code, each in LANGUAGES.items() if code != first.language]


def preferred_language(accepted: str) -> str | None:
    """The page's language that an ``Accept-Language`` header prefers; None if it accepts none.

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
    """The language to redirect a request for ``/`` to; None if no redirect is needed."""
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

    def __init__(self, app: ASGIApp, *, first: str, by_browser: bool = True) -> None:
        self._app, self._first, self._by_browser = app, first, by_browser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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


def _is_front(scope: Scope) -> bool:
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) in ("", "/")

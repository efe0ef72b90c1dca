"""Says marked sentences in one language, from its catalogue."""

import gettext
import io
from functools import cached_property
from pathlib import Path
from typing import Any

from pixgen.messages import Message, ngettext
from pixgen.paths import LOCALES

DOMAIN = "pixgen"


def catalogue_file(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


class Translator:
    """Says the page's sentences in one language.

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
        """A sentence in this language, filled in; what is not in the catalogue is said as it is."""
        message = text if isinstance(text, Message) and not values else Message(text, **values)
        return message.translated(self._catalogue)

    def ngettext(self, one: str, many: str, count: int, /, **values: Any) -> str:
        """A sentence about ``count`` things, which is another one for a single thing."""
        return ngettext(one, many, count, **values).translated(self._catalogue)

    def pgettext(self, context: str, text: str, /, **values: Any) -> str:
        """A sentence whose English says different things in different places; ``context`` tells them apart."""
        said = self._catalogue.pgettext(context, text)
        return said.format(**values) if values else said

    @cached_property
    def _catalogue(self) -> gettext.NullTranslations:
        """Compiled when it is first needed, so that a checkout and an installation work alike and nothing
        compiled can be older than its source."""
        file = catalogue_file(self.language)
        if not file.exists():  # English is what is written in the code
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

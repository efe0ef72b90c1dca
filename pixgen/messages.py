"""Translatable messages: English templates with their values, for errors and the page.

A sentence is marked where it is written: ``_("steps")``, ``ngettext("{count} run", "{count} runs", n)``, or as the
first argument of an error (``errors.py``). Babel finds the marks and collects the catalogue; a page's
``Translator`` (``pixgen/ui/i18n``) says what was marked in its language.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from gettext import NullTranslations
from typing import Any


class Message(str):
    """A sentence in English that remembers its template and its values apart.

    It is a ``str``, so whatever shows or keeps texts may take it as it is.

    >>> message = Message("“{name}” is too large: at most {limit} MB.", name="a.png", limit=64)
    >>> print(message, message.values)
    “a.png” is too large: at most 64 MB. {'name': 'a.png', 'limit': 64}

    Args:
        template: filled in as ``str.format`` does; without values, it is the sentence as it is, braces and all.
        values: numbers, texts, and other messages, which are translated along with this one.
    """

    template: str
    values: dict[str, Any]
    plural: tuple[str, int] | None  # the template for other counts than 1, and the count

    def __new__(cls, template: str, /, **values: Any) -> "Message":
        return cls._make(template, values, None)

    @classmethod
    def _make(cls, template: str, values: dict[str, Any], plural: tuple[str, int] | None) -> "Message":
        values = {name: _without_surrogates(value) for name, value in values.items()}
        said = template if plural is None or plural[1] == 1 else plural[0]
        message = super().__new__(cls, said.format(**values) if values else said)
        message.template, message.values, message.plural = str(template), values, plural
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self.template, self.values, self.plural)

    def translated(self, catalogue: NullTranslations) -> str:
        """The sentence in a catalogue's language; in English if the catalogue does not have it."""
        if self.plural is None:
            # "" would ask for the catalogue's header.
            said = catalogue.gettext(self.template) if self.template else ""
        else:
            said = catalogue.ngettext(self.template, *self.plural)
        values = {
            name: value.translated(catalogue) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return said.format(**values) if values else said

    def to_json(self) -> dict[str, Any]:
        """The message as JSON values, for ``from_json``."""
        stored: dict[str, Any] = {"message": self.template}
        if self.plural is not None:
            stored |= {"plural": self.plural[0], "count": self.plural[1]}
        if self.values:
            stored["values"] = {name: _to_jsonable(value) for name, value in self.values.items()}
        return stored

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Message":
        """The message that ``to_json`` stored. Raises KeyError, ValueError or TypeError if it is not
        valid."""
        values = {
            name: Message.from_json(value) if isinstance(value, Mapping) else value
            for name, value in stored.get("values", {}).items()
        }
        plural = (stored["plural"], int(stored["count"])) if "plural" in stored else None
        return Message._make(str(stored["message"]), values, plural)


def _(template: str, /, **values: Any) -> Message:
    """Mark a sentence for the catalogue, to be translated when it is shown.

    Also for constants and the fields of settings: ``Field(title=_("Steps"), description=_("More: finer."))``.
    """
    return Message(template, **values)


def ngettext(one: str, many: str, count: int, /, **values: Any) -> Message:
    """Mark a sentence about ``count`` things, with a singular and a plural.

    >>> print(ngettext("{count} run", "{count} runs", 2))
    2 runs
    """
    return Message._make(one, {"count": count, **values}, (many, count))


def join_messages(parts: Iterable[str], link: Message) -> Message:
    """Join messages into one; ``link`` is the template that joins ``{first}`` and ``{second}``.

    >>> print(join_messages([_("red"), _("blue"), _("green")], _("{first}, and {second}")))
    red, and blue, and green
    """
    return reduce(
        lambda first, second: Message(link, first=first, second=second),
        (part if isinstance(part, Message) else Message(part) for part in parts),
    )


def _without_surrogates(value: Any) -> Any:
    """A text with question marks for halves of letters, which nothing can encode; other values as they are."""
    if type(value) is not str or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def _unpickle(template: str, values: dict[str, Any], plural: tuple[str, int] | None) -> Message:
    return Message._make(template, values, plural)


def _to_jsonable(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_json()
    return value if isinstance(value, int | float) else str(value)

"""The sentences of errors and notices, in the page's language.

Whatever raises an error says it in English, once; a translation knows each of these sentences as a
template, ``“{}” is too large: at most {} MB.``, finds what stands for the braces, and says it anew.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from string import Formatter

_DEEPEST = 8  # sentences within sentences
_FIELD = re.compile(r"([a-z_]+(?:\.\w+)*:?) (.+)", re.DOTALL)


class Sentences:
    """English sentences as templates, each with the same one in another language, whose braces are
    numbered: ``{0}`` is what the first of the English ones stands for. Without templates, says everything
    as it is."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self.templates = templates

    def __call__(self, text: str, *, _depth: int = 0) -> str:
        """A sentence translated, and what is filled into it as well, unless it stands in “ ”, where people's
        own words do; as it is if it is not known."""
        for pattern, quoted, template in self._patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                parts = (
                    part if own or _depth == _DEEPEST else self(part, _depth=_depth + 1)
                    for part, own in zip(found.groups(), quoted, strict=True)
                )
                return template.format(*parts)
        field = _FIELD.fullmatch(text) if 0 < _depth < _DEEPEST else None
        if field is None:
            return text
        # The name of a field stands before what is wrong with it.
        return f"{field[1]} {self(field[2], _depth=_DEEPEST)}"

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], list[bool], str]]:
        """The most telling ones first: of two that fit, the one with more letters of its own is meant."""
        told = sorted(self.templates.items(), key=lambda each: -len(each[0].replace("{}", "")))
        return [(*_pattern(english), other) for english, other in told]


def _pattern(template: str) -> tuple[re.Pattern[str], list[bool]]:
    """What a template looks like, and of each of its braces whether “ stands before them."""
    parts = [(each[0], each[1] is not None) for each in Formatter().parse(template)]
    looks = "".join(re.escape(text) + ("(.*?)" if filled else "") for text, filled in parts)
    return re.compile(looks, re.DOTALL), [text.endswith("“") for text, filled in parts if filled]

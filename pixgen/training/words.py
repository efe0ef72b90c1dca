"""Every word that a caption can have, or by which the sketcher's memory finds what it shows, so that the page can
say which words the models have never seen."""

from collections.abc import Iterable
from pathlib import Path

from pixgen.synthesis.layout import ABOVE, BELOW, HOLDING, RIDING, WEARING
from pixgen.training.meanings import ALSO
from pixgen.training.own import own_things
from pixgen.training.painters import COLOURS
from pixgen.training.phrases import (
    BOTTOM_WORDS,
    FILLERS,
    FILTERS,
    LARGE,
    LEFT_WORDS,
    MEDIA,
    PATTERNS,
    RIGHT_WORDS,
    SMALL,
    STYLES,
    TOP_WORDS,
    plural,
)
from pixgen.training.settings import PLACES, SETTINGS
from pixgen.words import words_of

# What captions put between their parts: see captions.py.
BETWEEN = (
    "a", "an", "the", "of", "on", "and", "next to", "above", "to the left of", "on the left",
    "on the right", "two", "three", "background",
)  # fmt: skip


def caption_words(table: Iterable[dict]) -> list[str]:
    """The words of every caption that can be written about the drawings of a table, sorted."""
    names = [name for record in table for name in (record["thing"], *record["names"])]
    phrases = [
        *BETWEEN, *COLOURS, *FILLERS, *MEDIA, *PATTERNS, *LEFT_WORDS, *RIGHT_WORDS, *TOP_WORDS,
        *BOTTOM_WORDS, *SMALL, *LARGE, *names, *map(plural, names),
    ]  # fmt: skip
    for several in (*STYLES.values(), *FILTERS.values()):
        phrases += several
    for _, there, alone in SETTINGS.values():
        phrases += [*there, *alone]
    return _sorted_words(phrases)


def remembered_words() -> list[str]:
    """The words by which the sketcher's memory finds a thing or a place that no caption names, and by which it
    puts one thing to another; sorted."""
    names = [*own_things(), *(name for also in ALSO.values() for name in also)]
    places = (word for words in PLACES.values() for word in words)
    return _sorted_words(
        [*names, *map(plural, names), *places, *ABOVE, *BELOW, *HOLDING, *RIDING, *WEARING]
    )


def _sorted_words(phrases: Iterable[str]) -> list[str]:
    return sorted({word for phrase in phrases for word in words_of(phrase)})


def write_words(table: Iterable[dict], path: Path) -> int:
    """Write the words, one a line; how many they are."""
    words = sorted({*caption_words(table), *remembered_words()})
    path.write_text("\n".join(words) + "\n", "utf-8")
    return len(words)

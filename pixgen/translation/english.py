"""English words: which words are English, and their plurals and articles."""

import gzip
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pixgen.paths import ASSETS

CAPTION_WORDS_FILE = ASSETS / "pocket" / "words.txt"
_IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "fish": "fish", "sheep": "sheep", "deer": "deer",
    "wolf": "wolves", "leaf": "leaves", "knife": "knives", "loaf": "loaves",
}  # fmt: skip
_WITHOUT_ARTICLE = {
    "water",
    "bread",
    "rice",
    "grass",
    "money",
    "music",
    "milk",
    "coffee",
    "tea",
    "honey",
    "cheese",
}
_MERGES = slice(1, 48895)  # of CLIP's byte pair encoding, behind the line that names its version


@cache
def known_words() -> frozenset[str]:
    """Every word of the bundled models' training captions."""
    return frozenset(CAPTION_WORDS_FILE.read_text("utf-8").split())


def is_english(word: str) -> bool:
    """Whether English has a word, or every part of a word with hyphens."""
    return all(
        len(part) < 2 or part.isdigit() or part in known_words() or part in _clip_words()
        for part in word.split("-")
    )


def is_plural(noun: str) -> bool:
    """Whether a noun looks like a plural: glasses, not glass."""
    return noun.endswith("s") and not noun.endswith("ss")


def plural(noun: str) -> str:
    """The plural of a noun; of a plural, itself.

    >>> [plural(each) for each in ("fox", "berry", "monkey", "glasses", "wolf")]
    ['foxes', 'berries', 'monkeys', 'glasses', 'wolves']
    """
    if noun in _IRREGULAR or is_plural(noun):
        return _IRREGULAR.get(noun, noun)
    if re.search(r"[^aeo]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("ss", "sh", "ch", "x")) else "s")


def singulars(word: str) -> Iterator[str]:
    """The word itself, then what it may be the plural of."""
    yield word
    for end, other in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")):
        if word.endswith(end) and len(word) > len(end) + 1:
            yield word.removesuffix(end) + other


def with_article(noun: str, *, described: str = "") -> str:
    """A noun with “a” or “an”, unless it is a plural or cannot be counted.

    Args:
        described: the noun with its adjectives before it.
    """
    text = described or noun
    if noun in _WITHOUT_ARTICLE or is_plural(noun):
        return text
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


@cache
def _clip_words() -> frozenset[str]:
    """The whole words among CLIP's tokens: what is often written on the English web."""
    package = find_spec("open_clip")  # found without importing it, which would load torch
    assert package is not None, "it is among the requirements"
    assert package.origin is not None, "it has an __init__.py"
    with gzip.open(
        Path(package.origin).parent / "bpe_simple_vocab_16e6.txt.gz", "rt", encoding="utf-8"
    ) as file:
        merges = file.read().split("\n")[_MERGES]
    return frozenset("".join(pair.split()).removesuffix("</w>") for pair in merges if pair.endswith("</w>"))

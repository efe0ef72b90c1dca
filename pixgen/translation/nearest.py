"""The nearest thing that the bundled models draw, for English nouns that they do not know: a corgi is a dog.

What people ask for most is in a list of our own; the table of all other nouns is made from WordNet by
``python -m pixgen.training translations``.
"""

import lzma
import re
from functools import cache

from pixgen.paths import ASSETS
from pixgen.translation.english import FUNCTION_WORDS, plural, singulars

TABLE_FILE = ASSETS / "languages" / "nearest_things.tsv.xz"
COMMON_NAMES_FILE = ASSETS / "languages" / "common_names.tsv"
LONGEST_NOUN = 3  # words
# Nouns of WordNet that mostly are verbs in a prompt.
_VERBS = frozenset({
    "banding", "blooming", "braiding", "cling", "coloring", "colouring", "coping", "fencing", "filling", "hanging",
    "lacing", "marbling", "necking", "piping", "puffing", "quartering", "shading",
})  # fmt: skip
_SHORTEST = 2  # letters; so short, nouns of the table are seldom meant
_WORD = re.compile(r"\b(?:t-shirts?|[^\W_]{2,})\b", re.IGNORECASE)


def replace_unknown_nouns(text: str, known: frozenset[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Replace nouns with the nearest known thing; the rest of the text stays letter for letter.

    Args:
        known: words that stay, in lower case.

    Returns:
        The text, and each replaced noun with the name that stands for it.

    >>> replace_unknown_nouns("two corgis in a garden", frozenset({"two", "in", "a", "garden"}))
    ('two dogs in a garden', (('corgis', 'dogs'),))
    """
    words = list(_WORD.finditer(text))
    replaced: list[tuple[int, int, str]] = []
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_NOUN, len(words) - at), 0, -1):
            begin, end = words[at].start(), words[at + length - 1].end()
            noun = " ".join(each[0].lower() for each in words[at : at + length])
            gapless = text[begin:end].lower() == noun
            # A phrase of known words is left to the models, which have seen them.
            unknown = not set(noun.split()) <= known | FUNCTION_WORDS or noun in _common_names()
            if gapless and unknown and (name := _nearest(noun)):
                replaced.append((begin, end, name))
                at += length - 1
                break
        at += 1
    nouns = tuple((text[begin:end], name) for begin, end, name in replaced)
    for begin, end, name in reversed(replaced):
        behind = re.sub(rf"^ {re.escape(name)}\b", "", text[end:])  # a tabby cat is no cat cat
        text = text[:begin] + name + behind
    return re.sub(r"\b([Aa])n? (?=(\w))", _article, text) if replaced else text, nouns


def _article(match: re.Match[str]) -> str:
    return f"{match[1]}{'n' if match[2].lower() in 'aeiou' else ''} "


def _nearest(noun: str) -> str | None:
    table = _table() if len(noun) > _SHORTEST else _common_names()
    if noun in table:
        return table[noun]
    singular = next((each for each in singulars(noun) if each in table and plural(each) == noun), None)
    return plural(table[singular]) if singular else None


@cache
def _table() -> dict[str, str]:
    lines = (line.split("\t") for line in lzma.decompress(TABLE_FILE.read_bytes()).decode().splitlines())
    return {noun: name for noun, name in lines if noun not in _VERBS} | _common_names()


@cache
def _common_names() -> dict[str, str]:
    lines = COMMON_NAMES_FILE.read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)

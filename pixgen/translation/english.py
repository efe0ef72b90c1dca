"""English words: which words are English, and their plurals and articles."""

import gzip
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pixgen.paths import ASSETS

CAPTION_WORDS_FILE = ASSETS / "pocket" / "words.txt"
IRREGULAR_PLURALS = {
    "man": "men", "woman": "women", "child": "children", "fish": "fish", "sheep": "sheep", "deer": "deer",
    "wolf": "wolves", "leaf": "leaves", "knife": "knives", "loaf": "loaves", "mouse": "mice", "goose": "geese",
    "foot": "feet", "tooth": "teeth",
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
# Words that join others and show nothing themselves.
FUNCTION_WORDS = frozenset({
    "a", "about", "above", "across", "after", "again", "against", "ago", "all", "along", "already", "also",
    "although", "always", "am", "among", "an", "and", "another", "any", "anyone", "are", "around", "as",
    "at", "away", "be", "because", "been", "before", "behind", "being", "below", "beneath", "beside",
    "besides", "between", "beyond", "both", "but", "by", "came", "can", "come", "comes", "coming", "could",
    "did", "do", "does", "doing", "done", "down", "during", "each", "either", "else", "enough", "etc",
    "even", "ever", "every", "everyone", "few", "for", "from", "full", "gave", "get", "gets", "getting",
    "give", "gives", "giving", "go", "goes", "going", "gone", "got", "had", "has", "have", "having", "he",
    "her", "here", "hers", "herself", "him", "himself", "his", "how", "however", "i", "if", "in", "inside",
    "instead", "into", "is", "it", "its", "itself", "just", "keep", "keeps", "let", "lets", "like", "look",
    "looking", "looks", "lot", "lots", "made", "make", "makes", "making", "many", "may", "me", "might",
    "mine", "more", "most", "much", "must", "my", "myself", "near", "nearby", "neither", "never", "next",
    "no", "nor", "not", "nothing", "now", "of", "off", "on", "once", "one", "only", "onto", "or", "other",
    "others", "our", "ours", "out", "outside", "over", "own", "past", "per", "quite", "rather", "really",
    "same", "seem", "seems", "seen", "shall", "she", "should", "show", "showing", "shows", "side", "since",
    "so", "some", "someone", "something", "still", "such", "take", "taken", "takes", "taking", "than",
    "that", "the", "their", "theirs", "them", "themselves", "then", "there", "these", "they", "thing",
    "things", "this", "those", "though", "through", "to", "together", "too", "toward", "towards", "under",
    "until", "up", "upon", "us", "very", "via", "was", "way", "we", "well", "went", "were", "what",
    "whatever", "when", "where", "whether", "which", "while", "who", "whole", "whom", "whose", "why",
    "will", "with", "within", "without", "would", "yet", "you", "your", "yours",
})  # fmt: skip
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
    if noun in IRREGULAR_PLURALS or is_plural(noun):
        return IRREGULAR_PLURALS.get(noun, noun)
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

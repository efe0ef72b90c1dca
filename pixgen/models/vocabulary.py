"""The vocabulary of the bundled models: the words of their training captions, and suggestions for others."""

import difflib
import re
import unicodedata
from functools import cache, lru_cache

from pixgen.models.sketchers.common_words import common_phrases, without_postures
from pixgen.recipe.wildcards import word_lists
from pixgen.translation.english import FUNCTION_WORDS, IRREGULAR_PLURALS, known_words

_SHORTEST_PREFIX = 4
_MIN_SIMILARITY = 0.78  # of difflib's ratio; below it, suggestions have little to do with the word


def split_words(text: str) -> list[str]:
    """The words of a text as captions write them: lower-case, without accents and apostrophes.

    >>> split_words("A fox’s café, 3D")
    ['a', 'foxs', 'cafe', '3d']
    """
    plain = unicodedata.normalize("NFKD", text.lower()).replace("’", "").replace("'", "")
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+", letters)


def unknown_words(text: str) -> list[str]:
    """The words of a text that are in no training caption, each once, without those that show nothing by
    themselves and those of a style, material or colour that is understood."""
    irregular = {plural for single, plural in IRREGULAR_PLURALS.items() if single in known_words()}
    known, words = (
        known_words() | FUNCTION_WORDS | irregular,
        f" {'  '.join(without_postures(split_words(text)))} ",
    )
    for phrase in _common_phrases():
        words = words.replace(phrase, "  ")
    return [word for word in dict.fromkeys(words.split()) if word not in known]


@lru_cache(2048)
def suggestions(word: str, count: int = 3) -> tuple[str, ...]:
    """Known words near an unknown one: those of similar spelling, then those that share its beginning.

    >>> suggestions("foxx")
    ('fox',)
    """
    candidates = _candidates()
    begins = [
        known
        for known in candidates
        if min(len(known), len(word)) >= _SHORTEST_PREFIX
        and (known.startswith(word) or word.startswith(known))
    ]
    begins.sort(key=lambda known: abs(len(known) - len(word)))
    alike = difflib.get_close_matches(word[:40], candidates, n=count, cutoff=_MIN_SIMILARITY)
    return tuple(dict.fromkeys([*alike, *begins[:2]]))[:count]


def completions() -> tuple[str, ...]:
    """The words to complete a prompt with: those of the bundled word lists first, then all others, the shortest
    first."""
    listed = {word for lines in word_lists().values() for line in lines for word in split_words(line)}
    return tuple(sorted(_candidates(), key=lambda word: (word not in listed, len(word))))


@cache
def _common_phrases() -> tuple[str, ...]:
    """The phrases that are understood, as ``split_words`` spells them; two spaces between words."""
    return tuple(f" {'  '.join(split_words(phrase))} " for phrase in common_phrases())


@cache
def _candidates() -> tuple[str, ...]:
    """Words to suggest: those of the bundled word lists first, then all others."""
    listed = [word for lines in word_lists().values() for line in lines for word in split_words(line)]
    known = [word for word in dict.fromkeys([*listed, *sorted(known_words())]) if word in known_words()]
    # "glasseses" is in captions, but nobody would write it.
    return tuple(word for word in known if len(word) > 2 and not word.endswith("ses"))

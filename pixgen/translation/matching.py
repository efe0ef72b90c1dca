"""Look up the words of a text in a language: phrases, endings, prefixes, and writing without spaces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from pixgen.translation.languages import LONGEST_PHRASE, Language, Word, normalise, split

_ALPHABET = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}]")
_LONGEST_ENDING, _SHORTEST_STEM = 4, 3  # characters
# Languages that join several endings to a word.
_AGGLUTINATIVE = {"az", "et", "fi", "hu", "ka", "kk", "kn", "ko", "ml", "ta", "te", "tr", "uz"}


@dataclass(frozen=True)
class Match:
    """The words of a text from ``begin`` to ``end`` as a language understands them."""

    begin: int
    end: int
    word: Word | None  # None if it does not


def split_words(text: str, language: Language) -> list[str]:
    """The words of a text; without spaces between them, the longest that the language knows."""
    words = split(normalise(text))
    if not language.no_spaces:
        return words
    cut: list[str] = []
    for word in words:
        unknown = ""
        while word:
            sizes = range(min(language.longest, len(word)), 0, -1)
            known = next((word[:size] for size in sizes if word[:size] in language.words), "")
            if known and unknown:
                cut.append(unknown)
            unknown = "" if known else unknown + word[0]
            if known:
                cut.append(known)
            word = word[len(known) or 1 :]
        if unknown:
            cut.append(unknown)
    return cut


def match_words(words: Sequence[str], language: Language) -> Iterator[Match]:
    """The meanings of the words in order; longer phrases win."""
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_PHRASE, len(words) - at), 0, -1):
            if length == 1:
                word = _meaning(words[at], language)
            else:
                word = language.words.get(" ".join(words[at : at + length]))
                word = word or _phrase(words[at : at + length], language)
            if word or length == 1:
                yield Match(at, at + length, word)
                if (
                    word
                    and word.kind == "thing"
                    and (relation := _relation(words[at : at + length], language))
                ):
                    yield Match(at + length, at + length, relation)
                at += length
                break


def _relation(words: Sequence[str], language: Language) -> Word | None:
    """The relation that the ending of a noun says; it governs the noun."""
    phrase = " ".join(words)
    if phrase in language.words:
        return None
    for relation, endings in language.endings.items():
        if phrase.endswith(endings):
            return Word("ending", relation)
    return None


def _phrase(words: Sequence[str], language: Language) -> Word | None:
    """The meaning of a phrase whose last word has an ending."""
    last, before = words[-1], " ".join(words[:-1])
    for shorter in _shortened(last, language):
        if word := language.words.get(f"{before} {shorter}"):
            return word if word.kind != "ignored" else None
    return None


def _meaning(word: str, language: Language) -> Word | None:
    """The meaning of a word, with or without endings and prefixes.

    Common words come before names of things, a word's stem before a word that may mean something else, and its
    beginning last.
    """
    exact = language.words.get(word)
    if exact and not exact.weak:
        return exact
    bare = [word, *(word.removeprefix(each) for each in language.prefixes if word.startswith(each))]
    for each in bare[1:]:
        if len(each) >= _SHORTEST_STEM - 1 and each in language.words:
            return language.words[each]
    beginnings = [shorter for each in bare for shorter in _shortened(each, language)]
    ways = (
        (language.with_same_stem(each, common=True) for each in bare),
        (language.words[each] for each in beginnings if each in language.common_words),
        (language.with_same_stem(each, common=False) for each in bare),
        (exact,),
        (
            language.words.get(each)
            for each in beginnings
            if len(each) > _SHORTEST_STEM or not _ALPHABET.match(each)
        ),
    )
    found = (each for way in ways for each in way if each and each.kind != "ignored")
    return next((each for each in found if each is exact or not each.weak), None)


def _shortened(word: str, language: Language) -> Iterator[str]:
    """A word without up to four of its last letters (never more than it keeps), the longest form first."""
    shortest = _SHORTEST_STEM if _ALPHABET.match(word) else 2 if language.code != "ko" else 1
    longest = _LONGEST_ENDING + 1 if language.code in _AGGLUTINATIVE else _LONGEST_ENDING
    for size in range(len(word) - 1, max(shortest, len(word) - longest) - 1, -1):
        if language.code in _AGGLUTINATIVE or len(word) - size < size:
            yield word[:size]

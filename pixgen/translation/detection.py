"""Find out which language a text is in, by how much of it each language understands."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from pixgen.translation.english import is_english, known_words
from pixgen.translation.languages import LANGUAGE_NAMES, Language, load_language, normalise, split
from pixgen.translation.matching import Match, match_words, split_words

MIN_UNDERSTOOD = 0.6  # share of the words, for a language to be taken for the text's
MAX_ENGLISH = 0.5  # share of the words that English knows too


@lru_cache(1024)
def detect(text: str) -> Language | None:
    """Detect the language of a text; None if it is English, or too little of it is understood.

    In Latin letters, a rare English word easily looks like an inflected word of another language: there must
    be words that only the other language has.
    """
    plain = split(normalise(text))
    latin = not regex.search(_OTHER_SCRIPT, text)
    known = [word for word in plain if word in known_words()]
    if latin and len(known) > MAX_ENGLISH * len(plain):
        return None
    best, language = (MIN_UNDERSTOOD, False), None
    for code in _candidates(text):
        candidate = load_language(code)
        words = split_words(text, candidate)
        matches = list(match_words(words, candidate))
        if not any(each.word and each.word.kind != "ignored" for each in matches):
            continue
        if latin and not _only_here(words, matches, candidate):
            continue
        share = sum(_certainty(each, words, candidate) for each in matches) / sum(map(len, words))
        if (rank := (share, bool(candidate.common_words))) > best:
            best, language = rank, candidate
    return language


def _only_here(words: Sequence[str], matches: Sequence[Match], language: Language) -> bool:
    """Whether words of a text are a language's own, and not English."""
    if len(words) > 1 and not any(map(is_english, words)):
        return True
    function_word = False
    exact = 0
    for each in matches:
        phrase = " ".join(words[each.begin : each.end])
        if each.word is None or each.word.weak or phrase not in language.words:
            continue
        if each.word.kind != "ignored" and not any(map(is_english, phrase.split())):
            return True
        exact += 1
        own = phrase in language.common_words and phrase not in known_words()
        function_word |= own and each.word.kind in ("ignored", "relation", "number")
    return function_word and exact > 1


def _certainty(match: Match, words: Sequence[str], language: Language) -> float:
    """How many letters of a text indicate a language; inflected or ambiguous words count less."""
    if match.word is None:
        return 0.0
    phrase = " ".join(words[match.begin : match.end])
    letters = float(len(phrase.replace(" ", "")))
    if phrase not in language.words:
        letters *= 0.9 if language.common_words else 0.6
    return letters * (0.5 if match.word.weak else 1.0)


_OTHER_SCRIPT = regex.compile(r"[[\p{L}]--[\p{Latin}]]", regex.VERSION1)
_SCRIPTS = {
    "ar": "Arabic", "be": "Cyrillic", "bg": "Cyrillic", "bn": "Bengali", "el": "Greek", "fa": "Arabic",
    "gu": "Gujarati", "he": "Hebrew", "hi": "Devanagari", "ja": "Han", "ka": "Georgian", "kk": "Cyrillic",
    "kn": "Kannada", "ko": "Hangul", "ml": "Malayalam", "mr": "Devanagari", "pa": "Gurmukhi",
    "ru": "Cyrillic", "sr": "Cyrillic", "ta": "Tamil", "te": "Telugu", "th": "Thai", "uk": "Cyrillic",
    "ur": "Arabic", "zh": "Han", "zh-Hant": "Han",
}  # fmt: skip


def _candidates(text: str) -> Iterator[str]:
    """The languages in whose script a text is written."""
    if regex.search(r"[\p{Hiragana}\p{Katakana}]", text):
        yield "ja"
        return
    present = {script for script in {*_SCRIPTS.values(), "Latin"} if regex.search(rf"\p{{{script}}}", text)}
    present = present - {"Latin"} or present  # a foreign name in Latin letters
    yield from (code for code in LANGUAGE_NAMES if _SCRIPTS.get(code, "Latin") in present)

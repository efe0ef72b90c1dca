"""Translate a prompt into English, word by word, and find out which language it is in.

This is no machine translation: a prompt for the bundled models names things with their colours, numbers and
sizes, relations between them, places and styles. Each is looked up, and put into English order.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import regex

from pixgen.paths import ASSETS
from pixgen.translation.languages import (
    LANGUAGE_NAMES,
    LONGEST_PHRASE,
    PLACES,
    Language,
    Word,
    load_language,
    normalise,
    split,
)
from pixgen.translation.nearest import replace_unknown_nouns

AUTO, ENGLISH = "auto", "en"
ENGLISH_ONLY_CLIPS = {"pocket"}  # CLIPs that know the words of their English training captions alone
LONGEST_TEXT = 1000  # characters; longer texts are read as they are
MIN_UNDERSTOOD = 0.6  # share of the words, for a language to be taken for the text's
MAX_ENGLISH = 0.5  # share of the words that English knows too
_LONGEST_ENDING, _SHORTEST_STEM = 4, 3  # characters
# Languages that join several endings to a word.
_AGGLUTINATIVE = {"az", "et", "fi", "hu", "ka", "kk", "kn", "ko", "ml", "ta", "te", "tr", "uz"}
_VERBS = {"wearing", "holding", "riding", "eating"}
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


@dataclass(frozen=True)
class Translation:
    """A prompt in English.

    Args:
        text: in English.
        language: the code of the language that the prompt is in.
        unknown: its words that were not understood, which are left out.
        nearest: English nouns that the bundled models do not know, each with the known thing in its place.
    """

    text: str
    language: str
    unknown: tuple[str, ...] = ()
    nearest: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Noun:
    """A thing or place with its attributes."""

    english: str
    place: bool = False
    number: str = ""
    size: str = ""
    quality: str = ""
    colour: str = ""


@dataclass(frozen=True)
class _Match:
    """The words of a text from ``begin`` to ``end`` as a language understands them."""

    begin: int
    end: int
    word: Word | None  # None if it does not


@lru_cache(1024)
def translate(text: str, language: str = AUTO) -> Translation | None:
    """Translate a text into English that the bundled models know; None if there is nothing to translate.

    In English texts, nouns that they do not know are replaced by the nearest thing that they do.

    Args:
        language: a code of ``LANGUAGE_NAMES``, "en" to leave the text as it is, or "auto" to find out.
    """
    if language == ENGLISH or len(text) > LONGEST_TEXT or not regex.search(r"\p{L}", text):
        return None
    found = detect(text) if language == AUTO else load_language(language)
    if found is None:
        replaced, nearest = replace_unknown_nouns(text, _caption_words())
        return Translation(replaced, ENGLISH, nearest=nearest) if nearest else None
    words = _words(text, found)
    matches = list(_match(words, found))
    if any(each.word and each.word.kind == "thing" and not each.word.weak for each in matches):
        matches = [replace(each, word=None) if each.word and each.word.weak else each for each in matches]
    english = _compose([each.word for each in matches if each.word], found)
    unknown = tuple(word for each in matches if each.word is None for word in words[each.begin : each.end])
    return Translation(english, found.code, unknown) if english else None


def needs_english(clips: Iterable[str]) -> bool:
    """Whether texts for these CLIPs need a translation: whether all of them know only English."""
    return set(clips) <= ENGLISH_ONLY_CLIPS


def translate_all(texts: Iterable[str], language: str = AUTO) -> dict[str, str]:
    """The English of each text that is in another language; others are left out."""
    found = {text: translate(text, language) for text in texts}
    return {text: translation.text for text, translation in found.items() if translation}


@lru_cache(1024)
def detect(text: str) -> Language | None:
    """Detect the language of a text; None if it is English, or too little of it is understood.

    In Latin letters, a rare English word easily looks like an inflected word of another language: there must
    be words that only the other language has.
    """
    plain = split(normalise(text))
    latin = not regex.search(_OTHER_SCRIPT, text)
    known = [word for word in plain if word in _caption_words()]
    if latin and len(known) > MAX_ENGLISH * len(plain):
        return None
    best, language = (MIN_UNDERSTOOD, False), None
    for code in _candidates(text):
        candidate = load_language(code)
        words = _words(text, candidate)
        matches = list(_match(words, candidate))
        if not any(each.word and each.word.kind != "ignored" for each in matches):
            continue
        if latin and not _only_here(words, matches, candidate):
            continue
        share = sum(_certainty(each, words, candidate) for each in matches) / sum(map(len, words))
        if (rank := (share, bool(candidate.common_words))) > best:
            best, language = rank, candidate
    return language


def _only_here(words: Sequence[str], matches: Sequence[_Match], language: Language) -> bool:
    """Whether words of a text are a language's own, and not English."""
    if len(words) > 1 and not any(map(_is_english, words)):
        return True
    function_word = False
    exact = 0
    for each in matches:
        phrase = " ".join(words[each.begin : each.end])
        if each.word is None or each.word.weak or phrase not in language.words:
            continue
        if each.word.kind != "ignored" and not any(map(_is_english, phrase.split())):
            return True
        exact += 1
        own = phrase in language.common_words and phrase not in _caption_words()
        function_word |= own and each.word.kind in ("ignored", "relation", "number")
    return function_word and exact > 1


def _certainty(match: _Match, words: Sequence[str], language: Language) -> float:
    """How many letters of a text indicate a language; inflected or ambiguous words count less."""
    if match.word is None:
        return 0.0
    phrase = " ".join(words[match.begin : match.end])
    letters = len(phrase.replace(" ", ""))
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


@cache
def _caption_words() -> frozenset[str]:
    """The words of the bundled models' training captions."""
    return frozenset((ASSETS / "pocket" / "words.txt").read_text("utf-8").split())


@cache
def _clip_words() -> frozenset[str]:
    """The whole words among CLIP's tokens: what is often written on the English web."""
    package = find_spec("open_clip")  # found without importing it, which would load torch
    assert package is not None, "it is among the requirements"
    assert package.origin is not None, "it has an __init__.py"
    with gzip.open(
        Path(package.origin).parent / "bpe_simple_vocab_16e6.txt.gz", "rt", encoding="utf-8"
    ) as file:
        merges = file.read().split("\n")[1:48895]
    return frozenset("".join(pair.split()).removesuffix("</w>") for pair in merges if pair.endswith("</w>"))


def _is_english(word: str) -> bool:
    """Whether English has a word, or every part of a word with hyphens."""
    return all(
        len(part) < 2 or part.isdigit() or part in _caption_words() or part in _clip_words()
        for part in word.split("-")
    )


def _words(text: str, language: Language) -> list[str]:
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


def _match(words: Sequence[str], language: Language) -> Iterator[_Match]:
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
                yield _Match(at, at + length, word)
                if (
                    word
                    and word.kind == "thing"
                    and (relation := _relation(words[at : at + length], language))
                ):
                    yield _Match(at + length, at + length, relation)
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
    """The meaning of a word, with or without endings and prefixes."""
    exact = language.words.get(word)
    if exact and not exact.weak:
        return exact
    alphabet = regex.match(r"[\p{Latin}\p{Cyrillic}\p{Greek}]", word)
    bare = [word, *(word.removeprefix(each) for each in language.prefixes if word.startswith(each))]
    for each in bare[1:]:
        if len(each) >= _SHORTEST_STEM - 1 and each in language.words:
            return language.words[each]
    for common in (True, False):
        for each in bare:
            if found := language.with_same_stem(each, common=common):
                return found
            for shorter in _shortened(each, language):
                found = language.words.get(shorter)
                known = (
                    shorter in language.common_words
                    if common
                    else len(shorter) > _SHORTEST_STEM or not alphabet
                )
                if found and known and found.kind != "ignored" and not found.weak:
                    return found
        if exact:
            return exact
    return None


def _shortened(word: str, language: Language) -> Iterator[str]:
    """A word without up to four of its last letters (never more than it keeps), the longest form first."""
    alphabet = regex.match(r"[\p{Latin}\p{Cyrillic}\p{Greek}]", word)
    shortest = _SHORTEST_STEM if alphabet else 2 if language.code != "ko" else 1
    longest = _LONGEST_ENDING + 1 if language.code in _AGGLUTINATIVE else _LONGEST_ENDING
    for size in range(len(word) - 1, max(shortest, len(word) - longest) - 1, -1):
        if language.code in _AGGLUTINATIVE or len(word) - size < size:
            yield word[:size]


def _compose(words: Iterable[Word], language: Language) -> str:
    """The words in English: things with their relations, then the places, then the style."""
    said = _join_shades([word for word in words if word.kind != "ignored"])
    styles = list(dict.fromkeys(word.english for word in said if word.kind == "style"))
    parts = _attach([word for word in said if word.kind != "style"], language)
    if not any(isinstance(part, _Noun) for part in parts):
        return " ".join(word.english for word in said if word.kind in ("colour", "size", "quality", "style"))
    free, governed = _relate(parts, language)
    things = [noun for noun in free if not noun.place]
    places = [noun for noun in free if noun.place]
    if not things:
        things, places = places[:1], places[1:]
    text = " and ".join(map(_describe, things))
    for relation, noun in governed:
        text += f" {_behind(noun)}" if noun.place else f" {relation} {_describe(noun)}"
    for noun in places:
        text += f" {_behind(noun)}"
    pictures = {"picture": "a picture of", "drawing": "a drawing of", "photo": "a photo of"}
    for style in styles:
        text = f"{pictures[style]} {text}" if style in pictures else f"{text}, {style}"
    return text


def _join_shades(words: Sequence[Word]) -> list[Word]:
    """Join a shade and the colour beside it, before or after it, into one colour."""
    joined: list[Word] = []
    for word in words:
        kinds = {word.kind, joined[-1].kind} if joined else set()
        if kinds == {"shade", "colour"}:
            shade, colour = sorted((word, joined.pop()), key=lambda each: each.kind != "shade")
            joined.append(Word("colour", f"{shade.english} {colour.english}"))
        else:
            joined.append(word)
    return [Word("colour", word.english) if word.kind == "shade" else word for word in joined]


def _attach(words: Sequence[Word], language: Language) -> list[_Noun | Word]:
    """Nouns with their colours, sizes and numbers, and the relations between them, in the text's order."""
    parts: list[_Noun | Word] = []
    waiting: dict[str, str] = {}
    follows = language.adjectives_follow
    for at, word in enumerate(words):
        if word.kind in ("thing", "place"):
            parts.append(_Noun(word.english, word.kind == "place", **waiting))
            waiting = {}
        elif word.kind in ("relation", "ending"):
            parts.append(word)
        else:
            last = parts[-1] if parts else None
            before_noun = any(each.kind in ("thing", "place") for each in words[at + 1 : at + 2])
            is_number = word.kind == "number"
            behind = (follows and not is_number) or not _noun_ahead(words[at + 1 :])
            free = isinstance(last, _Noun) and not getattr(last, word.kind)
            if free and behind and not (is_number and before_noun):
                assert isinstance(last, _Noun)
                parts[-1] = replace(last, **{word.kind: word.english})
                continue
            waiting[word.kind] = word.english
    return parts


def _noun_ahead(words: Sequence[Word]) -> bool:
    """Whether a noun follows before the next relation."""
    for word in words:
        if word.kind in ("relation", "ending"):
            return False
        if word.kind in ("thing", "place"):
            return True
    return False


def _relate(parts: Sequence[_Noun | Word], language: Language) -> tuple[list[_Noun], list[tuple[str, _Noun]]]:
    """The nouns that stand by themselves, and those that a relation governs."""
    free: list[_Noun] = []
    governed: list[tuple[str, _Noun]] = []
    waiting = ""
    for part in parts:
        if isinstance(part, _Noun):
            if waiting:
                governed.append((waiting, part))
                waiting = ""
            else:
                free.append(part)
        elif part.english == "and":
            continue
        elif part.kind == "ending" or (
            language.postpositions and not (part.english in _VERBS and language.verbs_first)
        ):
            if free:
                governed.append((part.english, free.pop()))
        else:
            waiting = part.english
    return free, governed


def _describe(noun: _Noun) -> str:
    """A noun with its article, number, size and colour."""
    if noun.place and not noun.colour:
        return PLACES[noun.english][0]
    english = PLACES[noun.english][0].removeprefix("a ").removeprefix("the ") if noun.place else noun.english
    words = [word for word in (noun.number, noun.quality, noun.size, noun.colour) if word]
    if noun.number:
        return " ".join([*words, _plural(english)])
    text = " ".join([*words, english])
    if english in _WITHOUT_ARTICLE or (english.endswith("s") and not english.endswith("ss")):
        return text
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def _behind(noun: _Noun) -> str:
    """A place behind a thing: in the snow, on a purple background."""
    phrase = PLACES[noun.english][1]
    if not noun.colour:
        return phrase
    preposition, _article, *rest = phrase.split() if " " in phrase else ("in", "a", phrase)
    return " ".join([preposition, "a", noun.colour, *(rest or [noun.english])])


def _plural(noun: str) -> str:
    for ending, other in (("y", "ies"), ("s", "ses"), ("sh", "shes"), ("ch", "ches"), ("x", "xes")):
        if noun.endswith(ending) and not noun.endswith(("ay", "ey", "oy")):
            return noun.removesuffix(ending) + other
    return {"man": "men", "woman": "women", "child": "children", "fish": "fish"}.get(noun, f"{noun}s")

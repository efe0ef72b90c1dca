"""Translate a prompt into English, word by word.

This is no machine translation: a prompt for the bundled models names things with their colours, numbers and
sizes, relations between them, places and styles. Each is looked up, and put into English order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import regex

from pixgen.translation.detection import detect
from pixgen.translation.english import known_words, plural, with_article
from pixgen.translation.languages import PLACES, Language, Word, load_language
from pixgen.translation.matching import match_words, split_words
from pixgen.translation.nearest import replace_unknown_nouns

AUTO, ENGLISH = "auto", "en"
ENGLISH_ONLY_CLIPS = {"pocket"}  # CLIPs that know the words of their English training captions alone
LONGEST_TEXT = 1000  # characters; longer texts are read as they are
_VERBS = {"wearing", "holding", "riding", "eating"}


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
        replaced, nearest = replace_unknown_nouns(text, known_words())
        return Translation(replaced, ENGLISH, nearest=nearest) if nearest else None
    words = split_words(text, found)
    matches = list(match_words(words, found))
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
                attribute: dict[str, Any] = {word.kind: word.english}
                parts[-1] = replace(last, **attribute)
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
    adjectives = [word for word in (noun.quality, noun.size, noun.colour) if word]
    if noun.number:
        return " ".join([noun.number, *adjectives, plural(english)])
    return with_article(english, described=" ".join([*adjectives, english]))


def _behind(noun: _Noun) -> str:
    """A place behind a thing: in the snow, on a purple background."""
    phrase = PLACES[noun.english][1]
    if not noun.colour:
        return phrase
    preposition, _article, *rest = phrase.split() if " " in phrase else ("in", "a", phrase)
    return " ".join([preposition, "a", noun.colour, *(rest or [noun.english])])

"""Reads from a text which things it shows, where and in which colour, as far as a lexicon knows them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pixgen.models.portraits import Lexicon

LONGEST_NAME = 6  # words
COUNTS = {"two": 2, "2": 2, "pair": 2, "three": 3, "3": 3, "four": 3, "several": 3, "many": 3}
ARTICLES = {"a", "an", "the", "my", "some", "of", "very"}
ABOVE = {"above", "over", "on", "riding", "atop"}
BELOW = {"under", "below", "beneath", "underneath"}
MOST_THINGS = 3
BACKGROUNDS, BEFORE = {"background", "backdrop", "wall"}, {"on", "against", "before", "with"}
PATTERNED = {"striped", "dotted", "checkered"}
LONGEST_PLAIN = 7  # words of a background that says nothing but colours
# Centre and size as parts of the side, of one thing, and of several beside or above each other.
USUAL, SMALL, LARGE, ASIDE, PAIRED, OF_THREE = 0.85, 0.36, 1.1, 0.6, 0.5, 0.34
LOW = 0.06  # how far below the middle a thing stands where there is ground


@dataclass(frozen=True)
class Thing:
    """A thing that a text shows.

    Args:
        portraits: those that show it.
        colour: red, green and blue in 0 to 255, if the text gives it one.
        x, y: its centre, in [0, 1].
        size: of its side to the picture's.
    """

    portraits: tuple[int, ...]
    colour: tuple[int, int, int] | None = None
    x: float = 0.5
    y: float = 0.5
    size: float = USUAL


@dataclass(frozen=True)
class Shown:
    """What a text shows, as far as it is known.

    Args:
        ground: what is behind the things, in words; "" if nothing is said of it, or its colours are.
        colours: of a plain ground, each of red, green and blue in 0 to 255.
        hand: the name of a hand that changes the whole picture, "" for none.
    """

    things: tuple[Thing, ...]
    ground: str = ""
    colours: tuple[tuple[int, int, int], ...] = ()
    hand: str = ""


@dataclass(frozen=True)
class _Named:
    """A name in a text: its words from ``begin`` to ``end``, and what is said of it before and behind."""

    begin: int
    end: int
    portraits: tuple[int, ...]
    weak: bool
    count: int = 1
    colour: tuple[int, int, int] | None = None
    size: str = ""
    place: str = ""


def read_things(text: str, lexicon: Lexicon) -> Shown:
    """What a text shows, its things laid out as it says; none if it names none that is known."""
    words = re.findall(r"[^\W_]+(?:[-'’.][^\W_]+)*", text.lower())
    hand = _take(lexicon.hands_in_words, words, lexicon)
    ground = _take(lexicon.grounds_in_words, words, lexicon)
    colours: tuple[tuple[int, int, int], ...] = ()
    if behind := _take_background(words):
        colours = tuple(_colours(behind, lexicon))
        if not colours or len(behind) > LONGEST_PLAIN or set(behind) & PATTERNED:
            ground, colours = ground or " ".join(behind), ()
    things = _laid_out(_surest(_names(words, lexicon)), words)
    low = LOW if ground and len(things) == 1 and things[0].y == 0.5 else 0.0
    return Shown(tuple(replace(thing, y=thing.y + low) for thing in things), ground, colours, hand)


def _surest(names: Iterable[_Named]) -> list[_Named]:
    """Two names at most, of two things, in their order: those that may say something else come last; and
    of names side by side the last, for a kitchen table is a table."""
    found = list(names)
    heads = [each for each, after in zip(found, [*found[1:], None], strict=False)
             if after is None or after.begin > each.end]  # fmt: skip
    different = {each.portraits: each for each in reversed(heads)}
    surest = sorted(different.values(), key=lambda each: (each.weak, each.begin))[:2]
    return sorted(surest, key=lambda each: each.begin)


def _take(
    phrases: Sequence[tuple[tuple[str, ...], str]], words: list[str], lexicon: Lexicon
) -> str:
    """Blank the words of phrases; returns what the first of them means, "" if there is none."""
    found = ""
    for phrase, meant in phrases:
        for at in range(len(words) - len(phrase) + 1):
            behind = at + len(phrase)
            # A fire engine is no fire.
            longer = range(2, min(LONGEST_NAME, len(words) - behind + 1) + 1)
            named = any(_known(words[behind - 1 : behind - 1 + size], lexicon) for size in longer)
            if tuple(words[at:behind]) == phrase and not named:
                words[at:behind] = [""] * len(phrase)
                found = found or meant
    return found


def _take_background(words: list[str]) -> list[str]:
    """Blank and return the words from a preposition to “background”."""
    for at, word in enumerate(words):
        if word in BACKGROUNDS:
            for begin in range(at - 1, max(-1, at - 8), -1):
                if words[begin] in BEFORE:
                    taken = words[begin : at + 1]
                    words[begin : at + 1] = [""] * len(taken)
                    return taken
    return []


def _colours(words: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, int, int]]:
    at = 0
    while at < len(words):
        for size in (2, 1):
            name = " ".join(words[at : at + size])
            if name in lexicon.colours:
                yield tuple(lexicon.colours[name])
                at += size - 1
                break
        at += 1


def _names(words: Sequence[str], lexicon: Lexicon) -> Iterator[_Named]:
    """The names in a text from its beginning, longer ones first."""
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_NAME, len(words) - at), 0, -1):
            found = _known(words[at : at + length], lexicon)
            if found and not (length == 1 and _colours_what_follows(words, at, lexicon)):
                name, several = found
                portraits, weak = tuple(lexicon.names[name]), name in lexicon.weak
                named = _Named(at, at + length, portraits, weak, count=2 if several else 1)
                yield _said_of(named, words, lexicon)
                at += length
                break
        else:
            at += 1


def _colours_what_follows(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    """Whether a word that names a colour and a thing, as orange does, says the colour of something else."""
    if words[at] not in lexicon.colours:
        return False
    if at and words[at - 1] not in ARTICLES and words[at - 1] not in COUNTS:
        return True
    after = list(words[at + 1 : at + 6])
    if after[:1] == ["and"] and after[1:2] and after[1] in lexicon.colours:
        return True
    said = {*lexicon.fillers, *lexicon.small, *lexicon.large, *lexicon.colours}
    while after and after[0] in said:
        del after[0]
    lengths = range(1, min(LONGEST_NAME, len(after)) + 1)
    return any(_known(after[:length], lexicon) for length in lengths)


def _known(words: Sequence[str], lexicon: Lexicon) -> tuple[str, bool] | None:
    """A name as the lexicon has it, and whether it is in the plural."""
    if "" in words:
        return None
    for singular in _singulars(words[-1]):
        name = " ".join([*words[:-1], singular])
        if name in lexicon.names:
            return name, singular != words[-1]
    return None


def _singulars(word: str) -> Iterator[str]:
    yield word
    for end, other in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")):
        if word.endswith(end) and len(word) > len(end) + 1:
            yield word.removesuffix(end) + other


def _said_of(named: _Named, words: Sequence[str], lexicon: Lexicon) -> _Named:
    """With what stands before it of number, colour and size, and behind it of place."""
    at = named.begin - 1
    while at >= 0 and named.begin - at <= 6:
        word, pair = words[at], " ".join(words[max(0, at - 1) : at + 1])
        if pair in lexicon.colours:
            named, at = replace(named, colour=tuple(lexicon.colours[pair])), at - 1
        elif word in lexicon.colours:
            named = replace(named, colour=tuple(lexicon.colours[word]))
        elif word in COUNTS:
            named = replace(named, count=COUNTS[word])
        elif word in lexicon.small or word in lexicon.large:
            named = replace(named, size="small" if word in lexicon.small else "large")
        elif word not in lexicon.fillers and word not in ARTICLES:
            break
        at -= 1
    behind = " ".join(words[named.end : named.end + 4])
    for place, phrases in lexicon.places.items():
        if behind.startswith(tuple(phrases)):
            named = replace(named, place=place)
    return named


def _laid_out(named: Sequence[_Named], words: Sequence[str]) -> list[Thing]:
    if not named:
        return []
    if len(named) == 2:
        return _two(*named, words[named[0].end : named[1].begin])
    one = named[0]
    if one.count > 1:
        size = PAIRED if one.count == 2 else OF_THREE
        return [Thing(one.portraits, one.colour, (place + 0.5) / one.count, 0.5, size)
                for place in range(min(one.count, MOST_THINGS))]  # fmt: skip
    size = {"small": SMALL, "large": LARGE}.get(one.size, ASIDE if one.place else USUAL)
    away = 0.5 - size / 2
    x = {"left": 0.5 - away, "right": 0.5 + away}.get(one.place, 0.5)
    y = {"top": 0.5 - away, "bottom": 0.5 + away}.get(one.place, 0.5)
    return [Thing(one.portraits, one.colour, x, y, size)]


def _two(first: _Named, second: _Named, between: Sequence[str]) -> list[Thing]:
    """Two things: above each other if the words between say so, else beside each other."""

    def pair(one: tuple[float, float], other: tuple[float, float]) -> list[Thing]:
        return [Thing(first.portraits, first.colour, *one, PAIRED), Thing(second.portraits, second.colour, *other, PAIRED)]  # fmt: skip

    placed = first.place or second.place
    if ABOVE & set(between) and not placed:
        return pair((0.5, 0.31), (0.5, 0.71))
    if BELOW & set(between) and not placed:
        return pair((0.5, 0.71), (0.5, 0.31))
    reverse = first.place == "right" or second.place == "left" or {"right", "of"} <= set(between)
    left, right = (0.26, 0.52), (0.74, 0.52)
    return pair(right, left) if reverse else pair(left, right)

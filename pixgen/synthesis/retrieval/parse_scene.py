"""Parse a text into things with their number and colours, a background and a style, as far as a lexicon knows them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from pixgen.models.sketchers.common_words import (
    CLOSE,
    MATERIALS,
    QUALITY,
    join_hair,
    without_clothes,
    without_postures,
)
from pixgen.models.sketchers.pocket import Lexicon
from pixgen.synthesis.retrieval.layout import (
    CONTAINERS,
    HOLDING,
    RIDING,
    WEARING,
    NamedThing,
    Thing,
    lay_out,
    lay_out_groups,
    lay_out_three,
)
from pixgen.translation.english import FUNCTION_WORDS, IRREGULAR_PLURALS, singulars

PARSER_VERSION = 5  # the newest; recipes of earlier versions name none and are parsed as then
LONGEST_NAME = 6  # words
_IRREGULAR = frozenset(plural for single, plural in IRREGULAR_PLURALS.items() if plural != single)
_WORDS = r"[^\W_]+(?:[-'’.][^\W_]+)*"
_WORDS_AND_COMMAS = _WORDS + "|,"  # “apples, pears” are two things, “apple pears” one
# In versions 1 and 2 of the parser, three were the most.
OLD_COUNTS = {"two": 2, "2": 2, "pair": 2, "three": 3, "3": 3, "four": 3, "several": 3, "many": 3}
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTS = {
    **{word: number for number, word in enumerate(_NUMBERS, 2)},
    **{str(number): number for number in range(2, 13)},
    "pair": 2, "couple": 2, "few": 3, "several": 4, "many": 6, "lots": 6, "dozen": 12,
}  # fmt: skip
ENDS_DESCRIPTION = FUNCTION_WORDS | RIDING | WEARING | HOLDING | {"", ","}
ARTICLES = {"a", "an", "the", "my", "some", "of", "very"}
# Of “a cup of tea” or “a slice of cake” the drawing of what follows shows both.
MEASURES = {
    "bag", "bar", "basket", "bottle", "bowl", "box", "bucket", "bunch", "can", "carton", "crate", "cup", "dish",
    "drawing", "flock", "glass", "group", "handful", "heap", "herd", "image", "jar", "jug", "kind", "mug", "pack",
    "packet", "painting", "pair", "photo", "picture", "piece", "pile", "pint", "plate", "portrait", "pot", "slice",
    "sort", "stack", "swarm", "tin", "tray", "tub", "type",
}  # fmt: skip
BACKGROUNDS, BACKGROUND_PREPOSITIONS = {"background", "backdrop", "wall"}, {"on", "against", "before", "with"}
PATTERNED = {"striped", "dotted", "checkered"}
# Of animals and people; their drawings have them.
PARTS = frozenset({
    "arms", "beak", "body", "claws", "ears", "eyebrows", "eyelashes", "eyes", "face", "feathers", "feet", "fingers", "fins",
    "fur", "hands", "head", "hooves", "horns", "legs", "lips", "mane", "moustache", "mouth", "mustache", "nose", "paws",
    "scales", "skin", "spikes", "stripes", "tail", "teeth", "tongue", "trunk", "tusks", "whiskers", "wings",
})  # fmt: skip
_MOST_OF_PART = 4  # words from “with” to the part
_ENDS_OF = frozenset({"and", "at", "by", "in", "on", "with", ","})
_CLOSE_PHRASES = [(tuple(phrase.split()), phrase) for phrase in CLOSE]
_QUALITY_PHRASES = [(tuple(phrase.split()), phrase) for phrase in sorted(QUALITY, key=len, reverse=True)]
LONGEST_PLAIN = 7  # words of a background that says nothing but colours
# Grounds that are the light of another one: on a hill at night.
LIGHTS = {"a starry night": "night", "a sunset": "evening"}
LOW = 0.06  # how far below the middle a thing stands where there is ground


@dataclass(frozen=True)
class ParsedScene:
    """The things, background and style that a text describes, as far as the lexicon knows them.

    Args:
        ground: the background in words; "" if the text does not describe it, or gives only its colours.
        colours: of a plain background, each red, green and blue in 0 to 255.
        style: the name of a style, "" for none.
        light: in which the background is seen, "night", "evening" or "" for daylight.
    """

    things: tuple[Thing, ...]
    ground: str = ""
    colours: tuple[tuple[int, int, int], ...] = ()
    style: str = ""
    light: str = ""


def parse_scene(text: str, lexicon: Lexicon, *, version: int = PARSER_VERSION) -> ParsedScene:
    """Parse a text and lay its things out; there are none if it names none that the lexicon knows.

    Args:
        version: 1 as pixgen 0.1 parsed: a cup of coffee was a cup beside a coffee, and a background needed a
            preposition. Versions 1 and 2 read at most three things, of at most two kinds, and know neither commas
            nor plurals such as “teeth”. Version 3 knows only the styles and colours of the training captions. Versions up to
            4 place three things in columns and clothes beside who wears them.
    """
    counted = version > 2
    if counted:
        words = re.findall(_WORDS_AND_COMMAS, re.sub(r"['’]s\b", "", text.lower()))  # a dog's head is a dog
        if version > 3:
            lexicon = lexicon.extended
            words = without_postures(words, lexicon.names, newest=version > 4)
            words = join_hair(without_clothes(words, lexicon.names) if version > 4 else words, lexicon.names)
            _extract_phrase(_QUALITY_PHRASES, words, lexicon)
        else:
            lexicon = lexicon.corrected
    else:
        words = re.findall(_WORDS, text.lower())
    style = _extract_phrase(lexicon.style_phrases, words, lexicon)
    grounds, light = _extract_phrases(lexicon.ground_phrases, words, lexicon), ""
    if version > 3:
        grounds, light = _take_light(grounds)
    if version > 4:  # a dragon breathing fire on a castle holds no castle
        words = [
            "" if word in HOLDING and not after else word
            for word, after in zip(words, [*words[1:], "."], strict=False)
        ]
    ground = next(iter(grounds), "")
    colours: tuple[tuple[int, int, int], ...] = ()
    if behind := _extract_background(words, lexicon, alone=version > 1):
        colours = tuple(_colours(behind, lexicon))
        if not colours or len(behind) > LONGEST_PLAIN or set(behind) & PATTERNED:
            ground, colours = ground or " ".join(behind), ()
    close = version > 3 and _extract_phrase(_CLOSE_PHRASES, words, lexicon)
    names = _find_names(words, lexicon, counted=counted)
    if version > 1:
        names = _join_parts(names, words, version=version)
    if version > 4:
        names = (_with_certainty(each, words) for each in names if not _is_part(each, words))
    place = lay_out_groups if counted else lay_out
    likeliest = _likeliest(names, 3 if counted else 2)
    if close and len(likeliest) == 1 and likeliest[0].count == 1:
        likeliest = [replace(likeliest[0], size="large")]
    things = lay_out_three(likeliest, words, lexicon.worn) if version > 4 else []
    things = things or place(likeliest, words, lexicon.worn)
    low = LOW if ground and len(things) == 1 and things[0].y == 0.5 else 0.0
    return ParsedScene(
        tuple(replace(thing, y=thing.y + low) for thing in things), ground, colours, style, light
    )


def _is_part(named: NamedThing, words: Sequence[str]) -> bool:
    """Whether a name is of a part that something before it has, as in “a unicorn with a long mane”: no second thing."""
    said = words[max(0, named.begin - _MOST_OF_PART) : named.begin]
    return words[named.end - 1] in PARTS and "with" in said and named.begin > len(said)


def _with_certainty(named: NamedThing, words: Sequence[str]) -> NamedThing:
    """A name, which is sure if the text says that somebody wears, holds or rides what it names."""
    said = {*words[max(0, named.begin - 3) : named.begin]} & ((WEARING | HOLDING | RIDING) - {"with", "in"})
    return replace(named, weak=False) if said else named


def _join_parts(names: Iterable[NamedThing], words: Sequence[str], *, version: int) -> Iterator[NamedThing]:
    """Names of which two joined by “of” are one thing: what a measure holds, in the measure's number, or else
    the first, a king of hearts being a king.

    Since version 4, something else begins with a word such as “and”, and a car full of balloons is two things.
    """
    newest = version > 3
    before: NamedThing | None = None
    for named in names:
        if before is None:
            before = named
            continue
        between, head = words[before.end : named.begin], set(singulars(words[before.end - 1]))
        is_measure = not MEASURES.isdisjoint(head)
        is_filled = between[:1] == ["full"] and not is_measure and not CONTAINERS.isdisjoint(head)
        if (newest and (is_filled or _ENDS_OF & {*between})) or not _is_of(between):
            yield before
            before = named
        elif is_measure:
            count = max(before.count, named.count if named.count > 2 else 1)
            before = replace(named, begin=before.begin, count=count, size=named.size or before.size)
    if before is not None:
        yield before


def _is_of(between: Sequence[str]) -> bool:
    """Whether the words between two names say that one is of the other: “of”, “full of the”, but not “front of”."""
    head = list(between[1:] if between[:1] in (["full"], ["made"]) else between)
    return head[:1] == ["of"] and "" not in head and len(head) <= 4


def _likeliest(names: Iterable[NamedThing], most: int) -> list[NamedThing]:
    """At most ``most`` names of different things, in their order; a weak name is only taken among the first two. Of
    adjacent names the last counts: a kitchen table is a table."""
    found = list(names)
    heads = [
        each
        for each, after in zip(found, [*found[1:], None], strict=False)
        if after is None or after.begin > each.end
    ]
    different = {each.exemplars: each for each in reversed(heads)}
    surest = sorted(different.values(), key=lambda each: (each.weak, each.begin))
    taken = surest[:2] + [each for each in surest[2:most] if not each.weak]
    return sorted(taken, key=lambda each: each.begin)


def _extract_phrase(
    phrases: Sequence[tuple[tuple[str, ...], str]], words: list[str], lexicon: Lexicon
) -> str:
    """Blank all phrases in the words; returns the meaning of the first one in the text, or ""."""
    return next(iter(_extract_phrases(phrases, words, lexicon)), "")


def _extract_phrases(
    phrases: Sequence[tuple[tuple[str, ...], str]], words: list[str], lexicon: Lexicon
) -> list[str]:
    """Blank all phrases in the words; returns their meanings in the order of the text."""
    found: list[tuple[int, str]] = []
    begins: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        begins.setdefault(word, []).append(at)
    for phrase, meant in phrases:
        for at in begins.get(phrase[0], ()):
            behind = at + len(phrase)
            if tuple(words[at:behind]) == phrase and not _is_part_of_name(words, at, behind, lexicon):
                words[at:behind] = [""] * len(phrase)
                found.append((at, meant))
    return [meant for _at, meant in sorted(found)]


def _take_light(grounds: Sequence[str]) -> tuple[list[str], str]:
    """The grounds without those that are the light of the first one, and that light. “A sunset over the sea” is a
    sunset."""
    lights = [LIGHTS[ground] for ground in grounds[1:] if ground in LIGHTS]
    if not lights or grounds[0] in LIGHTS:
        return list(grounds), ""
    return [ground for ground in grounds if ground not in LIGHTS], lights[0]


def _is_part_of_name(words: Sequence[str], at: int, behind: int, lexicon: Lexicon) -> bool:
    """Whether a phrase is part of the name of a thing: a fire engine is not a fire, a national park not a
    meadow. A longer phrase may end a name: a bridge at night is at night."""
    last = behind - 1
    first = max(0, last - LONGEST_NAME + 2) if at == last else last
    return any(
        _find_name(words[begin:end], lexicon)
        for begin in range(first, behind)
        for end in range(max(begin + 2, behind), min(begin + LONGEST_NAME, len(words)) + 1)
    )


def _extract_background(words: list[str], lexicon: Lexicon, *, alone: bool) -> list[str]:
    """Blank and return the words from a preposition to “background”; without one, from the first of its colours
    if it may stand ``alone``."""
    for at, word in enumerate(words):
        if word in BACKGROUNDS:
            begins = range(at - 1, max(-1, at - 8), -1)
            begin = next((each for each in begins if words[each] in BACKGROUND_PREPOSITIONS), None)
            if begin is None and alone:
                described = takewhile(lambda each: _describes_background(words, each, lexicon), begins)
                begin = min(described, default=None)
            if begin is None:
                continue
            taken = words[begin : at + 1]
            words[begin : at + 1] = [""] * len(taken)
            return taken
    return []


def _describes_background(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    pairs = (" ".join(words[begin : begin + 2]) for begin in (at - 1, at) if begin >= 0)
    said = {*lexicon.colours, *PATTERNED, *ARTICLES, "and", "plain"}
    return words[at] in said or any(pair in lexicon.colours for pair in pairs)


def _rgb(name: str, lexicon: Lexicon) -> tuple[int, int, int]:
    red, green, blue = lexicon.colours[name]
    return red, green, blue


def _colours(words: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, int, int]]:
    at = 0
    while at < len(words):
        for size in (2, 1):
            name = " ".join(words[at : at + size])
            if name in lexicon.colours:
                yield _rgb(name, lexicon)
                at += size - 1
                break
        at += 1


def _find_names(words: Sequence[str], lexicon: Lexicon, *, counted: bool) -> Iterator[NamedThing]:
    """The names in a text from its beginning; longer names win. ``counted``: as of version 3."""
    counts = COUNTS if counted else OLD_COUNTS
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_NAME, len(words) - at), 0, -1):
            said = words[at : at + length]
            name = _find_name(said, lexicon)
            if name and not (length == 1 and _is_adjective(words, at, lexicon, counts=counts)):
                exemplars, weak = tuple(lexicon.names[name]), name in lexicon.weak
                is_plural = name != " ".join(said) or (counted and said[-1] in _IRREGULAR)
                named = NamedThing(at, at + length, exemplars, weak, count=2 if is_plural else 1)
                yield _describe(named, words, lexicon, counts=counts, unknown=1 if counted else 0)
                at += length
                break
        else:
            at += 1


def _is_adjective(words: Sequence[str], at: int, lexicon: Lexicon, *, counts: Mapping[str, int]) -> bool:
    """Whether a word that is a colour and a thing, such as orange, is the colour of the thing after it."""
    if words[at] not in lexicon.colours:
        return False
    if words[at] not in MATERIALS and at and words[at - 1] not in ARTICLES and words[at - 1] not in counts:
        return True
    after = list(words[at + 1 : at + 6])
    if after[:1] == ["and"] and after[1:2] and after[1] in lexicon.colours:
        return True
    said = {*lexicon.fillers, *lexicon.small, *lexicon.large, *lexicon.colours}
    while after and after[0] in said:
        del after[0]
    lengths = range(1, min(LONGEST_NAME, len(after)) + 1)
    return any(_find_name(after[:length], lexicon) for length in lengths)


def _joins_adjectives(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    """Whether a word is the comma of “a big, red ball”."""
    return words[at] == "," and at > 0 and words[at - 1] in {*lexicon.colours, *lexicon.small, *lexicon.large}


def _find_name(words: Sequence[str], lexicon: Lexicon) -> str | None:
    """The name in the lexicon that the words are, or are the plural of."""
    if "" in words:
        return None
    names = (" ".join([*words[:-1], singular]) for singular in singulars(words[-1]))
    return next((name for name in names if name in lexicon.names), None)


def _describe(
    named: NamedThing, words: Sequence[str], lexicon: Lexicon, *, counts: Mapping[str, int], unknown: int
) -> NamedThing:
    """Add the number, colour and size in the words before a name, and the place in those after it.

    Args:
        unknown: how many unknown words may stand between them, as in “ten wine bottles”.
    """
    at = named.begin - 1
    while at >= 0 and named.begin - at <= 6:
        word, pair = words[at], " ".join(words[max(0, at - 1) : at + 1])
        if pair in lexicon.colours:
            named, at = replace(named, colour=_rgb(pair, lexicon)), at - 1
        elif word in lexicon.colours:
            named = replace(named, colour=_rgb(word, lexicon))
        elif word in counts:
            named, unknown = replace(named, count=counts[word]), 0
        elif word in lexicon.small or word in lexicon.large:
            named = replace(named, size="small" if word in lexicon.small else "large")
        elif word in ARTICLES:
            unknown = 0
        elif word not in lexicon.fillers and not _joins_adjectives(words, at, lexicon):
            if not unknown or word in ENDS_DESCRIPTION:
                break
            unknown -= 1
        at -= 1
    behind = " ".join(word for word in words[named.end : named.end + 5] if word != ",")
    for place, phrases in lexicon.places.items():
        if behind.startswith(tuple(phrases)):
            named = replace(named, place=place)
    return named

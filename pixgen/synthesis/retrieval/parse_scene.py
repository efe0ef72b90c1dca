"""Parse a text into things with their colours, as far as a lexicon knows them, and lay these out in the picture:
beside or above each other, worn, held or ridden.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from pixgen.models.sketchers.pocket import Lexicon
from pixgen.translation.english import singulars

ABOVE = {"above", "over", "on", "atop"}
BELOW = {"under", "below", "beneath", "underneath"}
RIDING = {"riding", "rides", "ride"}
WEARING = {"wearing", "wears", "with", "in"}
HOLDING = {"with", "holding", "holds", "carrying", "carries", "eating", "eats", "drinking", "drinks", "reading",
           "reads", "playing", "plays"}  # fmt: skip
MOST_THINGS = 3
# Centre and size as parts of the side, of one thing, and of several beside or above each other.
USUAL_SIZE, SMALL_SIZE, LARGE_SIZE, ASIDE_SIZE, PAIR_SIZE, TRIPLE_SIZE = 0.85, 0.36, 1.1, 0.6, 0.5, 0.34
# Of two that touch, (x, y, size, edge) of each.
WORN, WEARER = (0.5, 0.34, 0.36, "bottom"), (0.5, 0.28, 0.68, "top")
HELD, HOLDER = (0.77, 0.66, 0.38, ""), (0.42, 0.48, 0.76, "")
RIDER, RIDDEN = (0.5, 0.58, 0.5, "bottom"), (0.5, 0.38, 0.62, "top")
UPPER, LOWER = (0.5, 0.52, PAIR_SIZE, "bottom"), (0.5, 0.5, PAIR_SIZE, "top")
PARSER_VERSION = 2  # the newest; recipes of earlier versions name none and are parsed as then
LONGEST_NAME = 6  # words
COUNTS = {"two": 2, "2": 2, "pair": 2, "three": 3, "3": 3, "four": 3, "several": 3, "many": 3}
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
LONGEST_PLAIN = 7  # words of a background that says nothing but colours
LOW = 0.06  # how far below the middle a thing stands where there is ground


@dataclass(frozen=True)
class Thing:
    """A thing to draw, with its place.

    Args:
        exemplars: the exemplars that show it.
        colour: red, green and blue in 0 to 255, if the text gives it one.
        x, y: its centre, in [0, 1].
        size: of its side to the picture's.
        edge: "top" or "bottom" where ``y`` is this edge of it and not its centre, so that it stands on
            another, however tall it is.
    """

    exemplars: tuple[int, ...]
    colour: tuple[int, int, int] | None = None
    x: float = 0.5
    y: float = 0.5
    size: float = USUAL_SIZE
    edge: str = ""


@dataclass(frozen=True)
class NamedThing:
    """The name of a thing in a text, its words from ``begin`` to ``end``, and its attributes.

    Args:
        exemplars: the exemplars that show it.
        weak: whether the name often means something else.
        count: the number of things.
        colour: red, green and blue in 0 to 255, if it has one.
        size: "small", "large" or "".
        place: "left", "right", "top", "bottom" or "".
    """

    begin: int
    end: int
    exemplars: tuple[int, ...]
    weak: bool
    count: int = 1
    colour: tuple[int, int, int] | None = None
    size: str = ""
    place: str = ""


def lay_out(named: Sequence[NamedThing], words: Sequence[str], worn: Sequence[int] = ()) -> list[Thing]:
    """Place things as a text says; those in front come first.

    Args:
        named: at most two, in their order.
        words: of the text.
        worn: exemplars of things that are worn on a head.
    """
    if not named:
        return []
    if len(named) == 2:
        first, second = named
        return _lay_out_pair(first, second, words[first.end : second.begin], worn)
    one = named[0]
    if one.count > 1:
        size = PAIR_SIZE if one.count == 2 else TRIPLE_SIZE
        return [
            Thing(one.exemplars, one.colour, (place + 0.5) / one.count, 0.5, size)
            for place in range(min(one.count, MOST_THINGS))
        ]
    size = {"small": SMALL_SIZE, "large": LARGE_SIZE}.get(one.size, ASIDE_SIZE if one.place else USUAL_SIZE)
    away = 0.5 - size / 2
    x = {"left": 0.5 - away, "right": 0.5 + away}.get(one.place, 0.5)
    y = {"top": 0.5 - away, "bottom": 0.5 + away}.get(one.place, 0.5)
    return [Thing(one.exemplars, one.colour, x, y, size)]


def _lay_out_pair(
    first: NamedThing, second: NamedThing, between: Sequence[str], worn: Sequence[int]
) -> list[Thing]:
    """Place two things: touching or above each other if the words between them say so, otherwise side by
    side."""
    said = set(between)
    if not (first.place or second.place):
        if RIDING & said:
            return [_place(first, *RIDER), _place(second, *RIDDEN)]
        if WEARING & said and set(second.exemplars) <= set(worn):
            return [_place(second, *WORN), _place(first, *WEARER)]
        if HOLDING & said:
            return [_place(second, *HELD), _place(first, *HOLDER)]
        if ABOVE & said:
            return [_place(first, *UPPER), _place(second, *LOWER)]
        if BELOW & said:
            return [_place(first, *LOWER), _place(second, *UPPER)]
    reverse = first.place == "right" or second.place == "left" or {"right", "of"} <= said
    left, right = (0.26, 0.52, PAIR_SIZE), (0.74, 0.52, PAIR_SIZE)
    places = (right, left) if reverse else (left, right)
    return [_place(first, *places[0]), _place(second, *places[1])]


def _place(named: NamedThing, x: float, y: float, size: float, edge: str = "") -> Thing:
    return Thing(named.exemplars, named.colour, x, y, size, edge)


@dataclass(frozen=True)
class ParsedScene:
    """The things, background and style that a text describes, as far as the lexicon knows them.

    Args:
        ground: the background in words; "" if the text does not describe it, or gives only its colours.
        colours: of a plain background, each red, green and blue in 0 to 255.
        style: the name of a style, "" for none.
    """

    things: tuple[Thing, ...]
    ground: str = ""
    colours: tuple[tuple[int, int, int], ...] = ()
    style: str = ""


def parse_scene(text: str, lexicon: Lexicon, *, version: int = PARSER_VERSION) -> ParsedScene:
    """Parse a text and lay its things out; there are none if it names none that the lexicon knows.

    Args:
        version: 1 as pixgen 0.1 parsed: a cup of coffee was a cup beside a coffee, and a background needed a
            preposition.
    """
    words = re.findall(r"[^\W_]+(?:[-'’.][^\W_]+)*", text.lower())
    style = _extract_phrase(lexicon.style_phrases, words, lexicon)
    ground = _extract_phrase(lexicon.ground_phrases, words, lexicon)
    colours: tuple[tuple[int, int, int], ...] = ()
    if behind := _extract_background(words, lexicon, alone=version > 1):
        colours = tuple(_colours(behind, lexicon))
        if not colours or len(behind) > LONGEST_PLAIN or set(behind) & PATTERNED:
            ground, colours = ground or " ".join(behind), ()
    names = _find_names(words, lexicon)
    if version > 1:
        names = _join_parts(names, words)
    things = lay_out(_likeliest(names), words, lexicon.worn)
    low = LOW if ground and len(things) == 1 and things[0].y == 0.5 else 0.0
    return ParsedScene(tuple(replace(thing, y=thing.y + low) for thing in things), ground, colours, style)


def _join_parts(names: Iterable[NamedThing], words: Sequence[str]) -> Iterator[NamedThing]:
    """Names of which two joined by “of” are one thing: what a measure holds, in the measure's number, or else
    the first, a king of hearts being a king."""
    before: NamedThing | None = None
    for named in names:
        if before is None:
            before = named
        elif not _is_of(words[before.end : named.begin]):
            yield before
            before = named
        elif any(word in MEASURES for word in singulars(words[before.end - 1])):
            count = max(before.count, named.count if named.count > 2 else 1)
            before = replace(named, begin=before.begin, count=count, size=named.size or before.size)
    if before is not None:
        yield before


def _is_of(between: Sequence[str]) -> bool:
    """Whether the words between two names say that one is of the other: “of”, “full of the”, but not “front of”."""
    head = list(between[1:] if between[:1] in (["full"], ["made"]) else between)
    return head[:1] == ["of"] and "" not in head and len(head) <= 4


def _likeliest(names: Iterable[NamedThing]) -> list[NamedThing]:
    """At most two names of different things, in their order; weak names are taken last. Of adjacent names the
    last counts: a kitchen table is a table."""
    found = list(names)
    heads = [
        each
        for each, after in zip(found, [*found[1:], None], strict=False)
        if after is None or after.begin > each.end
    ]
    different = {each.exemplars: each for each in reversed(heads)}
    surest = sorted(different.values(), key=lambda each: (each.weak, each.begin))[:2]
    return sorted(surest, key=lambda each: each.begin)


def _extract_phrase(
    phrases: Sequence[tuple[tuple[str, ...], str]], words: list[str], lexicon: Lexicon
) -> str:
    """Blank all phrases in the words; returns the meaning of the first one in the text, or ""."""
    found: list[tuple[int, str]] = []
    for phrase, meant in phrases:
        for at in range(len(words) - len(phrase) + 1):
            behind = at + len(phrase)
            if tuple(words[at:behind]) == phrase and not _is_part_of_name(words, at, behind, lexicon):
                words[at:behind] = [""] * len(phrase)
                found.append((at, meant))
    return min(found, default=(0, ""))[1]


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


def _find_names(words: Sequence[str], lexicon: Lexicon) -> Iterator[NamedThing]:
    """The names in a text from its beginning; longer names win."""
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_NAME, len(words) - at), 0, -1):
            found = _find_name(words[at : at + length], lexicon)
            if found and not (length == 1 and _is_adjective(words, at, lexicon)):
                name, several = found
                exemplars, weak = tuple(lexicon.names[name]), name in lexicon.weak
                named = NamedThing(at, at + length, exemplars, weak, count=2 if several else 1)
                yield _describe(named, words, lexicon)
                at += length
                break
        else:
            at += 1


def _is_adjective(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    """Whether a word that is a colour and a thing, such as orange, is the colour of the thing after it."""
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
    return any(_find_name(after[:length], lexicon) for length in lengths)


def _find_name(words: Sequence[str], lexicon: Lexicon) -> tuple[str, bool] | None:
    """The name in the lexicon, and whether the words are its plural."""
    if "" in words:
        return None
    for singular in singulars(words[-1]):
        name = " ".join([*words[:-1], singular])
        if name in lexicon.names:
            return name, singular != words[-1]
    return None


def _describe(named: NamedThing, words: Sequence[str], lexicon: Lexicon) -> NamedThing:
    """Add the number, colour and size in the words before a name, and the place in those after it."""
    at = named.begin - 1
    while at >= 0 and named.begin - at <= 6:
        word, pair = words[at], " ".join(words[max(0, at - 1) : at + 1])
        if pair in lexicon.colours:
            named, at = replace(named, colour=_rgb(pair, lexicon)), at - 1
        elif word in lexicon.colours:
            named = replace(named, colour=_rgb(word, lexicon))
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

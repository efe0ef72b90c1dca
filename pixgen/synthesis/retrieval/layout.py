"""Place the things of a text in the picture: beside, above, behind or inside each other, worn, held or ridden, and
several of one kind in rows.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ABOVE = {"above", "over", "on", "atop"}
BELOW = {"under", "below", "beneath", "underneath"}
RIDING = {"riding", "rides", "ride"}
WEARING = {"wearing", "wears", "with", "in"}
HOLDING = {"with", "holding", "holds", "carrying", "carries", "eating", "eats", "drinking", "drinks", "reading",
           "reads", "playing", "plays"}  # fmt: skip
INSIDE = {"inside", "into", "within"}
# What a thing that is “in” it is drawn inside of; who is in a suit wears it.
CONTAINERS = {
    "bag", "balloon", "basket", "bathtub", "bed", "boat", "bottle", "bowl", "box", "bucket", "bus", "cage", "car",
    "castle", "cup", "glass", "house", "jar", "mug", "nest", "pan", "plate", "pot", "rocket", "spaceship", "taxi",
    "tent", "train", "truck", "tub", "van", "window",
}  # fmt: skip
BEHIND = {"behind"}
FRONT = ("in", "front", "of")
FULL = ["full", "of"]
MOST_BETWEEN = 4  # words of “full of the big, red”
MOST_THINGS = 3
# Centre and size as parts of the side, of one thing, and of several beside or above each other.
USUAL_SIZE, SMALL_SIZE, LARGE_SIZE, ASIDE_SIZE, PAIR_SIZE, TRIPLE_SIZE = 0.85, 0.36, 1.1, 0.6, 0.5, 0.34
# Of two that touch, (x, y, size, edge) of each.
WORN, WEARER = (0.5, 0.34, 0.36, "bottom"), (0.5, 0.28, 0.68, "top")
HELD, HOLDER = (0.77, 0.66, 0.38, ""), (0.42, 0.48, 0.76, "")
RIDER, RIDDEN = (0.5, 0.58, 0.5, "bottom"), (0.5, 0.38, 0.62, "top")
UPPER, LOWER = (0.5, 0.52, PAIR_SIZE, "bottom"), (0.5, 0.5, PAIR_SIZE, "top")
# Of three: who wears or holds the others, and a rider with a hat; and three that only stand together.
BEARER, WORN_OF_THREE = (0.46, 0.27, 0.7, "top"), (0.46, 0.33, 0.34, "bottom")
HELD_OF_THREE, ALSO_HELD = (0.8, 0.66, 0.36, ""), (0.16, 0.66, 0.34, "")
HAT_OF_RIDER, RIDER_OF_THREE, RIDDEN_OF_THREE = (
    (0.5, 0.25, 0.26, "bottom"), (0.5, 0.62, 0.44, "bottom"), (0.5, 0.45, 0.56, "top"),
)  # fmt: skip
# Somebody with what is worn or held, each with the bearer's place, and a third thing beside them.
ASIDE = {
    "worn": ((0.34, 0.33, 0.32, "bottom"), (0.34, 0.27, 0.62, "top")),
    "held": ((0.5, 0.72, 0.3, ""), (0.29, 0.52, 0.56, "")),
}
BESIDE = (0.8, 0.66, 0.38)
FRONT_LEFT, FRONT_RIGHT, BACK_OF_THREE = (0.27, 0.7, 0.52), (0.75, 0.7, 0.5), (0.52, 0.27, 0.5)
# Of two of which one hides a part of the other, (x, y, size) of each.
NEAR, FAR = (0.4, 0.62, 0.62), (0.62, 0.38, 0.6)
CONTENT, CONTAINER = (0.5, 0.46, 0.42), (0.5, 0.52, 0.9)
UPPER_HALF, LOWER_HALF = (
    (0.0, 0.54),
    (0.46, 1.0),
)  # from top to bottom; they overlap, so that things nearly touch
MOST_OF_A_KIND = 12


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


def lay_out_groups(
    named: Sequence[NamedThing], words: Sequence[str], worn: Sequence[int] = ()
) -> list[Thing]:
    """Place up to three kinds of things, each in its number, as a text says; those in front come first.

    Args:
        named: in their order.
        words: of the text.
        worn: exemplars of things that are worn on a head.
    """
    if all(each.count == 1 for each in named) and len(named) < 3:
        return _lay_out_hidden(named, words) or lay_out(named, words, worn)
    for at, (before, after) in enumerate(zip(named, named[1:], strict=False), 1):
        said = set(words[before.end : after.begin])
        if (ABOVE | RIDING) & said:
            return [*_in_columns(named[:at], *UPPER_HALF), *_in_columns(named[at:], *LOWER_HALF)]
        if BELOW & said:
            return [*_in_columns(named[:at], *LOWER_HALF), *_in_columns(named[at:], *UPPER_HALF)]
    return list(_in_columns(named, 0.0, 1.0))


def lay_out_three(named: Sequence[NamedThing], words: Sequence[str], worn: Sequence[int] = ()) -> list[Thing]:
    """Place three single things as they relate to each other; none if there are not three, or if something stands
    above something else, as ``lay_out_groups`` shows it.

    Args:
        named, words, worn: as of ``lay_out_groups``.
    """
    if len(named) != 3 or any(each.count > 1 or each.place for each in named):
        return []
    first, second, third = named
    one = _touches(words[first.end : second.begin], second, worn)
    other = _touches(words[second.end : third.begin], third, worn)
    if {one, other} in ({"worn", "held"}, {"held"}, {"worn"}):
        places = {"worn": [WORN_OF_THREE, HELD_OF_THREE], "held": [HELD_OF_THREE, ALSO_HELD]}
        second_place = places[one][0]
        third_place = next(each for each in places[other] if each != second_place)
        return [_place(second, *second_place), _place(third, *third_place), _place(first, *BEARER)]
    if {one, other} == {"worn", "ridden"}:
        hat, ridden = (second, third) if one == "worn" else (third, second)
        return [_place(hat, *HAT_OF_RIDER), _place(first, *RIDER_OF_THREE), _place(ridden, *RIDDEN_OF_THREE)]
    between = {*words[first.end : second.begin], *words[second.end : third.begin]}
    if one in ASIDE and not other:
        second_place, first_place = ASIDE[one]
        return [_place(second, *second_place), _place(first, *first_place), _place(third, *BESIDE)]
    if (ABOVE | BELOW | RIDING) & between:
        return []
    return [
        _place(each, *place)
        for each, place in zip(named, (FRONT_LEFT, FRONT_RIGHT, BACK_OF_THREE), strict=True)
    ]


def _touches(between: Sequence[str], thing: NamedThing, worn: Sequence[int]) -> str:
    """What the words before a thing say of it: that somebody has it "worn" or "held", or that it is "ridden"; or ""."""
    said = set(between)
    if RIDING & said:
        return "ridden"
    if {"wearing", "wears", "with", "in"} & said and set(thing.exemplars) <= set(worn):
        return "worn"
    return "held" if (HOLDING - {"with"}) & said else ""


def _lay_out_hidden(named: Sequence[NamedThing], words: Sequence[str]) -> list[Thing]:
    """Place two things of which one hides a part of the other; none if the text does not say so."""
    if len(named) < 2:
        return []
    first, second = named
    between = words[first.end : second.begin]
    if tuple(between[:3]) == FRONT:
        return [_place(first, *NEAR), _place(second, *FAR)]
    if BEHIND & set(between):
        return [_place(second, *NEAR), _place(first, *FAR)]
    if INSIDE & set(between) or ("in" in between and words[second.end - 1] in CONTAINERS):
        return [_place(first, *CONTENT), _place(second, *CONTAINER)]
    if list(between[:2]) == FULL and len(between) <= MOST_BETWEEN:
        return [_place(second, *CONTENT), _place(first, *CONTAINER)]
    return []


def _in_columns(named: Sequence[NamedThing], top: float, bottom: float) -> Iterator[Thing]:
    """Place things between two heights, each kind in a separate column."""
    for column, each in enumerate(named):
        yield from _in_rows(each, column / len(named), top, (column + 1) / len(named), bottom)


def _in_rows(named: NamedThing, left: float, top: float, right: float, bottom: float) -> Iterator[Thing]:
    """Repeat a thing inside a box, in as many rows as make it largest; the upper rows may hold one less."""
    count = min(named.count, MOST_OF_A_KIND)
    width, height = right - left, bottom - top

    def side(columns: int) -> float:
        return min(width / columns, height / math.ceil(count / columns))

    columns = max(range(1, count + 1), key=lambda each: (side(each), each))
    rows = math.ceil(count / columns)
    for row in range(rows):
        in_row = count // rows + (row >= rows - count % rows)
        for column in range(in_row):
            x = left + width * (column + 0.5) / in_row
            y = top + height * (row + 0.5) / rows
            yield _place(named, x, y, min(side(columns), ASIDE_SIZE))


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

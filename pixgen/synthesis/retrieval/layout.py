"""Lay out the things of a text, their places and sizes: beside or above each other, worn, held or ridden."""

from collections.abc import Sequence
from dataclasses import dataclass

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

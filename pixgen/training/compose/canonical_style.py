"""One way to draw what a caption leaves open, so that a small sketcher can learn it.

Chance that no caption tells (which of seven drawings of a fox, turned and shifted how far, before which
of a hundred lawns) is noise to a model that writes codes: it has to learn the same shape thousands of
times over. In a plain hand the same words always give nearly the same codes.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from pixgen.training.compose.captions import Author
from pixgen.training.compose.compositions import Background, Composition, Layer
from pixgen.training.data.sources import FAMILIES

# Flat shapes with few shades first: an 8-pixel code holds them best.
ORDER = ("twemoji", "emojione", "fluent-flat", "noto", "noto-v1", "openmoji", "fluent", "clipart")
STYLES_SAID = frozenset(style for family in FAMILIES for style in family.style)
WHITE = Background("plain", ("white",))
VARIANTS = 4  # of each setting
LOW = 8 / 128  # how far below the middle a thing stands where there is ground: one code
USUAL, SMALL, LARGE, ASIDE, PAIRED = 0.85, 0.36, 1.1, 0.6, 0.5  # parts of the side
NAMED = {f"emoji-{group}" for group in (3, 4, 5, 6, 7)}  # animals, food, places, sport, objects
COMMON = 2.5  # how much oftener a thing of one word is drawn: people ask for foxes, not for fish cakes


def simplify_caption(table: Sequence[dict]) -> list[dict]:
    """The table of sprites with a greater weight for what one word names, and with the last word of
    longer names among the names: people ask for a tree, seldom for a deciduous tree."""
    told = []
    for record in table:
        *before, last = record["thing"].split()
        weight = record["weight"] * (1 if before else COMMON)
        names = record["names"] + [last] * 3 if before and record["group"] in NAMED else record["names"]
        told.append({**record, "weight": weight, "names": names})
    return told


class CanonicalStyle:
    """Redraws an author's compositions in a plain hand."""

    def __init__(self, author: Author) -> None:
        table = author.table
        drawings: dict[str, list[int]] = defaultdict(list)
        for index, record in enumerate(table):
            if index not in author.unseen:
                drawings[record["thing"]].append(index)
        self._author, self._thing = author, [record["thing"] for record in table]
        self._first = {
            thing: min(found, key=lambda index: (ORDER.index(table[index]["family"]), index))
            for thing, found in drawings.items()
        }

    def portraits(self) -> dict[str, Composition]:
        """Every thing by its name, alone on white."""
        return {
            thing: Composition(WHITE, (Layer(sprite, 0.5, 0.5, USUAL),))
            for thing, sprite in self._first.items()
        }

    def redrawn(self, composition: Composition) -> Composition:
        """The same caption; what it leaves open, always in the same way."""
        if not composition.layers:
            return replace(composition, background=_calm(composition.background))
        layers = composition.layers
        if not any(style in composition.caption for style in STYLES_SAID):
            layers = tuple(replace(layer, sprite=self._first[self._thing[layer.sprite]]) for layer in layers)
        whitened = replace(composition, background=WHITE)
        if not composition.meaning[-2] and self._author.allowed(whitened):  # nothing is said of it
            composition = whitened
        ground = _calm(composition.background)
        low = LOW if ground.setting else 0.0
        placed = tuple(
            replace(layer, x=x, y=y + low, scale=scale, angle=0.0, flip=False)
            for layer, (x, y, scale) in zip(layers, _places(composition, layers), strict=True)
        )
        return replace(composition, background=ground, layers=placed)


def _calm(ground: Background) -> Background:
    return replace(ground, variant=ground.variant % VARIANTS, flip=False)


def _places(composition: Composition, layers: Sequence[Layer]) -> list[tuple[float, float, float]]:
    """Where each layer's middle is, and its size."""
    if len(layers) == 1:
        return [_place_of_one(composition)]
    if len({layer.sprite for layer in layers}) == 1:
        count = len(layers)
        return [((place + 0.5) / count, 0.5, 0.95 / count) for place in range(count)]
    first, second = composition.layers
    if abs(first.y - second.y) > 0.3:
        return [(0.5, 0.25, PAIRED), (0.5, 0.75, PAIRED)]
    return [(0.25, 0.5, PAIRED), (0.75, 0.5, PAIRED)]


def _place_of_one(composition: Composition) -> tuple[float, float, float]:
    _, _, size, place, *_ = composition.meaning
    scale = {"small": SMALL, "large": LARGE}.get(size, ASIDE if place else USUAL)
    away = 0.5 - scale / 2
    x = {"left": 0.5 - away, "right": 0.5 + away}.get(place, 0.5)
    y = {"top": 0.5 - away, "bottom": 0.5 + away}.get(place, 0.5)
    return x, y, scale

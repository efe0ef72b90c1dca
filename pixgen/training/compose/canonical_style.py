"""The canonical style: one fixed way to draw everything that a caption does not mention, which a small sketch
model can learn.

What no caption says (which of seven drawings of a fox, how it is turned and shifted, which of a hundred lawns it
stands on) is noise to a model that predicts codes: it would have to learn the same shape thousands of times. In
the canonical style, the same words always give nearly the same codes.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Background, Composition, Layer
from pixgen.training.data.sources import FAMILIES

# Flat shapes with few shades first: an 8-pixel code holds them best.
FAMILY_ORDER = ("twemoji", "emojione", "fluent-flat", "noto", "noto-v1", "openmoji", "fluent", "clipart")
STYLE_PHRASES = frozenset(style for family in FAMILIES for style in family.style)
WHITE = Background("plain", ("white",))
VARIANTS = 4  # of each setting
GROUND_OFFSET = 8 / 128  # how far below the middle a thing stands where there is ground: one code
USUAL_SCALE, SMALL_SCALE, LARGE_SCALE, ASIDE_SCALE, PAIRED_SCALE = (
    0.85,
    0.36,
    1.1,
    0.6,
    0.5,
)  # parts of the side
NAMED_GROUPS = {f"emoji-{group}" for group in (3, 4, 5, 6, 7)}  # animals, food, places, sport, objects
ONE_WORD_WEIGHT = (
    2.5  # how much more often a thing with a one-word name is drawn: people ask for foxes, not for fish cakes
)


def simplify_names(table: Sequence[dict]) -> list[dict]:
    """Weight things with one-word names higher, and add the last word of longer names to the names.

    People ask for a tree, seldom for a deciduous tree.
    """
    reweighted = []
    for record in table:
        *before, last = record["thing"].split()
        weight = record["weight"] * (1 if before else ONE_WORD_WEIGHT)
        names = (
            record["names"] + [last] * 3 if before and record["group"] in NAMED_GROUPS else record["names"]
        )
        reweighted.append({**record, "weight": weight, "names": names})
    return reweighted


class CanonicalStyle:
    """Redraws compositions in the canonical style."""

    def __init__(self, sampler: CompositionSampler) -> None:
        table = sampler.table
        drawings: dict[str, list[int]] = defaultdict(list)
        for index, record in enumerate(table):
            if index not in sampler.unseen:
                drawings[record["thing"]].append(index)
        self._sampler, self._thing = sampler, [record["thing"] for record in table]
        self._first = {
            thing: min(found, key=lambda index: (FAMILY_ORDER.index(table[index]["family"]), index))
            for thing, found in drawings.items()
        }

    def exemplars(self) -> dict[str, Composition]:
        """A composition of each thing alone on white, by its name."""
        return {
            thing: Composition(WHITE, (Layer(sprite, 0.5, 0.5, USUAL_SCALE),))
            for thing, sprite in self._first.items()
        }

    def redraw(self, composition: Composition) -> Composition:
        """The composition with the same caption, and everything else in the canonical style."""
        if not composition.layers:
            return replace(composition, background=_simplify_background(composition.background))
        layers = composition.layers
        if not any(style in composition.caption for style in STYLE_PHRASES):
            layers = tuple(replace(layer, sprite=self._first[self._thing[layer.sprite]]) for layer in layers)
        whitened = replace(composition, background=WHITE)
        if not composition.meaning[-2] and self._sampler.allowed(whitened):  # the caption names no background
            composition = whitened
        ground = _simplify_background(composition.background)
        low = GROUND_OFFSET if ground.setting else 0.0
        placed = tuple(
            replace(layer, x=x, y=y + low, scale=scale, angle=0.0, flip=False)
            for layer, (x, y, scale) in zip(layers, _positions(composition, layers), strict=True)
        )
        return replace(composition, background=ground, layers=placed)


def _simplify_background(ground: Background) -> Background:
    return replace(ground, variant=ground.variant % VARIANTS, flip=False)


def _positions(composition: Composition, layers: Sequence[Layer]) -> list[tuple[float, float, float]]:
    """The centre and size of each layer."""
    if len(layers) == 1:
        return [_position_of_one(composition)]
    if len({layer.sprite for layer in layers}) == 1:
        count = len(layers)
        return [((place + 0.5) / count, 0.5, 0.95 / count) for place in range(count)]
    first, second = composition.layers
    if abs(first.y - second.y) > 0.3:
        return [(0.5, 0.25, PAIRED_SCALE), (0.5, 0.75, PAIRED_SCALE)]
    return [(0.25, 0.5, PAIRED_SCALE), (0.75, 0.5, PAIRED_SCALE)]


def _position_of_one(composition: Composition) -> tuple[float, float, float]:
    _, _, size, place, *_ = composition.meaning
    scale = {"small": SMALL_SCALE, "large": LARGE_SCALE}.get(size, ASIDE_SCALE if place else USUAL_SCALE)
    away = 0.5 - scale / 2
    x = {"left": 0.5 - away, "right": 0.5 + away}.get(place, 0.5)
    y = {"top": 0.5 - away, "bottom": 0.5 + away}.get(place, 0.5)
    return x, y, scale

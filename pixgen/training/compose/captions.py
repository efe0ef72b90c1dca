"""Sample compositions with captions: things, positions, sizes, colours and style.

A caption says what the picture shows, and leaves out what a person would leave out. A tenth of all combinations (a
thing with its colour in its setting) is held out: ``split="train"`` never shows them, ``split="held-out"`` shows
nothing else. A hundred of these are the captions of the quality benchmark.
"""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pixgen.synthesis.retrieval.style_filter import OUTLINED, ROUND, STICKER
from pixgen.training.compose.composer import Background, Composition, Layer
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import SETTINGS, VARIANTS
from pixgen.training.data.sources import CLIPART_STYLE, FAMILIES

HELD_OUT_COUNT, HELD_OUT_SEED = 100, 2026  # of the benchmark's captions
STYLES = {family.name: family.style for family in FAMILIES} | {"clipart": CLIPART_STYLE}
FILTERS = {
    "black and white": ("black and white picture", "black and white drawing", "grey picture"),
    "sepia": ("sepia picture", "vintage photo", "old photograph"),
    "pixels": ("pixel art", "8-bit pixel art", "pixelated picture"),
    "watercolour": ("watercolour", "watercolor painting", "watercolour painting"),
    "pencil": ("pencil sketch", "pencil drawing", "sketch"),
    "neon": ("neon sign", "glowing neon outline"),
    "silhouette": ("silhouette", "shadow"),
}
# Hands that the sketcher gives to a thing alone; in the drawings, families have them.
THING_STYLES = {OUTLINED: STYLES["openmoji"], STICKER: ("sticker",), ROUND: STYLES["fluent"]}
MEDIA = ("picture", "image", "drawing", "illustration", "painting", "photo", "artwork")
FILLERS = (
    "cute",
    "beautiful",
    "lovely",
    "nice",
    "detailed",
    "happy",
    "pretty",
    "funny",
    "wonderful",
)
PATTERNS = ("striped", "dotted", "checkered")
LEFT_WORDS, RIGHT_WORDS = ("on the left", "at the left"), ("on the right", "at the right")
TOP_WORDS, BOTTOM_WORDS = ("at the top",), ("at the bottom",)
SMALL, LARGE = ("small", "tiny", "little"), ("big", "large", "huge", "giant")
HELD_OUT_EVERY = 10


def add_style(style: str, sentence: str, form: np.random.Generator) -> str:
    """A sentence with its style before or after it, or without one."""
    if not style:
        return sentence
    if form.random() < 0.25 and style not in MEDIA:
        return f"{sentence}, {style}"
    return f"{article(style, form)} of {sentence}"


def article(words: str, form: np.random.Generator) -> str:
    """Words with an article; sometimes without one, or with "the"."""
    chance = form.random()
    if chance < 0.15:
        return words
    if chance < 0.2:
        return f"the {words}"
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def size_word(size: str, form: np.random.Generator) -> str:
    """A word for a size, "" for the usual one."""
    words = {"small": SMALL, "large": LARGE}.get(size, ("",))
    return words[form.integers(len(words))]


def place_word(place: str, form: np.random.Generator) -> str:
    """Words for a position, "" if there is none or it is not mentioned."""
    if not place or form.random() < 0.3:
        return ""
    words = {"left": LEFT_WORDS, "right": RIGHT_WORDS, "top": TOP_WORDS, "bottom": BOTTOM_WORDS}
    return words[place][form.integers(len(words[place]))]


def plural(name: str) -> str:
    """A name in the plural, by the common rules of English."""
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


@dataclass
class CompositionSampler:
    """Draws compositions at random from a table of sprites."""

    table: list[dict]
    seed: int = 0
    split: str = "train"
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        things: dict[str, list[int]] = defaultdict(list)
        for index, record in enumerate(self.table):
            things[record["thing"]].append(index)
        # One drawing in fifty is never seen in training, where its thing has others.
        self.unseen = {
            index
            for index, record in enumerate(self.table)
            if len(things[record["thing"]]) > 2 and _hash(f"{record['family']} {record['thing']}") % 50 == 0
        }
        usable = [index for index in range(len(self.table)) if index not in self.unseen]
        weights = np.array([self.table[index]["weight"] for index in usable])
        self._usable = np.array(usable)
        self._cumulative = np.cumsum(weights / weights.sum())[:-1]
        self._by_thing: dict[str, list[int]] = defaultdict(list)
        for index in usable:
            self._by_thing[self.table[index]["thing"]].append(index)

    def compositions(self, count: int) -> list[Composition]:
        """Independent compositions of this sampler's split."""
        return [self.composition() for _ in range(count)]

    def confusable(self, count: int) -> list[Composition]:
        """Compositions that share setting, style and form of caption and differ in the thing only, or share
        the thing and differ in everything else: a contrastive loss learns what distinguishes them.
        """
        if self.rng.random() < 0.7:
            background, family = self._background(), self._family()
            form = int(self.rng.integers(1 << 30))
            return [self.composition(background=background, family=family, form=form) for _ in range(count)]
        thing = self.table[self._sprite(None)]["thing"]
        return [self.composition(thing=thing) for _ in range(count)]

    def composition(
        self,
        *,
        background: Background | None = None,
        family: str | None = None,
        thing: str | None = None,
        form: int | None = None,
    ) -> Composition:
        """One composition; given parts are kept, the rest is random."""
        form_rng = np.random.default_rng(self.rng.integers(1 << 30) if form is None else form)
        while True:
            ground = background or self._background()
            composed = self._compose(ground, family, thing, form_rng)
            if not composed.layers or self.allowed(composed):
                return composed
            form_rng = np.random.default_rng(self.rng.integers(1 << 30))

    def allowed(self, composition: Composition) -> bool:
        """Whether a combination belongs to this sampler's split."""
        layer = composition.layers[0]
        thing = self.table[layer.sprite]["thing"]
        place = composition.background.setting or " ".join(composition.background.colours)
        held_out = _hash(f"{thing} | {place} | {layer.tint}") % HELD_OUT_EVERY == 0
        return held_out == (self.split == "held-out")

    def _sprite(self, family: str | None, thing: str | None = None) -> int:
        """A random drawing: of the thing if one is given, and of the family if one is found soon."""
        for _ in range(200):
            index = int(self._usable[np.searchsorted(self._cumulative, self.rng.random())])
            record = self.table[index]
            if thing is not None and record["thing"] != thing:
                return int(self.rng.choice(self._by_thing[thing]))
            if family is None or record["family"] == family:
                break
        return index

    def _family(self) -> str | None:
        return list(STYLES)[self.rng.integers(len(STYLES))] if self.rng.random() < 0.5 else None

    def _background(self) -> Background:
        rng, chance = self.rng, self.rng.random()
        names = list(COLOURS)
        if chance < 0.22:
            return Background("plain", ("white",))
        if chance < 0.40:
            return Background("plain", (names[rng.integers(len(names))],))
        if chance < 0.46:
            return Background("fade", tuple(rng.choice(names, 2, replace=False)))
        if chance < 0.50:
            kind = PATTERNS[rng.integers(len(PATTERNS))]
            return Background(kind, tuple(rng.choice(names, 2, replace=False)))
        place = list(SETTINGS)[rng.integers(len(SETTINGS))]
        return Background("setting", (), place, int(rng.integers(VARIANTS)), bool(rng.random() < 0.5))

    def _compose(
        self,
        background: Background,
        family: str | None,
        thing: str | None,
        form: np.random.Generator,
    ) -> Composition:
        chance = form.random()
        if background.kind == "setting":
            background = replace(background, variant=int(self.rng.integers(VARIANTS)))
            if chance < 0.05 and thing is None:
                return self._place_alone(background, form)
        if chance < 0.80:
            return self._one(background, family, thing, form)
        if chance < 0.94:
            return self._two(background, family, thing, form)
        return self._several(background, family, thing, form)

    def _place_alone(self, background: Background, form: np.random.Generator) -> Composition:
        phrases = SETTINGS[background.setting][2]
        filter_name, said = self._filter(form, None, silhouette=False)
        caption = add_style(said, phrases[self.rng.integers(len(phrases))], form)
        return Composition(background, (), filter_name, caption, (background.setting, said))

    def _one(
        self,
        background: Background,
        family: str | None,
        thing: str | None,
        form: np.random.Generator,
    ) -> Composition:
        rng, sprite = self.rng, self._sprite(family, thing)
        low = 0.06 if background.setting else 0.0  # things stand on the ground
        scale, x, y = form.uniform(0.6, 1.0), 0.5 + form.normal() * 0.05, 0.5 + form.normal() * 0.05
        size = place = ""
        kind = form.random()
        if kind < 0.10:
            scale, size = form.uniform(0.25, 0.42), "small"
        elif kind < 0.18:
            scale, size = form.uniform(1.0, 1.25), "large"
        if scale < 0.7 and form.random() < 0.45:
            place = ("left", "right", "top", "bottom")[form.integers(4)]
            away = 0.5 - scale / 2 + 0.02
            x = {"left": 0.5 - away, "right": 0.5 + away}.get(place, x)
            y = {"top": 0.5 - away, "bottom": 0.5 + away}.get(place, y)
        filter_name, said = self._filter(form, self.table[sprite]["family"])
        tint = self._tint(form, filter_name)
        layer = Layer(
            sprite,
            x,
            y + low,
            scale,
            rng.normal() * 7,
            self._may_flip(sprite),
            "black" if filter_name == "silhouette" else tint,
        )
        words = " ".join(filter(None, (size_word(size, form), tint, self._name(sprite, tint))))
        where = place_word(place, form)
        sentence = " ".join(filter(None, (article(words, form), where)))
        caption, ground = self._finish(sentence, said, background, form)
        meaning = (self.table[sprite]["thing"], tint, size, place if where else "", ground, said)
        return Composition(background, (layer,), filter_name, caption, meaning)

    def _two(
        self,
        background: Background,
        family: str | None,
        thing: str | None,
        form: np.random.Generator,
    ) -> Composition:
        first, second = self._sprite(family, thing), self._sprite(family)
        spots = [(0.27, 0.5), (0.73, 0.5)]
        relation = form.integers(5)
        if relation == 3:
            spots = [(0.5, 0.25), (0.5, 0.75)]
        elif relation in (0, 1) and form.random() < 0.5:
            spots.reverse()
        filter_name, said = self._filter(form, self.table[first]["family"], silhouette=False)
        layers, words, tints = [], [], []
        for sprite, (x, y) in zip((first, second), spots, strict=True):
            tint = self._tint(form, filter_name)
            jitter = form.normal(size=2) * 0.03
            layers.append(
                Layer(
                    sprite,
                    x + jitter[0],
                    y + jitter[1],
                    form.uniform(0.42, 0.56),
                    self.rng.normal() * 6,
                    self._may_flip(sprite),
                    tint,
                )
            )
            name = self._name(sprite, tint)
            words.append(article(f"{tint} {name}" if tint else name, form))
            tints.append(tint)
        sentence = (
            f"{words[0]} and {words[1]}",
            f"{words[0]} next to {words[1]}",
            f"{words[0]} on the left and {words[1]} on the right",
            f"{words[0]} above {words[1]}",
            f"{words[0]} to the left of {words[1]}",
        )[relation]
        caption, ground = self._finish(sentence, said, background, form)
        pair = tuple(self.table[sprite]["thing"] for sprite in (first, second))
        meaning = (*pair, *tints, max(1, relation), ground, said)
        return Composition(background, tuple(layers), filter_name, caption, meaning)

    def _several(
        self,
        background: Background,
        family: str | None,
        thing: str | None,
        form: np.random.Generator,
    ) -> Composition:
        sprite, count = self._sprite(family, thing), int(form.integers(2, 4))
        tint = self._tint(form, "")
        width = (0.5, 0.36)[count - 2]
        layers = tuple(
            Layer(
                sprite,
                (place + 0.5) / count,
                0.5 + form.normal() * 0.06,
                width * form.uniform(0.85, 1),
                self.rng.normal() * 6,
                self._may_flip(sprite),
                tint,
            )
            for place in range(count)
        )
        number = ("two", "three")[count - 2]
        words = " ".join(filter(None, (number, tint, plural(self._name(sprite, tint)))))
        filter_name, said = self._filter(form, self.table[sprite]["family"], silhouette=False)
        caption, ground = self._finish(words, said, background, form)
        meaning = (self.table[sprite]["thing"], tint, number, ground, said)
        return Composition(background, layers, filter_name, caption, meaning)

    def _name(self, sprite: int, tint: str | None) -> str:
        record = self.table[sprite]
        name = record["thing"]
        if record["names"] and self.rng.random() < 0.2:
            name = record["names"][self.rng.integers(len(record["names"]))]
        if tint:  # "a blue red apple" would teach nothing
            name = " ".join(word for word in name.split() if word not in COLOURS) or name
        if self.rng.random() < 0.06:
            name = f"{FILLERS[self.rng.integers(len(FILLERS))]} {name}"
        return name

    def _may_flip(self, sprite: int) -> bool:
        lettered = self.table[sprite]["group"] in ("emoji-8", "emoji-9", "clipart-office")
        return not lettered and bool(self.rng.random() < 0.5)

    def _tint(self, form: np.random.Generator, filter_name: str) -> str | None:
        tinted = form.random() < 0.2
        if not tinted or filter_name in (
            "black and white",
            "sepia",
            "pencil",
            "silhouette",
            "neon",
        ):
            return None
        return list(COLOURS)[self.rng.integers(len(COLOURS))]

    def _filter(
        self, form: np.random.Generator, family: str | None, *, silhouette: bool = True
    ) -> tuple[str, str]:
        """The filter's name ("" for none) and the style words of the caption."""
        chance = form.random()
        if chance < 0.16:
            names = [name for name in FILTERS if silhouette or name != "silhouette"]
            name = names[form.integers(len(names))]
            return name, FILTERS[name][form.integers(len(FILTERS[name]))]
        if family in STYLES and chance < 0.45:
            return "", STYLES[family][form.integers(len(STYLES[family]))]
        if chance < 0.6:
            return "", MEDIA[form.integers(len(MEDIA))]
        return "", ""

    def _finish(
        self, sentence: str, said: str, background: Background, form: np.random.Generator
    ) -> tuple[str, str]:
        """The whole caption, and the part of the background that it mentions."""
        tell = form.random()
        ground = phrase = ""
        if background.kind == "setting" and tell < 0.9:
            phrases = SETTINGS[background.setting][1]
            ground, phrase = background.setting, phrases[self.rng.integers(len(phrases))]
        elif background.kind == "plain" and tell < (0.3 if background.colours[0] == "white" else 0.85):
            ground = background.colours[0]
            phrase = f"on {article(ground + ' background', form)}"
        elif background.kind == "fade" and tell < 0.8:
            ground = " and ".join(sorted(background.colours))
            phrase = f"on a {background.colours[0]} and {background.colours[1]} background"
        elif background.kind in PATTERNS and tell < 0.85:
            ground = background.kind + background.colours[0]
            phrase = f"on a {background.kind} {background.colours[0]} background"
        sentence = add_style(said, sentence, form)
        if phrase and form.random() < 0.1:
            return f"{phrase}, {sentence}", ground
        return f"{sentence} {phrase}".strip(), ground


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def write_held_out(sampler: CompositionSampler, path: Path) -> None:
    """Write ``HELD_OUT_COUNT`` captions of a held-out sampler as a JSON list, in random order."""
    captions: dict[tuple, str] = {}
    while len(captions) < HELD_OUT_COUNT:
        composition = sampler.composition()
        if _names_its_combination(sampler, composition):
            captions.setdefault(composition.meaning, composition.caption)
    path.write_text(json.dumps(list(captions.values()), indent=1) + "\n")


def _names_its_combination(sampler: CompositionSampler, composition: Composition) -> bool:
    """Whether the caption names its things, and the place or colour that they were never combined with in
    training."""
    things = {sampler.table[layer.sprite]["thing"] for layer in composition.layers}
    named = any(part in SETTINGS or part in COLOURS for part in composition.meaning)
    return bool(things) and named and all(thing in composition.caption for thing in things)

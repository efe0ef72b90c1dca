"""Phrases of captions: styles, sizes and positions, and how a sentence is put together."""

import numpy as np

from pixgen.synthesis.retrieval.style_filter import OUTLINED, ROUND, STICKER
from pixgen.training.data.sources import CLIPART_STYLE, FAMILIES

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


def add_style(style: str, sentence: str, form: np.random.Generator) -> str:
    """A sentence with its style, before or behind it, or without one."""
    if not style:
        return sentence
    if form.random() < 0.25 and style not in MEDIA:
        return f"{sentence}, {style}"
    return f"{article(style, form)} of {sentence}"


def article(words: str, form: np.random.Generator) -> str:
    """Words with an article; now and then without, or with "the"."""
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
    """Words for a place, "" if there is none or it is left unsaid."""
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

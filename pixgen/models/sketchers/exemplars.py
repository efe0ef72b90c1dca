"""Exemplars: drawings of single things as a VQGAN's codes, with the lexicon that finds them by name."""

import json
import lzma
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

SOLID = 1 << 15  # added in the file to the code of a solid cell
CODES_FILE, LEXICON_FILE = "portraits.npy.xz", "portraits.json"


@dataclass(frozen=True)
class Lexicon:
    """The words that retrieval understands, in lower case.

    Args:
        names: the exemplars of each name, best first.
        weak: names that often mean something else.
        lettered: exemplars with letters, which must not be mirrored.
        worn: exemplars of things worn on a head.
        colours: red, green and blue in 0 to 255 by a colour's name of one or two words.
        small, large: words of size.
        fillers: words that say nothing about a thing's look.
        places: phrases of position, as lists of left, right, top and bottom.
        hands: phrases that ask for a style of the whole picture, and the style's name.
        grounds: phrases for a background, and its name alone.
    """

    names: dict[str, list[int]]
    weak: list[str]
    lettered: list[int]
    worn: list[int]
    colours: dict[str, list[int]]
    small: list[str]
    large: list[str]
    fillers: list[str]
    places: dict[str, list[str]]
    hands: dict[str, str]
    grounds: dict[str, str]

    @cached_property
    def ground_phrases(self) -> list[tuple[tuple[str, ...], str]]:
        """The background phrases as words, longest first, with the background's name."""
        return _phrases_by_length(self.grounds)

    @cached_property
    def style_phrases(self) -> list[tuple[tuple[str, ...], str]]:
        """The style phrases as words, longest first, with the style's name."""
        return _phrases_by_length(self.hands)


def _phrases_by_length(phrases: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
    split = [(tuple(said.split()), meant) for said, meant in phrases.items()]
    return sorted(split, key=lambda each: len(each[0]), reverse=True)


@dataclass(frozen=True)
class Exemplars:
    """Drawings of single things on white, and the lexicon that finds them.

    Args:
        codes: ``(N, grid, grid)`` int64.
        solid: ``(N, grid, grid)`` bool, true where a thing is as pale as the background.
    """

    codes: torch.Tensor
    solid: torch.Tensor
    lexicon: Lexicon


def load_exemplars(folder: Path) -> Exemplars | None:
    """The exemplars beside a sketch model's weights; None if it has none."""
    if not (folder / LEXICON_FILE).exists():
        return None
    lexicon = Lexicon(**json.loads((folder / LEXICON_FILE).read_text("utf-8")))
    with lzma.open(folder / CODES_FILE) as file:
        packed = torch.from_numpy(np.load(file, allow_pickle=False).astype(np.int64))
    return Exemplars(packed % SOLID, packed >= SOLID, lexicon)

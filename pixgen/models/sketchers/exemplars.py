"""What things look like: a sketcher's portraits of them in the codes of a VQGAN, found by name."""

import json
import lzma
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

SOLID = 1 << 15  # is added to the code of a solid place in the file
CODES_FILE, LEXICON_FILE = "portraits.npy.xz", "portraits.json"


@dataclass(frozen=True)
class Lexicon:
    """The words by which a text says what it shows, in small letters.

    Args:
        names: of each thing's name the portraits that show it, likelier ones first.
        weak: names that may well say something else.
        lettered: portraits that may not be mirrored.
        worn: portraits of what is worn on a head.
        colours: red, green and blue in 0 to 255, of one word or two.
        small, large: words of size.
        fillers: words that say nothing of a thing's look.
        places: phrases that say where, of left, right, top and bottom.
        hands: phrases that call for a hand which changes a whole picture, and its name.
        grounds: phrases that say what is behind the things, and by which it is called alone.
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
        """The grounds as words, longer ones first, and what each is called alone."""
        return _phrases_by_length(self.grounds)

    @cached_property
    def style_phrases(self) -> list[tuple[tuple[str, ...], str]]:
        """The phrases of hands as words, longer ones first, and each hand's name."""
        return _phrases_by_length(self.hands)


def _phrases_by_length(phrases: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
    split = [(tuple(said.split()), meant) for said, meant in phrases.items()]
    return sorted(split, key=lambda each: len(each[0]), reverse=True)


@dataclass(frozen=True)
class Exemplars:
    """Things alone on white, and how they are found.

    Args:
        codes: ``(N, grid, grid)`` int64.
        solid: ``(N, grid, grid)`` bool, where a thing is as pale as paper and none the less there.
    """

    codes: torch.Tensor
    solid: torch.Tensor
    lexicon: Lexicon


def load_exemplars(folder: Path) -> Exemplars | None:
    """The portraits beside a sketcher's weights, if it has any."""
    if not (folder / LEXICON_FILE).exists():
        return None
    lexicon = Lexicon(**json.loads((folder / LEXICON_FILE).read_text("utf-8")))
    with lzma.open(folder / CODES_FILE) as file:
        packed = torch.from_numpy(np.load(file, allow_pickle=False).astype(np.int64))
    return Exemplars(packed % SOLID, packed >= SOLID, lexicon)

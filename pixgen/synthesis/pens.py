"""Pens: what the different sketchers that write codes have in common, for ``Sketching`` to write with."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from PIL import Image

from pixgen.models.clip import Perceptor, Words
from pixgen.models.dalle import DalleBart, Read
from pixgen.models.sketcher import BLOCK, Sketcher, Wanted
from pixgen.models.vqgan import Vqgan
from pixgen.prompts import Scene
from pixgen.recipe import Recipe
from pixgen.sketches import DALLE, POCKET, chosen, words_alone
from pixgen.start import Sketch
from pixgen.synthesis import dalle
from pixgen.synthesis.ideas import idea_vector
from pixgen.synthesis.remembered import Remembered, remembered
from pixgen.synthesis.sketch import Hand, sketch


class Pen(Protocol):
    """Writes codes of one VQGAN.

    Args:
        grid: codes a side of what is written in one go.
        block: codes a side that come at once.
    """

    grid: int
    block: int

    def hand(self, asked: Sketch) -> Hand:
        """How freely it chooses: as is asked, and else as it does best. Raises RecipeError."""

    def remembered(
        self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator
    ) -> Remembered | None:
        """What is not written, but known, if there is anything."""

    def wanted(
        self, recipe: Recipe, pictures: Mapping[str, Image.Image], known: Remembered | None = None
    ) -> Any:
        """What a recipe wants beside what is known, as ``write`` takes it. Raises RecipeError if it cannot
        be told that."""

    def write(
        self, wanted: Any, *, known: torch.Tensor, hand: Hand, generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Write what is ``OPEN`` in codes ``(N, grid, grid)``; yields all of them after each row of
        blocks. With None nothing is wanted in particular."""


class PocketPen:
    """The bundled sketcher and the CLIP that reads for it."""

    block = BLOCK

    def __init__(self, sketcher: Sketcher, reader: Perceptor) -> None:
        self.grid, self._sketcher, self._reader = sketcher.grid, sketcher, reader

    def hand(self, asked: Sketch) -> Hand:
        """All there is to choose."""
        return Hand(**chosen(asked, POCKET))

    def remembered(
        self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator
    ) -> Remembered | None:
        """Things that it has portraits of."""
        return remembered(recipe, self._sketcher, vqgan, generator)

    def wanted(
        self, recipe: Recipe, pictures: Mapping[str, Image.Image], known: Remembered | None = None
    ) -> Wanted:
        """Words as the text tower reads them, or the CLIP vector of an idea or of pictures; what is behind
        the things that are known."""
        start = recipe.start
        if start.kind == "idea":
            return Wanted(vectors=self._vector(start.idea, pictures))
        pulling, texts = recipe.pulling, recipe.pulling_texts
        if not texts:
            return Wanted(vectors=self._vector(pulling, pictures)) if pulling else Wanted()
        if known:
            ground = known.shown.ground
            return self._read(ground, ground) if ground else Wanted()
        first = max((prompt for prompt in pulling if prompt.text), key=lambda prompt: prompt.weight)
        # All are read; what one looks like by itself counts for the weightiest alone.
        return self._read(", ".join(texts), first.text)

    def write(
        self, wanted: Wanted | None, *, known: torch.Tensor, hand: Hand, generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """By ``sketch``."""
        return sketch(
            self._sketcher, wanted or Wanted(), count=len(known), hand=hand, generator=generator,
            known=known,
        )  # fmt: skip

    def _read(self, text: str, alone: str) -> Wanted:
        together, single = (
            self._reader.read_texts([each], places=self._sketcher.places) for each in (text, alone)
        )
        return Wanted(words=Words(together.hidden, single.tokens))

    def _vector(self, terms: Scene, pictures: Mapping[str, Image.Image]) -> torch.Tensor:
        return idea_vector(
            terms, reader=self._reader, prior=self._sketcher.prior, pictures=pictures
        )


class DallePen:
    """DALL·E mini or mega, which read for themselves."""

    block = 1

    def __init__(self, model: DalleBart) -> None:
        self.grid, self._model = model.grid, model

    def hand(self, asked: Sketch) -> Hand:
        """All but a word's look, of which it knows nothing."""
        return Hand(**chosen(asked, DALLE))

    def remembered(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> None:
        """Nothing."""

    def wanted(
        self, recipe: Recipe, pictures: Mapping[str, Image.Image], known: Remembered | None = None
    ) -> Read:
        """Words alone."""
        return self._model.read([words_alone(recipe)])

    def write(
        self, wanted: Read | None, *, known: torch.Tensor, hand: Hand, generator: torch.Generator
    ) -> Iterator[torch.Tensor]:  # fmt: skip
        """By ``dalle.write``."""
        return dalle.write(self._model, wanted, known=known, hand=hand, generator=generator)


def pen_of(sketcher: Sketcher | DalleBart, reader: Perceptor | None) -> Pen:
    """The pen for a sketcher, and for the CLIP that reads for it where it does not itself."""
    if isinstance(sketcher, DalleBart):
        return DallePen(sketcher)
    if reader is None:
        raise ValueError("the bundled sketcher needs a CLIP that reads for it")
    return PocketPen(sketcher, reader)

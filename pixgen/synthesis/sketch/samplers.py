"""Ideas: CLIP vectors of pictures and words, added up by weight, for the sketcher to draw.

``[photo.jpg]`` is the idea of a picture, so that sketches of it are its variations; ``[a.png] | [b.png]``
lies between two; ``[photo.jpg] | winter | summer:-1`` is the picture with a difference of words
(DALL-E 2, arXiv 2204.06125, sections 3.1 to 3.3).
"""

# MERGED pixgen.synthesis.dalle: Writing with DALL·E mini: code after code, told by words and held to them by guidance.
# MERGED pixgen.synthesis.pens: Pens: what the different sketchers that write codes have in common, for ``Sketching`` to write with.
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.models.clip.perceptor import EncodedTexts, Perceptor
from pixgen.models.sketchers.dalle import DalleBart, TextStates
from pixgen.models.sketchers.pocket import BLOCK, Conditioning, Prior, Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.init import Sketch
from pixgen.recipe.prompts import Prompt, Scene
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.sampling import DALLE, POCKET, prompt_text, sampling_settings
from pixgen.synthesis.retrieval.lookup import RetrievedScene, retrieve_scene
from pixgen.synthesis.sketch.sampling import (
    OPEN,
    SamplingSettings,
    apply_guidance,
    sample_codes,
    sample_token,
)
from pixgen.synthesis.tensors import to_tensor


@torch.no_grad()
def mix_vectors(
    terms: Sequence[Prompt], *, reader: Perceptor, prior: Prior, pictures: Mapping[str, Image.Image]
) -> torch.Tensor:
    """The unit vector ``(1, D)`` of an idea, where pictures' vectors lie.

    Texts go through the prior. Raises RecipeError if the terms cancel each other.
    """
    total = torch.zeros(1, device=reader.device)
    for term in terms:
        if term.picture:
            vector = reader.embed_images(to_tensor(pictures[term.picture]).to(reader.device))
        else:
            vector = prior(reader.embed_texts([term.text]))
        total = total + term.weight * vector
    if float(total.norm()) < 1e-3:
        raise RecipeError("Nothing is left of this idea: its parts cancel each other. Change a weight.")
    return F.normalize(total, dim=-1)


@torch.no_grad()
def sample_dalle(
    model: DalleBart,
    read: TextStates | None,
    *,
    known: torch.Tensor,
    hand: SamplingSettings,
    generator: torch.Generator,
) -> Iterator[torch.Tensor]:
    """Write what is open in ``known``; yields all codes ``(N, grid, grid)`` int64 after each row.

    Args:
        read: what one text says; None says nothing.
        known: ``(N, grid, grid)``, ``OPEN`` where to write.
        generator: all chance comes from it; on the model's device.

    Guidance is what dalle-mini calls its condition scale, and min-dalle superconditioning.
    """
    count, side = len(known), model.grid
    codes = known.flatten(1).clone()
    free = model.read([""])
    steered = read is not None and hand.guidance != 1
    read = (free if read is None else read).repeat(count)
    if steered:
        read = _join_states(read, free.repeat(count))
    caches = model.caches()
    before = model.start(len(read.mask))
    for place in range(side * side):
        logits = model.next_logits(before, read, place=place, caches=caches)
        if steered:
            logits = apply_guidance(logits, hand.guidance)
        given = codes[:, place]
        codes[:, place] = torch.where(given == OPEN, sample_token(logits, hand, generator), given)
        before = codes[:, place].repeat(2 if steered else 1)
        if (place + 1) % side == 0:
            yield codes.view(count, side, side).clone()


def _join_states(wished: TextStates, free: TextStates) -> TextStates:
    """Both in one batch, the wished ones first."""
    return TextStates(
        tuple(
            (torch.cat([keys, free_keys]), torch.cat([values, free_values]))
            for (keys, values), (free_keys, free_values) in zip(
                wished.keys_values, free.keys_values, strict=True
            )
        ),
        torch.cat([wished.mask, free.mask]),
    )


class TokenSampler(Protocol):
    """Writes codes of one VQGAN.

    Args:
        grid: codes a side of what is written in one go.
        block: codes a side that come at once.
    """

    grid: int
    block: int

    def hand(self, asked: Sketch) -> SamplingSettings:
        """How freely it chooses: as is asked, and else as it does best. Raises RecipeError."""

    def remembered(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> RetrievedScene | None:
        """What is not written, but known, if there is anything."""

    def wanted(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Image.Image],
        known: RetrievedScene | None = None,
    ) -> Any:
        """What a recipe wants beside what is known, as ``sample_dalle`` takes it. Raises RecipeError if it cannot
        be told that."""

    def write(
        self,
        wanted: Any,
        *,
        known: torch.Tensor,
        hand: SamplingSettings,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Write what is ``OPEN`` in codes ``(N, grid, grid)``; yields all of them after each row of
        blocks. With None nothing is wanted in particular."""


class PocketSampler:
    """The bundled sketcher and the CLIP that reads for it."""

    block = BLOCK

    def __init__(self, sketcher: Sketcher, reader: Perceptor) -> None:
        self.grid, self._sketcher, self._reader = sketcher.grid, sketcher, reader

    def hand(self, asked: Sketch) -> SamplingSettings:
        """All there is to choose."""
        return SamplingSettings(**sampling_settings(asked, POCKET))

    def remembered(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> RetrievedScene | None:
        """Things that it has portraits of."""
        return retrieve_scene(recipe, self._sketcher, vqgan, generator)

    def wanted(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Image.Image],
        known: RetrievedScene | None = None,
    ) -> Conditioning:
        """Words as the text tower reads them, or the CLIP vector of an idea or of pictures; what is behind
        the things that are known."""
        start = recipe.init
        if start.kind == "idea":
            return Conditioning(vectors=self._vector(start.idea, pictures))
        positive, texts = recipe.positive_prompts, recipe.positive_texts
        if not texts:
            return Conditioning(vectors=self._vector(positive, pictures)) if positive else Conditioning()
        if known:
            ground = known.shown.ground
            return self._read(ground, ground) if ground else Conditioning()
        first = max((prompt for prompt in positive if prompt.text), key=lambda prompt: prompt.weight)
        # All are read; what one looks like by itself counts for the weightiest alone.
        return self._read(", ".join(texts), first.text)

    def write(
        self,
        wanted: Conditioning | None,
        *,
        known: torch.Tensor,
        hand: SamplingSettings,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """By ``sample_codes``."""
        return sample_codes(
            self._sketcher,
            wanted or Conditioning(),
            count=len(known),
            hand=hand,
            generator=generator,
            known=known,
        )

    def _read(self, text: str, alone: str) -> Conditioning:
        together, single = (
            self._reader.encode_texts([each], places=self._sketcher.places) for each in (text, alone)
        )
        return Conditioning(words=EncodedTexts(together.hidden, single.tokens))

    def _vector(self, terms: Scene, pictures: Mapping[str, Image.Image]) -> torch.Tensor:
        return mix_vectors(terms, reader=self._reader, prior=self._sketcher.prior, pictures=pictures)


class DalleSampler:
    """DALL·E mini or mega, which read for themselves."""

    block = 1

    def __init__(self, model: DalleBart) -> None:
        self.grid, self._model = model.grid, model

    def hand(self, asked: Sketch) -> SamplingSettings:
        """All but a word's look, of which it knows nothing."""
        return SamplingSettings(**sampling_settings(asked, DALLE))

    def remembered(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> None:
        """Nothing."""

    def wanted(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Image.Image],
        known: RetrievedScene | None = None,
    ) -> TextStates:
        """Words alone."""
        return self._model.read([prompt_text(recipe)])

    def write(
        self,
        wanted: TextStates | None,
        *,
        known: torch.Tensor,
        hand: SamplingSettings,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """By ``dalle.write``."""
        return sample_dalle(self._model, wanted, known=known, hand=hand, generator=generator)


def sampler_for(sketcher: Sketcher | DalleBart, reader: Perceptor | None) -> TokenSampler:
    """The pen for a sketcher, and for the CLIP that reads for it where it does not itself."""
    if isinstance(sketcher, DalleBart):
        return DalleSampler(sketcher)
    if reader is None:
        raise ValueError("the bundled sketcher needs a CLIP that reads for it")
    return PocketSampler(sketcher, reader)

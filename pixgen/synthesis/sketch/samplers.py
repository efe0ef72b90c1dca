"""Token samplers: one interface over the sketch models that sample codes of a VQGAN.

``PocketSampler`` is for the bundled model, which texts or mixed CLIP vectors condition; ``DalleSampler`` is
for DALL·E mini and mega. Mixed vectors make variations of pictures (``[photo.jpg]``), blends
(``[a.png] | [b.png]``) and differences (``[photo.jpg] | winter | summer:-1``): DALL-E 2, arXiv 2204.06125,
sections 3.1 to 3.3.
"""

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
    """Mix pictures and texts by their weights into one unit vector ``(1, D)`` of CLIP's image space.

    The prior turns vectors of texts into vectors of pictures. Raises RecipeError if the terms cancel each
    other.
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
    settings: SamplingSettings,
    generator: torch.Generator,
) -> Iterator[torch.Tensor]:
    """Sample the codes that are ``OPEN`` with DALL·E mini; yields all codes ``(N, grid, grid)`` int64 after
    each row.

    Args:
        read: one text, encoded; None samples unconditionally.
        known: ``(N, grid, grid)``, ``OPEN`` where to sample.
        generator: of every random number; on the model's device.

    Guidance is what dalle-mini calls its condition scale, and min-dalle superconditioning.
    """
    count, side = len(known), model.grid
    codes = known.flatten(1).clone()
    free = model.read([""])
    guided = read is not None and settings.guidance != 1
    read = (free if read is None else read).repeat(count)
    if guided:
        read = _join_states(read, free.repeat(count))
    caches = model.caches()
    before = model.start(len(read.mask))
    for place in range(side * side):
        logits = model.next_logits(before, read, place=place, caches=caches)
        if guided:
            logits = apply_guidance(logits, settings.guidance)
        given = codes[:, place]
        codes[:, place] = torch.where(given == OPEN, sample_token(logits, settings, generator), given)
        before = codes[:, place].repeat(2 if guided else 1)
        if (place + 1) % side == 0:
            yield codes.view(count, side, side).clone()


def _join_states(conditioned: TextStates, free: TextStates) -> TextStates:
    """One batch of both, the conditioned ones first, as guidance needs them."""
    return TextStates(
        tuple(
            (torch.cat([keys, free_keys]), torch.cat([values, free_values]))
            for (keys, values), (free_keys, free_values) in zip(
                conditioned.keys_values, free.keys_values, strict=True
            )
        ),
        torch.cat([conditioned.mask, free.mask]),
    )


class TokenSampler(Protocol):
    """Samples codes of one VQGAN.

    Args:
        grid: codes a side of the pictures that it samples.
        block: codes a side that it samples at once.
    """

    grid: int
    block: int

    def settings(self, sketch: Sketch) -> SamplingSettings:
        """The sampling settings that a recipe asks for, else the model's best. Raises RecipeError for
        settings that the model does not have."""

    def retrieve(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> RetrievedScene | None:
        """The things of a recipe's text that are retrieved instead of sampled, if there are any."""

    def conditioning(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Image.Image],
        retrieved: RetrievedScene | None = None,
    ) -> Any:
        """The conditioning that ``sample`` takes, for a recipe without its retrieved things. Raises
        RecipeError if the model cannot be conditioned on it."""

    def sample(
        self,
        conditioning: Any,
        *,
        known: torch.Tensor,
        settings: SamplingSettings,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Sample the codes that are ``OPEN`` in ``known`` ``(N, grid, grid)``; yields all codes after each
        row of blocks. Without conditioning it samples unconditionally."""


class PocketSampler:
    """Samples with the bundled model, for which a CLIP encodes texts and pictures."""

    block = BLOCK

    def __init__(self, sketcher: Sketcher, reader: Perceptor) -> None:
        self.grid, self._sketcher, self._reader = sketcher.grid, sketcher, reader

    def settings(self, sketch: Sketch) -> SamplingSettings:
        """The bundled model has every setting."""
        return SamplingSettings(**sampling_settings(sketch, POCKET))

    def retrieve(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> RetrievedScene | None:
        """Things that the model has exemplars of."""
        return retrieve_scene(recipe, self._sketcher, vqgan, generator)

    def conditioning(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Image.Image],
        retrieved: RetrievedScene | None = None,
    ) -> Conditioning:
        """Texts as CLIP's text tower encodes them, or the mixed vector of an idea or of pictures. With
        retrieved things, the background behind them alone."""
        start = recipe.init
        if start.kind == "idea":
            return Conditioning(vectors=self._mix(start.idea, pictures))
        positive, texts = recipe.positive_prompts, recipe.positive_texts
        if not texts:
            return Conditioning(vectors=self._mix(positive, pictures)) if positive else Conditioning()
        if retrieved:
            ground = retrieved.scene.ground
            return self._read(ground, ground) if ground else Conditioning()
        first = max((prompt for prompt in positive if prompt.text), key=lambda prompt: prompt.weight)
        # All texts are encoded together; the looks of single words are those of the heaviest prompt.
        return self._read(", ".join(texts), first.text)

    def sample(
        self,
        conditioning: Conditioning | None,
        *,
        known: torch.Tensor,
        settings: SamplingSettings,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Sample by ``sample_codes``."""
        return sample_codes(
            self._sketcher,
            conditioning or Conditioning(),
            count=len(known),
            settings=settings,
            generator=generator,
            known=known,
        )

    def _read(self, text: str, alone: str) -> Conditioning:
        together, single = (
            self._reader.encode_texts([each], places=self._sketcher.places) for each in (text, alone)
        )
        return Conditioning(words=EncodedTexts(together.hidden, single.tokens))

    def _mix(self, terms: Scene, pictures: Mapping[str, Image.Image]) -> torch.Tensor:
        return mix_vectors(terms, reader=self._reader, prior=self._sketcher.prior, pictures=pictures)


class DalleSampler:
    """Samples with DALL·E mini or mega, which have text encoders."""

    block = 1

    def __init__(self, model: DalleBart) -> None:
        self.grid, self._model = model.grid, model

    def settings(self, sketch: Sketch) -> SamplingSettings:
        """Every setting but ``looks``, which the model does not have."""
        return SamplingSettings(**sampling_settings(sketch, DALLE))

    def retrieve(self, recipe: Recipe, vqgan: Vqgan, generator: torch.Generator) -> None:
        """None: the model has no exemplars."""

    def conditioning(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Image.Image],
        retrieved: RetrievedScene | None = None,
    ) -> TextStates:
        """The encoded text of a recipe."""
        return self._model.read([prompt_text(recipe)])

    def sample(
        self,
        conditioning: TextStates | None,
        *,
        known: torch.Tensor,
        settings: SamplingSettings,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Sample by ``sample_dalle``."""
        return sample_dalle(self._model, conditioning, known=known, settings=settings, generator=generator)


def sampler_for(sketcher: Sketcher | DalleBart, reader: Perceptor | None) -> TokenSampler:
    """The sampler for a sketcher.

    Args:
        reader: the CLIP that encodes for the bundled model; DALL·E needs none.
    """
    if isinstance(sketcher, DalleBart):
        return DalleSampler(sketcher)
    if reader is None:
        raise ValueError("the bundled sketcher needs a CLIP that reads for it")
    return PocketSampler(sketcher, reader)

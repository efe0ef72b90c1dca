"""Token samplers: one interface over the sketch models that sample codes of a VQGAN.

``PocketSampler`` is for the bundled model, which texts or mixed CLIP vectors condition, and which samples
block after block; ``DalleSampler`` is for DALL·E mini and mega. Mixed vectors make variations of pictures
(``[photo.jpg]``), blends (``[a.png] | [b.png]``) and differences (``[photo.jpg] | winter | summer:-1``):
DALL-E 2, arXiv 2204.06125, sections 3.1 to 3.3.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.models.clip.perceptor import EncodedTexts, Perceptor
from pixgen.models.sketchers.dalle import DalleBart, TextStates
from pixgen.models.sketchers.pocket import (
    BLOCK,
    CELLS,
    OPEN,
    Conditioning,
    EncodedConditioning,
    KeyValueCache,
    Prior,
    Sketcher,
)
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.init import DALLE, POCKET, Sketch, prompt_text, sampling_settings
from pixgen.recipe.prompts import Prompt, Scene
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.retrieval.compositing import RetrievedScene, retrieve_scene
from pixgen.synthesis.tensors import to_tensor


@dataclass(frozen=True)
class SamplingSettings:
    """How codes are drawn from the model's distribution.

    Args:
        temperature: above 1 bolder, below 1 safer, 0 always the likeliest code.
        top_k: only so many of the likeliest codes are drawn from.
        guidance: strength of classifier-free guidance; 1 is off.
        looks: strength of the looks of single words; 0 is off.
    """

    temperature: float = 1.0
    top_k: int = 256
    guidance: float = 3.0
    looks: float = 0.0


@torch.no_grad()
def sample_codes(
    model: Sketcher,
    conditioning: Conditioning,
    *,
    count: int,
    settings: SamplingSettings,
    generator: torch.Generator,
    known: torch.Tensor | None = None,
) -> Iterator[torch.Tensor]:
    """Sample ``count`` pictures; yields all their codes ``(count, grid, grid)`` int64 after each row of
    blocks, ``OPEN`` where nothing is sampled yet.

    Args:
        conditioning: of one picture, or of ``count``.
        generator: of every random number; on the model's device.
        known: codes ``(count, grid, grid)`` that stay as they are, ``OPEN`` where to sample.
    """
    device, side = generator.device, model.blocks_a_side
    encoded = alone = model.encode(conditioning, count=_batch_size(conditioning)).repeat(count)
    guided = settings.guidance != 1
    if guided:
        encoded = EncodedConditioning.concatenate([encoded, model.encode(Conditioning(), count=count)])
    caches = [KeyValueCache(len(model.positions)) for _ in model.layers]
    blocks = torch.full((count, side * side, CELLS), OPEN, device=device)
    given_everywhere: list[list[bool]] | None = None  # by block and cell; asked for once, not in each
    if known is not None:
        given_everywhere = (model.code_blocks(known) != OPEN).all(0).tolist()
        blocks = model.code_blocks(known.to(device)).clone()
    places = encoded.places + model.positions
    entering = places[:, : model.prefix]
    for index in range(side * side):
        if index:
            written = model.codebook[blocks[:, :index].clamp(min=0)]
            around = model.neighbours(F.pad(rearrange(written, "b n c d -> b n (c d)"), (0, 0, 0, 1)))
            before = model.read_block(around[:, -1:])
            place = model.prefix + index - 1
            entering = places[:, place : place + 1] + (before.repeat(2, 1, 1) if guided else before)
        for layer, cache in zip(model.layers, caches, strict=True):
            entering = layer(entering, cache)
        hidden = model.norm(entering[:, -1:])
        for cell in range(CELLS):
            if given_everywhere is not None and given_everywhere[index][cell]:
                continue
            given = blocks[:, index, cell].clone()
            before = model.codebook[blocks[:, index : index + 1, :cell]]
            before = before.repeat(2, 1, 1, 1) if guided else before
            logits = model.head.out(model.head.cell(hidden, before, cell))[:, 0]
            if guided:
                logits = apply_guidance(logits, settings.guidance)
            if settings.looks:
                logits = logits + settings.looks * model.look_logits(alone, index, cell)
            chosen = sample_token(logits, settings, generator)
            blocks[:, index, cell] = torch.where(given == OPEN, chosen, given)
        if (index + 1) % side == 0:
            yield model.code_grid(blocks)


def apply_guidance(logits: torch.Tensor, guidance: float) -> torch.Tensor:
    """Combine conditional and unconditional logits, stacked as ``(2 · B, codes)``, into ``(B, codes)``
    (classifier-free guidance, arXiv 2207.12598)."""
    conditioned, free = logits.chunk(2)
    return free + guidance * (conditioned - free)


def sample_token(
    logits: torch.Tensor, settings: SamplingSettings, generator: torch.Generator
) -> torch.Tensor:
    """Draw one code from each row of logits ``(B, codes)``, ``(B,)``."""
    if settings.temperature == 0:
        return logits.argmax(-1)
    best, codes = logits.topk(min(settings.top_k, logits.shape[-1]))
    probabilities = F.softmax(best / settings.temperature, dim=-1)
    if probabilities.device.type == "cuda":
        # As ``multinomial`` does it (Gumbel's trick), which on a GPU first waits to see whether these are probabilities.
        drawn = torch.rand(probabilities.shape, generator=generator, device=probabilities.device)
        drawn = drawn.clamp(min=1e-20).log().neg()  # exponential
        return codes.gather(1, (probabilities / drawn).argmax(-1, keepdim=True))[:, 0]
    return codes.gather(1, torch.multinomial(probabilities, 1, generator=generator))[:, 0]


def _batch_size(conditioning: Conditioning) -> int:
    given = conditioning.words.hidden if conditioning.words is not None else conditioning.vectors
    return 1 if given is None else len(given)


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
        raise RecipeError("The parts of this idea cancel each other out: change a weight.")
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

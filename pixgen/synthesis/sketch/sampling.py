"""Sample codes from the bundled sketch model, block after block, several pictures at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.sketchers.pocket import CELLS, Conditioning, EncodedConditioning, KeyValueCache, Sketcher

OPEN = -1  # a code that is not sampled yet


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

"""Writing with DALL·E mini: code after code, told by words and held to them by guidance."""

from collections.abc import Iterator

import torch

from pixgen.models.dalle import DalleBart, Read
from pixgen.synthesis.sketch import OPEN, Hand, choose, guided


@torch.no_grad()
def write(
    model: DalleBart, read: Read | None, *, known: torch.Tensor, hand: Hand,
    generator: torch.Generator,
) -> Iterator[torch.Tensor]:  # fmt: skip
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
    read = (free if read is None else read).repeated(count)
    if steered:
        read = _joined(read, free.repeated(count))
    caches = model.caches()
    before = model.start(len(read.mask))
    for place in range(side * side):
        logits = model.next_logits(before, read, place=place, caches=caches)
        if steered:
            logits = guided(logits, hand.guidance)
        given = codes[:, place]
        codes[:, place] = torch.where(given == OPEN, choose(logits, hand, generator), given)
        before = codes[:, place].repeat(2 if steered else 1)
        if (place + 1) % side == 0:
            yield codes.view(count, side, side).clone()


def _joined(wished: Read, free: Read) -> Read:
    """Both in one batch, the wished ones first."""
    return Read(
        tuple((torch.cat([keys, free_keys]), torch.cat([values, free_values]))
              for (keys, values), (free_keys, free_values)
              in zip(wished.keys_values, free.keys_values, strict=True)),
        torch.cat([wished.mask, free.mask]),
    )  # fmt: skip

"""Decoding a picture piece by piece, where the whole would not fit into memory."""

from collections.abc import Callable, Iterator

import torch


def decode_in_tiles(
    decode: Callable[[torch.Tensor], torch.Tensor], latents: torch.Tensor, *,
    factor: int, tile: int, overlap: int,
) -> torch.Tensor:  # fmt: skip
    """The picture of latents ``(B, C, h, w)``, decoded in overlapping tiles that fade into each other.

    Args:
        decode: makes pictures ``(B, 3, factor h, factor w)`` of latents.
        tile: the side of a tile in codes, what overlaps included.
        overlap: over how many codes two neighbours fade, less than ``tile``.

    Away from the seams this is what the whole would be, as far as the decoder looks at what is near. A
    GroupNorm and an attention look at everything there is: they see the tile alone, so its contrast and
    its hues may differ a little.
    """
    height, width = latents.shape[-2:]
    drawn = weight = None
    for top, bottom in _spans(height, tile, overlap):
        for left, right in _spans(width, tile, overlap):
            piece = decode(latents[..., top:bottom, left:right])
            down = _ramp(top, bottom, height, overlap, piece)[:, None]
            across = _ramp(left, right, width, overlap, piece)[None]
            share = (down * across).repeat_interleave(factor, 0).repeat_interleave(factor, 1)
            if drawn is None:
                drawn = piece.new_zeros(*piece.shape[:2], height * factor, width * factor)
                weight = piece.new_zeros(height * factor, width * factor)
            place = (
                ...,
                slice(top * factor, bottom * factor),
                slice(left * factor, right * factor),
            )
            drawn[place] += piece * share
            weight[place] += share
    return drawn / weight


def _spans(length: int, tile: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Where tiles begin and end, evenly spread, so that they cover ``length``."""
    if length <= tile:
        yield 0, length
        return
    count = -(-(length - overlap) // (tile - overlap))
    for number in range(count):
        start = round(number * (length - tile) / (count - 1))
        yield start, start + tile


def _ramp(start: int, end: int, length: int, overlap: int, like: torch.Tensor) -> torch.Tensor:
    """How much each code of a tile counts: rising from its start and falling to its end, except where
    the picture itself ends."""
    at = torch.arange(end - start, device=like.device, dtype=like.dtype) + 0.5
    ramp = torch.ones_like(at)
    if start > 0:
        ramp = ramp.minimum(at / overlap)
    if end < length:
        ramp = ramp.minimum((end - start - at) / overlap)
    return ramp

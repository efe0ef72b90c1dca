"""Decode and encode a picture in overlapping tiles, where the whole would not fit into memory."""

from collections.abc import Callable, Iterator

import torch


def decode_in_tiles(
    decode: Callable[[torch.Tensor], torch.Tensor],
    latents: torch.Tensor,
    *,
    factor: int,
    tile: int,
    overlap: int,
) -> torch.Tensor:
    """Decode latents ``(B, C, h, w)`` in overlapping tiles that are blended into each other.

    Args:
        decode: from latents to pictures ``(B, 3, factor h, factor w)``.
        tile: the side of a tile in codes, including the overlap.
        overlap: the width of the blend in codes, less than ``tile``.

    Away from the seams this equals decoding the whole, for layers that look at neighbours only. GroupNorm and
    attention see the tile alone instead of the whole picture, so contrast and hues may differ a little.
    """
    height, width = latents.shape[-2:]
    return _map_tiles(
        decode, latents, size=latents.shape[-2:], tile=tile, overlap=overlap, read=1, written=factor
    )


def encode_in_tiles(
    encode: Callable[[torch.Tensor], torch.Tensor],
    pictures: torch.Tensor,
    *,
    factor: int,
    tile: int,
    overlap: int,
) -> torch.Tensor:
    """Encode pictures ``(B, 3, factor h, factor w)`` in overlapping tiles, as ``decode_in_tiles`` does.

    Args:
        encode: from pictures to latents ``(B, C, h, w)``.
    """
    size = torch.Size(side // factor for side in pictures.shape[-2:])
    return _map_tiles(encode, pictures, size=size, tile=tile, overlap=overlap, read=factor, written=1)


def _map_tiles(
    work: Callable[[torch.Tensor], torch.Tensor],
    source: torch.Tensor,
    *,
    size: torch.Size,
    tile: int,
    overlap: int,
    read: int,
    written: int,
) -> torch.Tensor:
    """Apply ``work`` to a source tile by tile, and blend the results.

    Args:
        size: of the whole in codes.
        read, written: the side of a code in the source, and in the result.
    """
    height, width = size
    made = weight = None
    for top, bottom in _spans(height, tile, overlap):
        for left, right in _spans(width, tile, overlap):
            piece = work(source[(..., *_slices(top, bottom, left, right, scale=read))])
            down = _ramp(top, bottom, height, overlap, piece)[:, None]
            across = _ramp(left, right, width, overlap, piece)[None]
            share = (down * across).repeat_interleave(written, 0).repeat_interleave(written, 1)
            if made is None:
                made = piece.new_zeros(*piece.shape[:2], height * written, width * written)
                weight = piece.new_zeros(height * written, width * written)
            place = (..., *_slices(top, bottom, left, right, scale=written))
            made[place] += piece * share
            weight[place] += share
    return made / weight


def _slices(top: int, bottom: int, left: int, right: int, *, scale: int) -> tuple[slice, slice]:
    return slice(top * scale, bottom * scale), slice(left * scale, right * scale)


def _spans(length: int, tile: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Start and end of evenly spread tiles that cover ``length``."""
    if length <= tile:
        yield 0, length
        return
    count = -(-(length - overlap) // (tile - overlap))
    for number in range(count):
        start = round(number * (length - tile) / (count - 1))
        yield start, start + tile


def _ramp(start: int, end: int, length: int, overlap: int, like: torch.Tensor) -> torch.Tensor:
    """Blending weight of each code of a tile: rises from its start and falls to its end, except at the picture's
    borders."""
    at = torch.arange(end - start, device=like.device, dtype=like.dtype) + 0.5
    ramp = torch.ones_like(at)
    if start > 0:
        ramp = ramp.minimum(at / overlap)
    if end < length:
        ramp = ramp.minimum((end - start - at) / overlap)
    return ramp

"""Finished pictures, enlarged: by the bundled method, or by a learned upscaler tile after tile."""

import torch

from pixgen.models.upscalers import Upscaler
from pixgen.synthesis.enlarge import enlarge

TILE = 256  # pixels of the given picture that are looked at at once: memory stays bounded
MARGIN = 16  # pixels around a tile that are looked at too, so that no seam is seen


@torch.no_grad()
def upscale(
    picture: torch.Tensor, *, width: int, height: int, upscaler: Upscaler | None = None
) -> torch.Tensor:
    """A picture ``(1, 3, H, W)`` in [0, 1] as ``(1, 3, height, width)``.

    Args:
        upscaler: a learned one, run as often as it needs and then reduced to size; None is the
            bundled method.
    """
    if upscaler is None:
        return enlarge(picture, width=width, height=height)
    while picture.shape[-1] < width or picture.shape[-2] < height:
        picture = _by_tiles(picture, upscaler)
    return torch.nn.functional.interpolate(
        picture, size=(height, width), mode="bicubic", antialias=True
    ).clamp(0, 1)


def _by_tiles(picture: torch.Tensor, upscaler: Upscaler) -> torch.Tensor:
    scale, (height, width) = upscaler.scale, picture.shape[-2:]
    drawn = picture.new_empty(1, 3, height * scale, width * scale)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            bottom, right = min(height, top + TILE), min(width, left + TILE)
            above, before = max(0, top - MARGIN), max(0, left - MARGIN)
            seen = picture[..., above : bottom + MARGIN, before : right + MARGIN]
            larger = upscaler(seen).clamp(0, 1)
            down, over = (top - above) * scale, (left - before) * scale
            drawn[..., top * scale : bottom * scale, left * scale : right * scale] = larger[
                ..., down : down + (bottom - top) * scale, over : over + (right - left) * scale
            ]
    return drawn

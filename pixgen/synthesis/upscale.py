"""Enlarge pictures: by a bundled method without a model that keeps edges crisp, or by a learned upscaler in
tiles.

Interpolation blurs edges, and sharpening leaves halos beside them. The bundled method smooths contours and
steepens edges within the range of their neighbourhood, so that there are no halos, and corrects the result
until it is close to the given picture when reduced again.
"""

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d

from pixgen.models.upscalers import Upscaler

_ROUNDS = 2
_REACH = 3  # pixels: the neighbourhood whose range an edge may take


def enlarge(pictures: torch.Tensor, *, width: int, height: int) -> torch.Tensor:
    """Enlarge pictures ``(N, 3, H, W)`` in [0, 1] to ``(N, 3, height, width)``; neither side may shrink.

    Sources: shock filters (Osher and Rudin, 1990) for the edges, iterative back-projection (Irani and
    Peleg, 1991) for faithfulness. More than twice the size is reached by doubling.
    """
    while pictures.shape[-1] * 2 < width and pictures.shape[-2] * 2 < height:
        pictures = _enlarge(pictures, (pictures.shape[-2] * 2, pictures.shape[-1] * 2))
    if pictures.shape[-2:] == (height, width):
        return pictures
    return _enlarge(pictures, (height, width))


def _enlarge(pictures: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    # No pixel leaves the range of the given pixels around it.
    low, high = (F.interpolate(each, size=size, mode="nearest-exact") for each in _range(pictures))
    drawn = torch.clamp(_resize(pictures, size), low, high)
    for _ in range(_ROUNDS):
        smooth = gaussian_blur2d(drawn, (5, 5), (0.6, 0.6), border_type="replicate")
        drawn = _steepen(smooth, amount=1.0)
        missing = pictures - _resize(drawn, (pictures.shape[-2], pictures.shape[-1]))
        drawn = torch.clamp(drawn + _resize(missing, size), low, high)
    return _steepen(drawn, amount=0.5)


def _resize(pictures: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(pictures, size=size, mode="bicubic", antialias=True)


def _range(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The minimum and the maximum of each pixel's neighbourhood."""
    around = F.pad(pictures, (_REACH // 2,) * 4, mode="replicate")
    return -F.max_pool2d(-around, _REACH, 1), F.max_pool2d(around, _REACH, 1)


def _steepen(pictures: torch.Tensor, *, amount: float) -> torch.Tensor:
    """Sharpen edges; each pixel stays within the range of its neighbourhood."""
    blurred = gaussian_blur2d(pictures, (7, 7), (1.0, 1.0), border_type="replicate")
    return torch.clamp(pictures + amount * (pictures - blurred), *_range(pictures))


TILE = 256  # side in pixels of the given picture's tiles: memory stays bounded
MARGIN = 16  # pixels of context around a tile, so that no seam is visible


@torch.no_grad()
def upscale(
    picture: torch.Tensor, *, width: int, height: int, upscaler: Upscaler | None = None
) -> torch.Tensor:
    """Enlarge a picture ``(1, 3, H, W)`` in [0, 1] to ``(1, 3, height, width)``.

    Args:
        upscaler: a learned upscaler, applied until the picture is large enough, then reduced to size; None is
            the bundled method.
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

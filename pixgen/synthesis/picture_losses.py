"""What a picture may be wanted to be beside its prompts: free functions, each 0 where all is as wanted.

Pictures are ``(1, 3, H, W)`` in [0, 1], colours red, green, blue; every loss is a scalar of about 0 to 1.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange

# Hasler and Süsstrunk's word for a colourfulness of 109 (of 255) is "extremely colourful".
_COLOURFUL = 109 / 255
_STRONG_EDGE = 0.25  # a step between neighbours that "clipped" smoothness leaves alone


def total_variation_loss(picture: torch.Tensor) -> torch.Tensor:
    """Total variation: the mean squared difference of neighbours.

    Source: Mahendran and Vedaldi, arXiv 1412.0035.
    """
    return picture.diff(dim=-1).square().mean() + picture.diff(dim=-2).square().mean()


def palette_loss(picture: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """The mean distance of pixels to their nearest colour of ``(N, 3)``. Source of the idea: pixray."""
    pixels = rearrange(picture, "1 c h w -> (h w) c")
    nearest = colours[torch.cdist(pixels.detach(), colours).argmin(1)]
    # The floor keeps the root's slope finite; without it again, a pixel of a colour costs nothing.
    return ((pixels - nearest).square().sum(1) + 1e-6).sqrt().mean() - 1e-3


def saturation_loss(picture: torch.Tensor) -> torch.Tensor:
    """How far a picture is from extremely colourful: 1 for grey.

    Source: Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003.
    """
    red, green, blue = picture[0]
    pairs = torch.stack([red - green, (red + green) / 2 - blue])
    spread = (pairs.var(dim=(1, 2), correction=0).sum() + 1e-8).sqrt()
    mean = (pairs.mean(dim=(1, 2)).square().sum() + 1e-8).sqrt()
    return (1 - (spread + 0.3 * mean) / _COLOURFUL).relu()


def smoothness_loss(picture: torch.Tensor, kind: str = "default") -> torch.Tensor:
    """The mean length of the gradient; ``clipped`` at a strong edge, or of its ``log``."""
    across, down = picture.diff(dim=-1)[..., :-1, :], picture.diff(dim=-2)[..., :-1]
    steepness = (across.square() + down.square() + 1e-8).sqrt() - 1e-4
    if kind == "clipped":
        steepness = steepness.clamp(max=_STRONG_EDGE)
    elif kind == "log":
        steepness = torch.log1p(10 * steepness) / 10
    return steepness.mean()


def symmetry_loss(picture: torch.Tensor, kind: str = "horizontal") -> torch.Tensor:
    """The mean squared difference to the picture mirrored left to right (``horizontal``), top to bottom
    (``vertical``), or turned by half a turn (``rotational``)."""
    axes = {"horizontal": (-1,), "vertical": (-2,), "rotational": (-2, -1)}[kind]
    return (picture - picture.flip(axes)).square().mean()


def edge_loss(
    picture: torch.Tensor, colour: Sequence[float], *, margin: float = 0.05
) -> torch.Tensor:
    """The mean squared distance to a colour in a margin, a part of the shorter side."""
    height, width = picture.shape[-2:]
    wide = max(1, round(margin * min(height, width)))
    inside = torch.ones(height, width, device=picture.device)
    inside[wide : height - wide, wide : width - wide] = 0
    wanted = torch.tensor(colour, device=picture.device)[:, None, None]
    return ((picture - wanted).square() * inside).sum() / (3 * inside.sum())


def tiling_loss(picture: torch.Tensor) -> torch.Tensor:
    """The seams of a picture beside itself: the mean squared difference of the step over a seam to the
    steps on both sides of it."""
    seams = []
    for axis in (-1, -2):
        last, first, beyond = (picture.select(axis, at) for at in (-1, 0, 1))
        before = picture.select(axis, -2)
        seams.append(((first - last) - (beyond - first + last - before) / 2).square().mean())
    return torch.stack(seams).mean()


def anti_text_loss(vectors: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """How far CLIP vectors ``(N, D)`` lean towards lettering ``(D,)``; 0 where they lean away.

    Source of the idea: pixray's "textoff", a direction in CLIP's space.
    """
    return (vectors @ direction).relu().mean()


def aesthetic_loss(scores: torch.Tensor) -> torch.Tensor:
    """How far aesthetic scores ``(N,)``, from about 1 to 10, are from the best.

    Source of the constants: github.com/pixray/pixray.
    """
    return 0.02 * (scores - 10).square().mean()


class StyleStatistics:
    """What a style is here: how often which small patterns come together, at three scales.

    Patterns are random filters, which need no weights to be fetched; their products, summed over the
    picture, are Gram matrices. Sources: Gatys and others, arXiv 1505.07376; Ustyuzhaninov and others,
    arXiv 1606.00021, on random filters.
    """

    def __init__(self, picture: torch.Tensor, *, filters: int = 64, scales: int = 3) -> None:
        chance = torch.Generator().manual_seed(1606)
        banks = [torch.randn(filters, 3, side, side, generator=chance) for side in (3, 7)]
        # Without their mean, filters see patterns; colours are compared by themselves.
        banks = [bank - bank.mean(dim=(2, 3), keepdim=True) for bank in banks]
        self._banks = [
            (bank / bank.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()).to(picture.device)
            for bank in banks
        ]
        self._scales = scales
        with torch.no_grad():
            self._wanted = self._measured(picture)
        self._sizes = [each.square().mean().clamp(min=1e-6) for each in self._wanted]

    def loss(self, picture: torch.Tensor) -> torch.Tensor:
        """How differently another picture is painted: the relative squared distance of the figures."""
        pairs = zip(self._measured(picture), self._wanted, self._sizes, strict=True)
        return torch.stack([(is_ - was).square().mean() / size for is_, was, size in pairs]).mean()

    def _measured(self, picture: torch.Tensor) -> list[torch.Tensor]:
        colours = rearrange(picture, "1 c h w -> c (h w)")
        found = [colours.mean(1), colours @ colours.T / colours.shape[1]]
        for _ in range(self._scales):
            for bank in self._banks:
                side = bank.shape[-1]
                padded = F.pad(picture, (side // 2,) * 4, mode="replicate")
                seen = rearrange(F.conv2d(padded, bank).relu(), "1 n h w -> n (h w)")
                found.append(seen @ seen.T / seen.shape[1])
            picture = F.avg_pool2d(picture, 2, ceil_mode=True)
        return found

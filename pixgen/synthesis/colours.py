"""Colours: the main ones of a picture, and axes along which those of natural pictures are independent."""

import torch
from einops import rearrange

# The square root of the covariance of ImageNet's colours, largest norm 1: lucid's decorrelated colour
# space (github.com/tensorflow/lucid, distill.pub/2017/feature-visualization).
_DECORRELATED = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


def colour_axes(device: torch.device) -> torch.Tensor:
    """The matrix ``(3, 3)`` that takes independent colours to red, green and blue."""
    axes = torch.tensor(_DECORRELATED, device=device)
    return axes / axes.norm(dim=0).max()


def main_colours(picture: torch.Tensor, *, count: int, rounds: int = 12) -> torch.Tensor:
    """The colours ``(count, 3)`` that stand best for a picture ``(1, 3, H, W)``: k-means.

    The first is the mean; each next begins where the picture is worst stood for, so the same picture
    has the same colours.
    """
    pixels = rearrange(picture, "1 c h w -> (h w) c")
    chosen = [pixels.mean(0)]
    distances = (pixels - chosen[0]).square().sum(1)
    for _ in range(count - 1):
        chosen.append(pixels[distances.argmax()])
        distances = torch.minimum(distances, (pixels - chosen[-1]).square().sum(1))
    colours = torch.stack(chosen)
    for _ in range(rounds):
        nearest = torch.cdist(pixels, colours).argmin(1)
        sums = torch.zeros_like(colours).index_add_(0, nearest, pixels)
        members = nearest.bincount(minlength=count)[:, None]
        colours = torch.where(members > 0, sums / members.clamp(min=1), colours)
    return colours

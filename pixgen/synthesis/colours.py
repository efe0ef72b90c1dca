"""Main colours of a picture by k-means, and the decorrelated colour axes of natural pictures."""

import torch
from einops import rearrange

# The square root of the covariance of ImageNet's colours, largest norm 1: lucid's decorrelated colour
# space (github.com/tensorflow/lucid, distill.pub/2017/feature-visualization).
_DECORRELATED = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


def colour_axes(device: torch.device) -> torch.Tensor:
    """The matrix ``(3, 3)`` that maps decorrelated colours to red, green and blue."""
    axes = torch.tensor(_DECORRELATED, device=device)
    return axes / axes.norm(dim=0).max()


def main_colours(picture: torch.Tensor, *, count: int, rounds: int = 12) -> torch.Tensor:
    """The main colours ``(count, 3)`` of a picture ``(1, 3, H, W)``, by k-means.

    The first centre is the mean, and each next one the pixel that is farthest from the centres so far, so
    that a picture always has the same colours.
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

"""Hands that change a whole picture: black and white, pencil, neon, and others, as simple filters."""

import torch
import torch.nn.functional as F

GREY = (0.299, 0.587, 0.114)
SEPIA = (1.0, 0.85, 0.65)
SILHOUETTE = "silhouette"  # a matter of the things alone: they are black


def in_hand(name: str, picture: torch.Tensor, *, noise: torch.Tensor, fine: bool) -> torch.Tensor:
    """A picture ``(1, 3, H, W)`` in [0, 1] in a hand by its name; one of no such name stays as it is.

    Args:
        noise: ``(1, 1, 8, 8)`` in [0, 1], what paper looks like.
        fine: whether pixels are the smaller ones.
    """
    grey = (picture * _channels(GREY, picture)).sum(1, keepdim=True)
    if name == "black and white":
        return grey.expand_as(picture)
    if name == "sepia":
        return (0.1 + 0.9 * grey) * _channels(SEPIA, picture)
    if name == "pixels":
        size = 4 if fine else 8
        return F.interpolate(F.avg_pool2d(picture, size), scale_factor=size)
    paper = F.interpolate(noise, size=picture.shape[-2:], mode="bilinear", align_corners=False)
    if name == "watercolour":
        washed = _blur(_blur(picture))
        return 1 - (1 - washed) * (0.55 + 0.5 * paper) - 0.5 * (_edges(washed) * 1.2)
    if name == "pencil":
        return (0.97 - 0.05 * paper - 2.2 * _edges(grey) - 0.25 * (1 - grey)).expand_as(picture)
    if name == "neon":
        hue = picture / picture.amax(1, keepdim=True).clamp(min=0.2)
        glow = _edges(picture)
        return 0.06 + hue * (1.8 * glow + 1.5 * _blur(_blur(_blur(glow))))
    return picture


def _channels(values: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, device=like.device)[:, None, None]


def _blur(picture: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(F.pad(picture, (2, 2, 2, 2), mode="replicate"), 5, 1)


def _edges(picture: torch.Tensor) -> torch.Tensor:
    """Edge strength in [0, about 1], ``(B, 1, H, W)``."""
    padded = F.pad(picture, (0, 1, 0, 1), mode="replicate")
    across = (padded[..., :-1, 1:] - picture).abs()
    down = (padded[..., 1:, :-1] - picture).abs()
    return (across + down).amax(1, keepdim=True).clamp(max=1)

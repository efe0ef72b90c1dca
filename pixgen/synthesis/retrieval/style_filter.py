"""Styles as image filters: of a whole picture (black and white, pencil, neon) or of a thing (outlined, a
sticker)."""

import torch
import torch.nn.functional as F

GREY = (0.299, 0.587, 0.114)
SEPIA = (1.0, 0.85, 0.65)
INK = 0.09  # of an outline: nearly black
SILHOUETTE, OUTLINED, STICKER, ROUND = "silhouette", "outlined", "sticker", "round"
OBJECT_STYLES = (SILHOUETTE, OUTLINED, STICKER, ROUND)  # styles that leave the background unchanged


def apply_style(name: str, picture: torch.Tensor, *, noise: torch.Tensor, fine: bool) -> torch.Tensor:
    """Apply a style to a picture ``(1, 3, H, W)`` in [0, 1]; unknown names leave it unchanged.

    Args:
        noise: ``(1, 1, 8, 8)`` in [0, 1], the texture of paper.
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


def apply_object_style(name: str, layer: torch.Tensor, *, side: int) -> torch.Tensor:
    """Apply a style to a thing ``(1, 4, H, W)``, colours times opacity and opacity; other names leave it
    unchanged.

    Args:
        side: of the thing in pixels, which the width of lines depends on.
    """
    filters = {OUTLINED: _outline, STICKER: _sticker, ROUND: _round}
    return filters[name](layer[:, :3], layer[:, 3:], side) if name in filters else layer


def _outline(colours: torch.Tensor, opacity: torch.Tensor, side: int) -> torch.Tensor:
    width = max(1, round(side / 56))
    grown = _grow(opacity, width)
    inner = (2.5 * _edges(colours / opacity.clamp(min=0.05)) - 0.25).clamp(0, 1)
    line = _blur(torch.maximum(grown - 1 + _grow(1 - opacity, width), inner * opacity), 3)
    line = (1.6 * line).clamp(0, 1) * grown
    light = colours + 0.12 * (opacity - colours)
    return torch.cat([light * (1 - line) + INK * line, torch.maximum(opacity, line)], dim=1)


def _sticker(colours: torch.Tensor, opacity: torch.Tensor, side: int) -> torch.Tensor:
    rim = _blur(_grow(opacity, max(2, round(side / 22))), 3)
    below = max(1, round(side / 40))
    shadow = 0.4 * _blur(F.pad(rim, (0, 0, below, 0))[..., :-below, :])
    cut = torch.cat([colours + (rim - opacity).clamp(min=0), rim.clamp(min=opacity)], dim=1)
    return cut + torch.cat([torch.zeros_like(colours), shadow], dim=1) * (1 - cut[:, 3:])


def _round(colours: torch.Tensor, opacity: torch.Tensor, side: int) -> torch.Tensor:
    height = opacity
    for _ in range(max(1, round(side / 16))):
        height = torch.minimum(_blur(height), opacity)
    down = F.pad(height, (0, 0, 1, 1), mode="replicate")
    across = F.pad(height, (1, 1, 0, 0), mode="replicate")
    slope = (across[..., 2:] - across[..., :-2]) + (down[..., 2:, :] - down[..., :-2, :])
    lit = (slope * side / 10).clamp(-1, 1)  # from above on the left
    inside = _blur(1 - _grow(1 - opacity, max(1, round(side / 18))))
    shaded = colours * (1 + 0.5 * lit.clamp(max=0))
    shaded = shaded + 0.6 * lit.clamp(min=0) * inside * (opacity - shaded)
    return torch.cat([shaded, opacity], dim=1)


def _channels(values: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, device=like.device)[:, None, None]


def _blur(picture: torch.Tensor, width: int = 5) -> torch.Tensor:
    around = (width // 2,) * 4
    return F.avg_pool2d(F.pad(picture, around, mode="replicate"), width, 1)


def _grow(opacity: torch.Tensor, pixels: int) -> torch.Tensor:
    """Grow an opacity by some pixels on each side, with round corners."""
    for _ in range(pixels):
        cross = torch.maximum(
            F.max_pool2d(opacity, (3, 1), 1, (1, 0)), F.max_pool2d(opacity, (1, 3), 1, (0, 1))
        )
        opacity = 0.6 * cross + 0.4 * F.max_pool2d(opacity, 3, 1, 1)
    return opacity


def _edges(picture: torch.Tensor) -> torch.Tensor:
    """Edge strength in [0, about 1], ``(B, 1, H, W)``."""
    padded = F.pad(picture, (0, 1, 0, 1), mode="replicate")
    across = (padded[..., :-1, 1:] - picture).abs()
    down = (padded[..., 1:, :-1] - picture).abs()
    return (across + down).amax(1, keepdim=True).clamp(max=1)

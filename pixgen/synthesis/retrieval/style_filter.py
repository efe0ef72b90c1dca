"""Styles as image filters: of a whole picture (black and white, pencil, neon) or of a thing (outlined, a
sticker)."""

import torch
import torch.nn.functional as F

GREY = (0.299, 0.587, 0.114)
SEPIA = (1.0, 0.85, 0.65)
INK = 0.09  # of an outline: nearly black
RICE_PAPER, PAPER, INK_BLACK = (1.0, 0.98, 0.93), (0.95, 0.92, 0.84), (0.1, 0.1, 0.12)
HATCHING = 6  # pixels between the lines of a print
DRAWN_IN_LIGHT = {"blueprint": (0.1, 0.25, 0.55), "chalk": (0.13, 0.22, 0.18)}  # light lines on this ground
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
    if name == "poster":
        flat = (_flatten(picture, rounds=4) * 3.4).round() / 3.4
        return (flat - 0.12 * _edges(_flatten(grey, rounds=2))).clamp(0, 1)
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
    if name == "oil":
        strokes = _flatten(picture, rounds=5)
        relief = strokes - F.pad(strokes, (1, 0, 1, 0), mode="replicate")[..., :-1, :-1]
        return strokes * (0.94 + 0.12 * paper) + 0.9 * relief
    if name == "ink":
        soft = 1 - (1 - _blur(grey)) * (0.75 + 0.4 * paper)
        washed = torch.where(soft > 0.5, 0.62 + 0.7 * (soft - 0.5), 1.24 * soft)
        return (washed - 1.1 * _blur(_edges(grey), 3)) * _channels(RICE_PAPER, picture)
    if name == "print":
        rows = torch.arange(picture.shape[-2], device=picture.device)[:, None]
        hatching = 0.5 + 0.17 * torch.sin(rows * (2 * torch.pi / HATCHING))
        cut = (_blur(grey, 3) - 1.2 * _edges(grey) > hatching).to(grey)
        return _channels(INK_BLACK, picture) + cut * (
            _channels(PAPER, picture) - _channels(INK_BLACK, picture)
        )
    if name in DRAWN_IN_LIGHT:
        lines = (1.6 * _edges(picture) + 0.12 * grey).clamp(0, 1) * (0.75 + 0.25 * paper)
        ground = _channels(DRAWN_IN_LIGHT[name], picture)
        return ground + (0.95 - ground) * lines
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


def _flatten(picture: torch.Tensor, *, rounds: int) -> torch.Tensor:
    """Even out what is alike while edges stay: each pixel becomes the mean of that quarter of its surroundings that
    varies least (Kuwahara's filter)."""
    for _ in range(rounds):
        around = F.pad(picture, (2, 2, 2, 2), mode="replicate")
        means = F.avg_pool2d(around, 3, 1)  # (H + 2, W + 2)
        varied = (F.avg_pool2d(around.square(), 3, 1) - means.square()).sum(1, keepdim=True)
        corners = [
            (slice(down, down - 2 or None), slice(across, across - 2 or None))
            for down in (0, 2)
            for across in (0, 2)
        ]
        quarters = torch.stack([means[..., down, across] for down, across in corners])
        least = torch.stack([varied[..., down, across] for down, across in corners]).argmin(0, keepdim=True)
        picture = quarters.gather(0, least.expand(1, *quarters.shape[1:]))[0]
    return picture


def _edges(picture: torch.Tensor) -> torch.Tensor:
    """Edge strength in [0, about 1], ``(B, 1, H, W)``."""
    padded = F.pad(picture, (0, 1, 0, 1), mode="replicate")
    across = (padded[..., :-1, 1:] - picture).abs()
    down = (padded[..., 1:, :-1] - picture).abs()
    return (across + down).amax(1, keepdim=True).clamp(max=1)

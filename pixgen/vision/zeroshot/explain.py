"""Explain a label's score as a heat map over the picture, by integrated gradients.

Integrated gradients (https://arxiv.org/abs/1703.01365) need only a model's gradient, and so work for convolutions and
transformers alike. The path from a blurred picture to the picture is integrated several times with a little noise, as
in SmoothGrad (https://arxiv.org/abs/1706.03825).
"""

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image

from pixgen.vision.images import resize_square, to_batch
from pixgen.vision.zeroshot.embeddings import DeviceTurn

if TYPE_CHECKING:
    from pixgen.models import Perceptor

_BLUR = 1 / 6  # of the side: nothing can be recognised after this blur
_SMOOTH = 1 / 28  # of the side: smooths the noise of single pixels
_POINTS_PER_BATCH = 16
_COLOUR_STOPS = np.array(
    [[0, 0, 0], [96, 8, 60], [206, 52, 34], [250, 166, 40], [255, 250, 190]], dtype=float
)


def explain(
    perceptor: "Perceptor",
    picture: Image.Image,
    direction: torch.Tensor,
    *,
    steps: int = 16,
    walks: int = 2,
    noise: float = 0.03,
    seed: int = 0,
    turn: DeviceTurn = nullcontext,
) -> np.ndarray:
    """The contribution of each pixel to the dot product with ``direction``: ``(side, side)`` float32.

    Positive values speak for the label, negative ones against it. Without noise their sum is the difference of the
    products of the picture and the blurred picture, up to the error of the steps.

    Args:
        picture: RGB; it is resized to a square.
        direction: ``(D,)``, a label's vector, or a difference of vectors (see ``label_direction``).
        steps: of the path from the blurred picture.
        walks: the number of paths, each with other noise of standard deviation ``noise`` (colours in [0, 1]).
        turn: waits for a turn on the device, for each batch of steps.
    """
    pixels = to_batch([resize_square(picture, perceptor.size)], perceptor.device)  # (1, 3, S, S)
    blurred = _blur(pixels, perceptor.size * _BLUR)
    chance = torch.Generator().manual_seed(seed)
    places = (torch.arange(steps * walks) % steps + 0.5) / steps
    direction = direction.to(perceptor.device)
    total = torch.zeros_like(pixels)
    for some in places.split(_POINTS_PER_BATCH):
        way = rearrange(some, "n -> n 1 1 1").to(pixels.device)
        shaken = torch.randn(len(some), *pixels.shape[1:], generator=chance).to(pixels.device) * noise
        points = (blurred + way * (pixels - blurred) + shaken).requires_grad_()
        with turn(), torch.enable_grad():
            (gradient,) = torch.autograd.grad((perceptor.embed_images(points) @ direction).sum(), points)
        total += gradient.sum(0, keepdim=True)
    gained = (total / len(places) * (pixels - blurred)).sum(1, keepdim=True)
    return _blur(gained, perceptor.size * _SMOOTH)[0, 0].cpu().numpy()


def label_direction(vectors: torch.Tensor, place: int) -> torch.Tensor:
    """The direction of one label: its vector minus the mean of the others; ``(L, D)`` to ``(D,)``."""
    others = torch.cat([vectors[:place], vectors[place + 1 :]])
    return vectors[place] - others.mean(0) if len(others) else vectors[place]


def overlay(picture: Image.Image, heat: np.ndarray, *, side: int = 512) -> Image.Image:
    """Overlay a heat map on the darkened grey picture, at most ``side`` pixels; the hottest places glow."""
    shown = picture.convert("RGB")
    shown.thumbnail((side, side))
    if max(shown.size) < side // 2:  # small pictures are enlarged, so that places can be recognised
        factor = side / 2 / max(shown.size)
        shown = shown.resize([max(1, round(each * factor)) for each in shown.size], Image.Resampling.BICUBIC)
    strength = np.clip(heat, 0, None)
    strength = strength / max(float(np.quantile(strength, 0.995)), 1e-12)
    mask = Image.fromarray((np.clip(strength, 0, 1) * 255).astype(np.uint8)).resize(
        shown.size, Image.Resampling.BICUBIC
    )
    part = np.asarray(mask, dtype=float)[..., None] / 255
    grey = np.asarray(shown.convert("L").convert("RGB"), dtype=float) * 0.55
    spots = np.linspace(0, 1, len(_COLOUR_STOPS))
    colours = np.stack([np.interp(part[..., 0], spots, _COLOUR_STOPS[:, each]) for each in range(3)], axis=-1)
    alpha = 0.85 * np.sqrt(part)
    return Image.fromarray((grey * (1 - alpha) + colours * alpha).round().astype(np.uint8))


def _blur(pixels: torch.Tensor, sigma: float) -> torch.Tensor:
    """A Gaussian blur that keeps the sum where nothing lies at the edges; ``(N, C, H, W)``."""
    radius = min(math.ceil(2.5 * sigma), pixels.shape[-1] - 1)
    spots = torch.arange(-radius, radius + 1, device=pixels.device)
    weights = torch.exp(-(spots**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    channels = pixels.shape[1]
    across = weights.expand(channels, 1, 1, -1)
    padded = F.pad(pixels, (radius,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, across, groups=channels), across.transpose(-1, -2), groups=channels)

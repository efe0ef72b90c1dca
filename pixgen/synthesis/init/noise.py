"""What the canvas shows before the first step: noises with names, drawn from the run's generator."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image, ImageOps


def start_picture(kind: str, *, width: int, height: int, generator: torch.Generator) -> torch.Tensor:
    """A noise picture ``(1, 3, height, width)`` in [0, 1]: perlin, gradient, snow or grey."""
    device = generator.device
    if kind == "grey":
        return torch.full((1, 3, height, width), 0.5, device=device)
    if kind == "snow":
        return torch.rand(1, 3, height, width, generator=generator, device=device)
    if kind == "gradient":
        corners = torch.rand(1, 3, 2, 2, generator=generator, device=device)
        return F.interpolate(corners, size=(height, width), mode="bilinear", align_corners=True)
    return _perlin(width, height, generator)


def _perlin(width: int, height: int, generator: torch.Generator) -> torch.Tensor:
    """Smooth noise of several octaves, soft in contrast."""
    total = torch.zeros(1, 3, height, width, device=generator.device)
    octaves = max(2, int(math.log2(min(width, height))) - 3)
    for octave in range(octaves):
        cells = 2 ** (octave + 1)
        shape = (1, 3, cells, max(1, round(cells * width / height)))
        coarse = torch.rand(shape, generator=generator, device=generator.device)
        total += (
            F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False) * 0.6**octave
        )
    spread = total - total.mean()
    return (0.5 + 0.25 * spread / spread.std().clamp(min=1e-6)).clamp(0, 1)


def fit_picture(picture: Image.Image, *, width: int, height: int, fit: str) -> torch.Tensor:
    """A given picture as a canvas, ``(1, 3, height, width)`` in [0, 1].

    ``fit``: "cover" cuts what sticks out, "contain" leaves grey margins, "stretch" squashes.
    """
    size, method = (width, height), Image.Resampling.LANCZOS
    if fit == "cover":
        picture = ImageOps.fit(picture, size, method=method)
    elif fit == "contain":
        picture = ImageOps.pad(picture, size, method=method, color=(128, 128, 128))
    else:
        picture = picture.resize(size, method)
    return to_tensor(picture)


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """An RGB picture as ``(1, 3, H, W)`` float32 in [0, 1]."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    return rearrange(pixels, "h w c -> 1 c h w").float() / 255

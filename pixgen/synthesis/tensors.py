"""Pictures as tensors and back, their main colours, and tensors that are copied between CPU and GPU without waiting."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageOps


def fit_picture(picture: Image.Image, *, width: int, height: int, fit: str) -> torch.Tensor:
    """Fit a picture to a canvas, ``(1, 3, height, width)`` in [0, 1].

    ``fit``: "cover" crops, "contain" leaves grey margins, "stretch" distorts.
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
    """A picture as a tensor ``(1, 3, H, W)``, float32 in [0, 1], in RGB."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    return rearrange(pixels, "h w c -> 1 c h w").float() / 255


def start_copy(picture: torch.Tensor) -> Callable[[], np.ndarray] | None:
    """Start to copy a picture ``(3, H, W)`` from a GPU; calling the result waits for this copy only, and not
    for work that was queued later. None where the picture is not on a GPU."""
    if picture.device.type != "cuda":
        return None
    copied = Download(_quantise(picture))
    return lambda: copied().numpy()


def to_pixels(picture: torch.Tensor) -> np.ndarray:
    """Convert a picture ``(3, H, W)`` in [0, 1], on any device, to pixels ``(H, W, 3)`` uint8."""
    return _quantise(picture).cpu().numpy()


def _quantise(picture: torch.Tensor) -> torch.Tensor:
    pixels = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return rearrange(pixels, "c h w -> h w c")


def upload(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a tensor from the CPU to a device without waiting: torch keeps the pinned memory until the copy is
    done."""
    if device.type != "cuda" or values.device.type == "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def upload_all(tensors: Sequence[torch.Tensor], device: torch.device) -> list[torch.Tensor]:
    """Copy float32 tensors to a device, all in one asynchronous copy from pinned memory."""
    flat = torch.cat([each.reshape(-1) for each in tensors])
    if device.type == "cuda":
        flat = flat.pin_memory()
    parts = flat.to(device, non_blocking=True).split([each.numel() for each in tensors])
    return [part.view(each.shape) for part, each in zip(parts, tensors, strict=True)]


class Download:
    """An asynchronous copy of a tensor from a device to the CPU.

    Args:
        values: the tensor; work that is queued on the device later is not waited for.
    """

    def __init__(self, values: torch.Tensor) -> None:
        self._done: torch.cuda.Event | None = None
        self._kept = values
        if values.device.type == "cuda":
            self._kept = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._kept.copy_(values, non_blocking=True)
            self._done = torch.cuda.Event()
            self._done.record(torch.cuda.current_stream(values.device))

    def is_ready(self) -> bool:
        """Whether calling it would not wait."""
        return self._done is None or self._done.query()

    def __call__(self) -> torch.Tensor:
        """The values on the CPU; waits until they are there."""
        if self._done is not None:
            self._done.synchronize()
        return self._kept


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

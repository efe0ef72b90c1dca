"""Pictures as tensors and back, and tensors on their way between CPU and GPU, for which neither waits."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageOps


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


def start_copy(picture: torch.Tensor) -> Callable[[], np.ndarray] | None:
    """Begin to copy a picture ``(3, H, W)`` from a GPU, without waiting; what is returned waits for it,
    and not for what the GPU was told to do since. None where there is nothing to be copied."""
    if picture.device.type != "cuda":
        return None
    copied = Download(_quantise(picture))
    return lambda: copied().numpy()


def to_pixels(picture: torch.Tensor) -> np.ndarray:
    """A picture ``(3, H, W)`` in [0, 1], on any device, as ``(H, W, 3)`` uint8."""
    return _quantise(picture).cpu().numpy()


def _quantise(picture: torch.Tensor) -> torch.Tensor:
    pixels = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return rearrange(pixels, "c h w -> h w c")


def upload(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the CPU on a device, for which the CPU does not wait: torch keeps pinned memory until the
    copy is done."""
    if device.type != "cuda" or values.device.type == "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def upload_all(tensors: Sequence[torch.Tensor], device: torch.device) -> list[torch.Tensor]:
    """The same float32 tensors on a device, by one asynchronous copy from pinned memory."""
    flat = torch.cat([each.reshape(-1) for each in tensors])
    if device.type == "cuda":
        flat = flat.pin_memory()
    parts = flat.to(device, non_blocking=True).split([each.numel() for each in tensors])
    return [part.view(each.shape) for part, each in zip(parts, tensors, strict=True)]


class Download:
    """A tensor of a device on its way to the CPU.

    Args:
        values: what is copied; what the device is told to do later is not waited for.
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
        """Whether it has come, so that nobody would wait."""
        return self._done is None or self._done.query()

    def __call__(self) -> torch.Tensor:
        """The values on the CPU, once they are there."""
        if self._done is not None:
            self._done.synchronize()
        return self._kept

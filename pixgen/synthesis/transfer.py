"""Numbers on their way between CPU and GPU, without either waiting for the other."""

import torch


def upload(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the CPU on a device, for which the CPU does not wait: torch keeps pinned memory until the
    copy is done."""
    if device.type != "cuda" or values.device.type == "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


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

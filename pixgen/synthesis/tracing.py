"""How much memory work takes, found without doing it: every tensor is only its shape.

Source of the method: torch's own FakeTensorMode, and its tracker of storages in
``torch.distributed._tools.mem_tracker``.
"""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn as nn
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Trace(TorchDispatchMode):
    """Counts the bytes of the tensors that are alive while it is entered, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._alive: dict[int, weakref.ref] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.add(tensor)
        return made

    def add(self, tensor: torch.Tensor) -> None:
        """Count a tensor that was there before, such as a model's weight."""
        storage = tensor.untyped_storage()
        number = storage._cdata
        if number in self._alive:
            return
        size = storage.nbytes()

        def gone(_: weakref.ref) -> None:
            self._alive.pop(number, None)
            self.held -= size

        self._alive[number] = weakref.ref(storage, gone)
        self.held += size
        self.peak = max(self.peak, self.held)

    def begin_peak(self) -> None:
        """Forget the peak so far."""
        self.peak = self.held


@contextmanager
def shapes_alone() -> Iterator[Trace]:
    """Inside, tensors that are made have no content, and take no memory; yields what counts them."""
    with FakeTensorMode(allow_non_fake_inputs=True), Trace() as trace:
        yield trace


def filled(module: nn.Module, device: str) -> nn.Module:
    """A module that was made on the meta device, in place, with weights on ``device``; inside
    ``shapes_alone`` these have no content either."""
    for part in module.modules():
        stores: tuple[dict[str, Any], ...] = (part._parameters, part._buffers)
        for tensors in stores:
            for name, tensor in tensors.items():
                if tensor is not None:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
                    tensors[name] = (
                        nn.Parameter(empty, requires_grad=False)
                        if isinstance(tensor, nn.Parameter)
                        else empty
                    )
    return module

"""Copies of loaded models in half precision, and other things that belong to a module and die with it.

Half weights take the place of ``torch.autocast``: a cast of every weight in every step is most of what a
GPU is told to do in half precision, and what lies around a model (geometry, distances, losses) keeps its
float32.
"""

import copy
from typing import Any

import torch
import torch.nn as nn
from open_clip.transformer import LayerNormFp32

_NORMS = (nn.GroupNorm, nn.LayerNorm)


class ModuleCache(dict):
    """What is kept for a module: copies, compiled and captured functions. A copy of the module has none."""

    def __deepcopy__(self, memo: dict) -> "ModuleCache":
        return ModuleCache()

    def __reduce__(self) -> tuple:
        return ModuleCache, ()


def cached_on(module: nn.Module) -> ModuleCache:
    """What is kept for a module, in its dictionary alone: a module's state is its weights."""
    return module.__dict__.setdefault("_pixgen_kept", ModuleCache())


def half_copy(module: nn.Module, half: torch.dtype, *, part: str = "") -> nn.Module:
    """A frozen module with its weights in half precision; made once, and then kept for it.

    Args:
        part: the name of the child that is needed in half precision; the others' weights are shared.
    """
    copies = cached_on(module)
    if ("half", half, part) not in copies:
        copies["half", half, part] = _copy_in_half(module, half, part)
    return copies["half", half, part]


@torch.no_grad()
def _copy_in_half(module: nn.Module, half: torch.dtype, part: str) -> nn.Module:
    # A deep copy takes what stands in its memo for a weight's copy.
    memo: dict[int, Any] = {id(each): each for each in (*module.parameters(), *module.buffers())}
    for child in (getattr(module, part) if part else module).modules():
        for tensor in (*child._parameters.values(), *child._buffers.values()):
            if tensor is None or not tensor.is_floating_point() or _stays_float32(child, tensor):
                continue
            slim = tensor.to(half)
            memo[id(tensor)] = nn.Parameter(slim, False) if isinstance(tensor, nn.Parameter) else slim
    return copy.deepcopy(module, memo)


def _stays_float32(child: nn.Module, weight: torch.Tensor) -> bool:
    """Whether a weight stays in float32: of norms that ask for it, and on a CPU of all, where norms take
    pictures and weights of different types."""
    if isinstance(child, (LayerNormFp32, nn.modules.batchnorm._BatchNorm)):
        return True
    return isinstance(child, _NORMS) and weight.device.type == "cpu"

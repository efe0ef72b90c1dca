"""Copy loaded models in half precision; cache such copies, and compiled passes, on their module.

Half weights replace ``torch.autocast``, whose casts of every weight in every step are most of the kernels that a
GPU launches in half precision. Everything around a model (geometry, distances, losses) stays in float32.
"""

import copy
from typing import Any

import torch
import torch.nn as nn
from open_clip.transformer import LayerNormFp32

_NORMS = (nn.GroupNorm, nn.LayerNorm)


class ModuleCache(dict):
    """Copies, compiled and captured functions of a module. Copying or pickling the module leaves them out."""

    def __deepcopy__(self, memo: dict) -> "ModuleCache":
        return ModuleCache()

    def __reduce__(self) -> tuple:
        return ModuleCache, ()


def cached_on(module: nn.Module) -> ModuleCache:
    """A module's cache, stored in its ``__dict__`` and thus no part of its state dict."""
    return module.__dict__.setdefault("_pixgen_kept", ModuleCache())


def half_copy(module: nn.Module, half: torch.dtype, *, part: str = "") -> nn.Module:
    """A copy of a frozen module with its weights in half precision; made once and cached on the module.

    Args:
        part: the name of the only child to convert, or empty for all; other weights are shared.
    """
    copies = cached_on(module)
    if ("half", half, part) not in copies:
        copies["half", half, part] = _copy_in_half(module, half, part)
    return copies["half", half, part]


@torch.no_grad()
def _copy_in_half(module: nn.Module, half: torch.dtype, part: str) -> nn.Module:
    # deepcopy takes a tensor's entry in the memo for its copy: weights are shared unless replaced below.
    memo: dict[int, Any] = {id(each): each for each in (*module.parameters(), *module.buffers())}
    for child in (getattr(module, part) if part else module).modules():
        for tensor in (*child._parameters.values(), *child._buffers.values()):
            if tensor is None or not tensor.is_floating_point() or _stays_float32(child, tensor):
                continue
            slim = tensor.to(half)
            memo[id(tensor)] = nn.Parameter(slim, False) if isinstance(tensor, nn.Parameter) else slim
    return copy.deepcopy(module, memo)


def _stays_float32(child: nn.Module, weight: torch.Tensor) -> bool:
    """Whether a weight stays in float32: those of norms that compute in it, and of all norms on a CPU, where
    activations and weights of a norm may have different types."""
    if isinstance(child, (LayerNormFp32, nn.modules.batchnorm._BatchNorm)):
        return True
    return isinstance(child, _NORMS) and weight.device.type == "cpu"

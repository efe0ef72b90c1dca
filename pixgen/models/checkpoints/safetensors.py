"""Read and write safetensors and JSON configs; check that weights fit a model before they are assigned."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn as nn
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from pixgen.errors import ModelError


def read_config(path: Path) -> dict:
    """A model's JSON config. Raises ModelError if it is missing or broken."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ModelError(
            "The model file {name} is missing or broken: install pixgen again.", name=path.name
        ) from error


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """The weights of a bundled or converted model. Raises ModelError if the file is missing or broken."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            "The weights {name} are missing or broken: install pixgen again.", name=path.name
        ) from error


def check_fit(weights: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], *, name: str) -> None:
    """Raise ModelError, which names the first mismatch, if weights do not fit a model's state dict ``wanted``."""
    for part, tensor in wanted.items():
        if part not in weights:
            raise ModelError(
                "The weights {name} do not fit the model: {part} is missing.", name=name, part=part
            )
        if weights[part].shape != tensor.shape:
            raise ModelError(
                "The weights {name} do not fit the model: {part} is {found} instead of {expected}.",
                name=name,
                part=part,
                found=tuple(weights[part].shape),
                expected=tuple(tensor.shape),
            )
    if extra := next((part for part in weights if part not in wanted), None):
        raise ModelError(
            "The weights {name} do not fit the model: {extra} is not part of it.",
            name=name,
            extra=extra,
        )


def assign_weights(model: nn.Module, weights: Mapping[str, torch.Tensor], *, name: str) -> None:
    """Load weights into a model, in the model's precision; a model on the device ``meta`` takes over the tensors.
    Raises ModelError, which names the first mismatch."""
    wanted = model.state_dict()
    check_fit(weights, wanted, name=name)
    fitting = {part: tensor.to(wanted[part].dtype) for part, tensor in weights.items()}
    model.load_state_dict(fitting, assign=any(tensor.is_meta for tensor in wanted.values()))


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a safetensors file into a model, in the model's precision. Raises ModelError, which names the first
    mismatch."""
    assign_weights(model, read_safetensors(path), name=path.name)


def save_weights(model: nn.Module, path: Path) -> None:
    """Save a model's weights as safetensors, floating-point ones in half precision."""
    half = {
        name: (tensor.half() if tensor.dtype == torch.float32 else tensor).contiguous().clone()
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, path)

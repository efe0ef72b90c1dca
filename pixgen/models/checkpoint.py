"""Weights from files: safetensors only, checked against the model before anything is replaced."""

import json
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
            f"The model file {path.name} is missing or broken: install pixgen again."
        ) from error


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill a model from safetensors, in float32. Raises ModelError, which names the first mismatch."""
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The weights {path.name} are missing or broken: install pixgen again."
        ) from error
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        if name not in weights:
            raise ModelError(f"The weights {path.name} do not fit the model: {name} is missing.")
        if weights[name].shape != tensor.shape:
            raise ModelError(
                f"The weights {path.name} do not fit the model: {name} is"
                f" {tuple(weights[name].shape)} instead of {tuple(tensor.shape)}."
            )
    if extra := next((name for name in weights if name not in wanted), None):
        raise ModelError(
            f"The weights {path.name} do not fit the model: {extra} is not part of it."
        )
    model.load_state_dict({name: tensor.to(wanted[name].dtype) for name, tensor in weights.items()})


def save_weights(model: nn.Module, path: Path) -> None:
    """Write a model's weights as safetensors, in half precision where they are fractions."""
    half = {
        name: (tensor.half() if tensor.dtype == torch.float32 else tensor).contiguous().clone()
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, path)

"""Checkpoints that are pickles, read without running anything that is in them.

torch's ``weights_only`` unpickler makes tensors and plain values and nothing else. taming's
checkpoints name one class besides, as a key of a dictionary: Lightning's ModelCheckpoint. A class
without anything in it stands in for that one.
"""

import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pixgen.errors import ModelError
from pixgen.messages import Message, _
from pixgen.models.msgpack import read_msgpack

_LIGHTNING_KEY = "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"
# Where a file keeps its weights, besides what else a training keeps; the first of these that is there.
_PLACES = ("state_dict", "ema", "model")


class LightningKey:
    """Stands in for Lightning's class, which is only a key there."""


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Every weight in a checkpoint, by its name there, on the CPU.

    Reads safetensors, flax's MessagePack, and what ``torch.save`` wrote, new (a zip, which is mapped and
    not copied) and old.
    Raises ModelError if the file is broken, or asks for anything to be run.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".msgpack":
            return read_msgpack(path)
        found = _unpickle(path)
    except pickle.UnpicklingError as error:
        raise ModelError(_refusal(path, str(error))) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            "The checkpoint {name} is missing, broken or incomplete: fetch it again.",
            name=path.name,
        ) from error
    for place in _PLACES:
        if isinstance(found, dict) and isinstance(found.get(place), dict):
            found = found[place]
            break
    weights = found if isinstance(found, dict) else {}
    weights = {str(name): tensor for name, tensor in weights.items() if torch.is_tensor(tensor)}
    if not weights:
        raise ModelError(
            "The checkpoint {name} holds no weights: choose another file.", name=path.name
        )
    return weights


def _unpickle(path: Path) -> Any:
    with (
        torch.serialization.safe_globals([(LightningKey, _LIGHTNING_KEY)]),
        warnings.catch_warnings(),
    ):
        # Of protocols that torch does not write; such a file is refused, or read whole.
        warnings.filterwarnings("ignore", "Detected pickle protocol")
        return torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None
        )


def _refusal(path: Path, error: str) -> Message:
    """The refusal of a pickle, with what it asked for."""
    found = re.search(r"GLOBAL (\S+) (?:was not|whose module)", error)
    if found:
        return _(
            "The checkpoint {name} was refused and nothing of it was run: it names “{found}”, which weights "
            "do not need. Have it saved as safetensors by somebody who trusts it.",
            name=path.name,
            found=found[1],
        )
    return _(
        "The checkpoint {name} was refused and nothing of it was run: it holds more than weights. Have it "
        "saved as safetensors by somebody who trusts it.",
        name=path.name,
    )

"""Load sketch models by name: the bundled one, DALL·E mini, and UnCLIP."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from pixgen.models.catalog import Entry, get_entry
from pixgen.models.checkpoints.safetensors import (
    assign_weights,
    check_fit,
    load_weights,
    read_config,
    read_safetensors,
)
from pixgen.models.runtime import supported_half_precision
from pixgen.models.sketchers import unclip, unclip_files
from pixgen.models.sketchers.dalle import DalleBart
from pixgen.models.sketchers.dalle_files import VOCABULARY_FILES, pack_vocabulary, read_dalle, read_vocabulary
from pixgen.models.sketchers.pocket import Sketcher, load_exemplars
from pixgen.models.sketchers.unclip import UnClip
from pixgen.models.store import Files, ensure_weights

SketchModel = Sketcher | DalleBart | UnClip


def load_sketcher(name: str, device: str) -> SketchModel:
    """A sketch model by its catalog name, frozen; large ones are in half precision on a GPU.

    It is downloaded if it is missing; ``listen_to_downloads`` gets the progress. Raises ModelError.
    """
    entry = get_entry(name, "sketcher")
    return _LOADERS[entry.architecture](entry, device)


def _load_pocket(entry: Entry, device: str) -> Sketcher:
    model = Sketcher(read_config(entry.config)["model"])
    load_weights(model, entry.weights)
    model.exemplars = load_exemplars(entry.weights.parent)
    return model.eval().requires_grad_(False).to(device)


def _load_dalle(entry: Entry, device: str) -> DalleBart:
    weights = read_safetensors(fetch_sketcher(entry))
    model = empty_dalle(entry).to(sketcher_dtype(device))
    model.words = read_vocabulary(weights)
    assign_weights(model, _without_text(weights), name=entry.name)
    return model.eval().requires_grad_(False).to(device)


_LOADERS: Mapping[str, Callable[[Entry, str], SketchModel]] = {
    "pocket": _load_pocket,
    "dalle": _load_dalle,
    "unclip": unclip.load_unclip,
}


def fetch_sketcher(entry: Entry) -> Path:
    """The safetensors of a DALL·E mini, or the folder of an UnCLIP; downloaded if it is missing.

    Names and shapes are checked against the catalog before anything is stored. Raises ModelError.
    """
    if entry.architecture == "unclip":
        return unclip_files.fetch_folders(entry)[0]

    def convert(files: Files) -> dict[str, torch.Tensor]:
        weights = read_dalle(files)
        check_fit(weights, empty_dalle(entry).state_dict(), name=f"of “{entry.name}”")
        return {**weights, **pack_vocabulary(files)}

    return ensure_weights(entry, convert)


def empty_dalle(entry: Entry) -> DalleBart:
    """A DALL·E mini of an entry's sizes on the device ``meta``, without memory for its weights."""
    with torch.device("meta"):
        return DalleBart(entry.model, vqgan=entry.vqgan)


def sketcher_dtype(device: str) -> torch.dtype:
    """The type of a large sketch model's weights on a device."""
    half = supported_half_precision(torch.device(device)) if device.startswith("cuda") else None
    return getattr(torch, half) if half else torch.float32


def _without_text(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in weights.items() if name not in VOCABULARY_FILES}

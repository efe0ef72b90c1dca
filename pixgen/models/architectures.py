"""Build models by name with random weights, to measure memory before any weights are downloaded.

Sources: the catalog, open_clip's own configs, and the files of custom models.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import open_clip
import torch
import torch.nn as nn

from pixgen.errors import ModelError
from pixgen.models.catalog import available_clips, find_entry, get_entry
from pixgen.models.checkpoints.safetensors import read_config
from pixgen.models.clip.custom import find_custom_clip
from pixgen.models.clip.custom_models import build_custom_clip
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.sketchers import unclip_files
from pixgen.models.sketchers.factory import empty_dalle, sketcher_dtype
from pixgen.models.vqgan.custom import find_vqgan
from pixgen.models.vqgan.vqgan import Vqgan


def vqgan_config(name: str, config: str = "") -> Mapping[str, Any]:
    """taming's ``model`` node of a VQGAN by its name or its checkpoint's path; the weights are not read.
    Raises ModelError."""
    entry = find_vqgan(name, config)
    return read_config(entry.config)["model"] if entry.bundled else entry.model


def random_vqgan(name: str, device: str, config: str = "") -> Vqgan:
    """A VQGAN of that name's architecture with random weights, frozen, for measuring. Raises ModelError."""
    with torch.device(device):
        model = Vqgan(vqgan_config(name, config))
        nn.init.normal_(model.codebook)  # so that its bounds are no narrower than a trained one's
    return model.eval().requires_grad_(False)


def sketcher_weight_bytes(name: str, device: str) -> int:
    """Bytes of a sketch model's weights once they are loaded (the bundled file stores half precision).
    Raises ModelError for an UnCLIP that is not downloaded yet."""
    entry = get_entry(name, "sketcher")
    if entry.bundled:
        return 2 * entry.weights.stat().st_size
    if entry.architecture == "unclip":
        return unclip_files.weight_bytes(entry, half=sketcher_dtype(device) != torch.float32)
    numbers = sum(part.numel() for part in empty_dalle(entry).parameters())
    return numbers * sketcher_dtype(device).itemsize


def key_value_cache_bytes(name: str, device: str, *, count: int) -> int:
    """Bytes of the keys and values that a sketch model caches while it samples ``count`` pictures, with and
    without their text. 0 for models whose cache is small beside their weights. Raises ModelError."""
    form = get_entry(name, "sketcher").model
    if not form:
        return 0
    places = form["grid"] ** 2 + form["places"]
    return 2 * form["depth"] * 2 * count * places * form["width"] * sketcher_dtype(device).itemsize


def random_perceptor(names: tuple[str, ...], device: str) -> Perceptor | Perceptors:
    """CLIPs of those names' architectures with random weights, frozen, for measuring. Raises ModelError."""
    with torch.device(device):
        members = [_random_clip(name).eval().requires_grad_(False) for name in names]
    return members[0] if len(members) == 1 else Perceptors(members)


def build_clip(name: str) -> tuple[nn.Module, int]:
    """An untrained CLIP of that name's architecture, on torch's default device, and its input side in pixels.

    Raises ModelError if its architecture is not known without a network.
    """
    entry = find_entry(name, "clip")
    if entry is not None and entry.bundled:
        config = read_config(entry.config)["model_cfg"]
        return open_clip.model.CLIP(**config), config["vision_cfg"]["image_size"]
    if entry is None and (custom := find_custom_clip(name)) is not None:
        return build_custom_clip(custom)
    theirs = name if entry is None else entry.form or entry.open_clip
    architecture = theirs.partition("/")[0]
    if architecture not in open_clip.list_models():
        raise ModelError(
            "“{name}” is not a known CLIP: choose {choices}, or an architecture of open_clip such as "
            "ViT-B-32.",
            name=name[:80],
            choices=", ".join(available_clips()),
        )
    config = open_clip.get_model_config(architecture)
    config["vision_cfg"]["timm_model_pretrained"] = False  # nothing is fetched
    own_text = config.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
    model = (open_clip.CustomTextCLIP if own_text else open_clip.CLIP)(**config)
    size = model.visual.image_size
    return model, size if isinstance(size, int) else size[0]


def _random_clip(name: str) -> Perceptor:
    model, size = build_clip(name)
    letters = partial(_placeholder_tokens, length=model.context_length)
    return Perceptor(model, letters, size=size, mean=(0.5,) * 3, std=(0.3,) * 3)


def _placeholder_tokens(texts: list[str], *, length: int) -> torch.Tensor:
    """Tokens of any value: only their number matters when memory is measured."""
    return torch.ones(len(texts), length, dtype=torch.int64)

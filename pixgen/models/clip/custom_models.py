"""Load custom CLIPs: a checkpoint in any layout, converted once to safetensors in the cache.

Beside the weights, the safetensors hold the blueprint of the model (its kind, config and preprocessing) as bytes of
JSON.
"""

import copy
import importlib.util
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import open_clip
import torch
import torch.nn as nn
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.model import convert_to_custom_text_state_dict
from safetensors import SafetensorError, safe_open

from pixgen.errors import ModelError
from pixgen.models.catalog import Entry
from pixgen.models.checkpoints.reading import read_weights
from pixgen.models.checkpoints.safetensors import assign_weights, check_fit, read_safetensors
from pixgen.models.clip.layouts import has_quick_gelu, infer_config, is_siglip, to_open_clip
from pixgen.models.store import Files, ensure_weights

_BLUEPRINT_KEY = "pixgen.form"
_CLIP_VOCABULARY = 49408  # of the tokenizer that nearly every CLIP has
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "spiece.model", "vocab.json")

Blueprint = dict[str, Any]
Tokenizer = Callable[[Sequence[str]], torch.Tensor]


class SiglipTowers(nn.Module):
    """Hugging Face's SigLIP with open_clip's methods, built by transformers from a config."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        from transformers import SiglipConfig, SiglipModel

        self.context_length = _siglip_length(config)
        self.model = SiglipModel(SiglipConfig.from_dict(dict(config)))

    @property
    def logit_scale(self) -> torch.Tensor:
        """The logarithm of the factor on cosines."""
        return self.model.logit_scale

    def encode_image(self, pictures: torch.Tensor) -> torch.Tensor:
        """Vectors ``(N, D)`` of normalised pictures ``(N, 3, H, W)``."""
        return self.model.vision_model(pixel_values=pictures).pooler_output

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Vectors ``(N, D)`` of tokens ``(N, length)``."""
        return self.model.text_model(input_ids=tokens).pooler_output


def load_custom_clip(entry: Entry) -> tuple[nn.Module, Tokenizer, dict[str, Any]]:
    """The model in float32, its tokenizer, and ``size``, ``mean`` and ``std`` of its pictures.

    Raises ModelError if it cannot be read, or is not recognised.
    """
    weights = read_safetensors(fetch_custom_clip(entry))
    form: Blueprint = json.loads(bytes(weights.pop(_BLUEPRINT_KEY).tolist()))
    model = _build(form, entry.name)
    assign_weights(model, weights, name=entry.name)
    return model, _load_tokenizer(form, entry), form["pictures"]


def build_custom_clip(entry: Entry) -> tuple[nn.Module, int]:
    """An untrained model of a custom CLIP's architecture, on torch's default device, and its input side in pixels.

    Its file is converted first if need be, as that is how its architecture is found. Raises ModelError.
    """
    with torch.device("cpu"):  # weights are to be written, whatever device the untrained model is for
        path = fetch_custom_clip(entry)
    try:
        with safe_open(path, "pt") as file:
            form: Blueprint = json.loads(bytes(file.get_tensor(_BLUEPRINT_KEY).tolist()))
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(
            "The weights {name} are missing or broken: install pixgen again.", name=path.name
        ) from error
    return _build(form, entry.name), form["pictures"]["size"]


def fetch_custom_clip(entry: Entry) -> Path:
    """The safetensors of a custom CLIP, converted if need be. Raises ModelError."""

    def convert(files: Files) -> dict[str, torch.Tensor]:
        given: dict[str, torch.Tensor] = {}
        for path in files.values():
            given |= read_weights(path)
        path = next(iter(files.values()))
        weights, form = _identify(entry, given, path)
        wanted = _build(form, entry.name).state_dict()
        check_fit(weights, wanted, name=f"in {path.name}")
        # The blueprint travels as a tensor of bytes.
        return {**weights, _BLUEPRINT_KEY: torch.tensor(list(json.dumps(form).encode()), dtype=torch.uint8)}

    return ensure_weights(entry, convert)


def build_open_clip(config: Mapping[str, Any]) -> nn.Module:
    """An untrained model of open_clip, built from its ``model_cfg``."""
    config = copy.deepcopy({name: each for name, each in config.items() if name != "architecture"})
    config["vision_cfg"]["timm_model_pretrained"] = False  # nothing is downloaded
    text = config["text_cfg"]
    own_text = config.pop("custom_text", False) or "hf_model_name" in text
    if "hf_model_name" in text:
        text["hf_model_pretrained"] = False
    if own_text:
        return (open_clip.CoCa if "multimodal_cfg" in config else open_clip.CustomTextCLIP)(**config)
    return open_clip.CLIP(**config)


def _build(form: Blueprint, name: str) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if form["kind"] == "siglip":
                return SiglipTowers(form["config"])
            model = build_open_clip(form["config"])
    except Exception as error:  # any library's
        raise ModelError(
            "The config {name} does not describe a valid CLIP ({reason}): check it.",
            name=name[-80:],
            reason=(str(error).splitlines() or [""])[0][:120],
        ) from error
    for part, module in model.named_modules():
        if isinstance(module, nn.LayerNorm) and (eps := form.get("eps")):
            module.eps = eps["vision" if part.startswith("visual.") else "text"]
    return model


def _identify(
    entry: Entry, given: Mapping[str, torch.Tensor], path: Path
) -> tuple[dict[str, torch.Tensor], Blueprint]:
    """A checkpoint's weights under the names of the model that they fit, and that model's blueprint."""
    weights = to_open_clip(given)
    if "logit_scale" not in weights:
        raise ModelError("The checkpoint {name} contains no CLIP: choose another file.", name=path.name)
    hugging_face = entry.model.get("hugging_face")
    if hugging_face is not None:
        _check_model_type(hugging_face)
    if is_siglip(weights):
        return _identify_siglip(entry, weights, hugging_face or {}, path)
    if entry.form:
        config = open_clip.get_model_config(entry.form)
        if config is None:
            raise ModelError(
                "open_clip has no architecture “{name}”: write for example ViT-B-32:{path}.",
                name=entry.form[:60],
                path=path.name,
            )
        config["architecture"] = entry.form
    elif beside := entry.model.get("open_clip"):
        config = copy.deepcopy(beside.get("model_cfg", beside))
    else:
        config = infer_config(weights, path)
        if has_quick_gelu(path, given) or _config_has_quick_gelu(hugging_face):
            config["quick_gelu"] = True
    form: Blueprint = {"kind": "open_clip", "config": config}
    if hugging_face is not None:
        _apply_hugging_face_config(form, hugging_face)
    if "logit_bias" in weights:
        config["init_logit_bias"] = config.get("init_logit_bias") or 0.0
    if any(name.startswith("visual.") for name in weights) and config.get("custom_text"):
        weights = convert_to_custom_text_state_dict(weights)
    preprocessing = (
        entry.model.get("pictures") or (entry.model.get("open_clip") or {}).get("preprocess_cfg") or {}
    )
    plain = "siglip" not in config.get("architecture", "").lower()
    size = config.get("vision_cfg", {}).get("image_size", 224)
    form["pictures"] = {
        "size": size if isinstance(size, int) else size[0],
        "mean": preprocessing.get("mean")
        or preprocessing.get("image_mean")
        or (OPENAI_DATASET_MEAN if plain else [0.5] * 3),
        "std": preprocessing.get("std")
        or preprocessing.get("image_std")
        or (OPENAI_DATASET_STD if plain else [0.5] * 3),
    }
    return weights, form


def _check_model_type(config: Mapping[str, Any]) -> None:
    kind = str(config.get("model_type", ""))
    if kind not in ("clip", "siglip"):
        raise ModelError(
            "The config {name} is for a model of type “{kind}”, which is not a supported CLIP: choose "
            "a CLIP or a SigLIP.",
            name="config.json",
            kind=kind[:40],
        )


def _config_has_quick_gelu(config: Mapping[str, Any] | None) -> bool:
    """Whether a Hugging Face config asks for QuickGELU, the default of its CLIP."""
    return (
        config is not None and _tower_config(config, "vision").get("hidden_act", "quick_gelu") == "quick_gelu"
    )


def _tower_config(config: Mapping[str, Any], tower: str) -> Mapping[str, Any]:
    return config.get(f"{tower}_config") or config.get(f"{tower}_config_dict") or {}


def _apply_hugging_face_config(form: Blueprint, config: Mapping[str, Any]) -> None:
    """Take over from a Hugging Face config what shapes do not say: heads, activation, and the norms' epsilon."""
    vision, text, made = _tower_config(config, "vision"), _tower_config(config, "text"), form["config"]
    made["vision_cfg"]["head_width"] = made["vision_cfg"]["width"] // vision.get("num_attention_heads", 12)
    made["text_cfg"]["heads"] = text.get("num_attention_heads", 8)
    made["quick_gelu"] = _config_has_quick_gelu(config)
    form["eps"] = {
        "vision": vision.get("layer_norm_eps", 1e-5),
        "text": text.get("layer_norm_eps", 1e-5),
    }


def _identify_siglip(
    entry: Entry, weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], path: Path
) -> tuple[dict[str, torch.Tensor], Blueprint]:
    if importlib.util.find_spec("transformers") is None:
        raise ModelError(
            "“{name}” needs {needs}, which is not installed: run pip install {needs}.",
            name=entry.name,
            needs="transformers sentencepiece",
        )
    preprocessing = entry.model.get("pictures") or {}
    towers = {f"{tower}_config": dict(_tower_config(config, tower)) for tower in ("vision", "text")}
    form = {
        "kind": "siglip",
        "config": towers,
        "pictures": {
            "size": towers["vision_config"].get("image_size", 224),
            "mean": preprocessing.get("image_mean") or [0.5] * 3,
            "std": preprocessing.get("image_std") or [0.5] * 3,
        },
    }
    return {f"model.{name}": tensor for name, tensor in weights.items()}, form


def _load_tokenizer(form: Blueprint, entry: Entry) -> Tokenizer:
    config, folder = form["config"], entry.model.get("folder")
    name = entry.name
    try:
        if form["kind"] == "siglip":
            return _folder_tokenizer(folder, name, length=_siglip_length(config))
        if "open_clip" in entry.model and folder:
            return open_clip.get_tokenizer(f"local-dir:{folder}")
        if "architecture" in config:
            return open_clip.get_tokenizer(config["architecture"])
        text = config["text_cfg"]
        length = text.get("context_length", 77)
        if text.get("vocab_size", _CLIP_VOCABULARY) != _CLIP_VOCABULARY:
            return _folder_tokenizer(folder, name, length=length)
        return open_clip.SimpleTokenizer(context_length=length)
    except ModelError:
        raise
    except Exception:  # any library's, or of the network
        return _missing_tokenizer(name)


def _siglip_length(config: Mapping[str, Any]) -> int:
    """How many tokens of a text a SigLIP reads."""
    return config["text_config"].get("max_position_embeddings", 64)


def _folder_tokenizer(folder: str | None, name: str, *, length: int) -> Tokenizer:
    """The Hugging Face tokenizer beside the weights."""
    if folder is None or not any((Path(folder) / each).is_file() for each in _TOKENIZERS):
        return _missing_tokenizer(name)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)

    def tokens(texts: Sequence[str]) -> torch.Tensor:
        return tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=length,
            return_tensors="pt",
        ).input_ids

    return tokens


def _missing_tokenizer(name: str) -> Tokenizer:
    """A tokenizer that raises ModelError when it is used: pictures can be embedded without one."""

    def tokens(texts: Sequence[str]) -> torch.Tensor:
        raise ModelError(
            "“{name}” has no tokenizer beside its weights: put tokenizer.json or vocab.json and merges.txt there.",
            name=name,
        )

    return tokens

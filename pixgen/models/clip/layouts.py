"""Rename the weights of CLIPs (OpenAI's, open_clip's, Hugging Face's) to open_clip's names, and infer the config.

Shapes do not tell everything. The number of heads is that of a published architecture of the same sizes, else one
head for 64 channels. The activation is read from the code in OpenAI's archives, and guessed from the order of names
in OpenAI's state dicts.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import open_clip
import torch

from pixgen.errors import ModelError
from pixgen.models.checkpoints.layouts import WRAPPER_NAMES
from pixgen.models.checkpoints.reading import torchscript_code

Weights = dict[str, torch.Tensor]

_OPENAI_FIELDS = ("input_resolution", "context_length", "vocab_size")  # numbers in OpenAI's archives
_NOT_WEIGHTS = re.compile(
    r"(.*\.)?(attn_mask|position_ids)$|(visual\.)?(input_resolution|context_length|vocab_size)$"
)
_ANCHOR = re.compile(r"(?P<before>.*?)logit_scale$")
_QUICK_GELU_NAME = re.compile(r"quickgelu|openai", re.IGNORECASE)
_HUGGING_FACE_NAMES = (
    (r"^vision_model\.embeddings\.class_embedding$", "visual.class_embedding"),
    (r"^vision_model\.embeddings\.patch_embedding\.", "visual.conv1."),
    (r"^vision_model\.embeddings\.position_embedding\.weight$", "visual.positional_embedding"),
    (r"^vision_model\.pre_layrnorm\.", "visual.ln_pre."),
    (r"^vision_model\.post_layernorm\.", "visual.ln_post."),
    (r"^vision_model\.encoder\.layers\.", "visual.transformer.resblocks."),
    (r"^text_model\.embeddings\.token_embedding\.", "token_embedding."),
    (r"^text_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^text_model\.final_layer_norm\.", "ln_final."),
    (r"^text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"\.layer_norm1\.", ".ln_1."),
    (r"\.layer_norm2\.", ".ln_2."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
    (r"\.self_attn\.out_proj\.", ".attn.out_proj."),
)


def to_open_clip(weights: Mapping[str, torch.Tensor]) -> Weights:
    """A CLIP's weights under open_clip's names; those of a Hugging Face SigLIP keep their names."""
    found = {WRAPPER_NAMES.sub("", name): tensor for name, tensor in weights.items()}
    befores = {match["before"] for name in found if (match := _ANCHOR.match(name))}
    before = min(befores, key=len, default="")
    found = {
        name.removeprefix(before): tensor
        for name, tensor in found.items()
        if name.startswith(before) and not _NOT_WEIGHTS.match(name.removeprefix(before))
    }
    return _from_hugging_face(found) if "visual_projection.weight" in found else found


def is_siglip(weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether these are the weights of Hugging Face's SigLIP."""
    return "vision_model.head.probe" in weights


def _from_hugging_face(weights: Weights) -> Weights:
    made: Weights = {"logit_scale": weights["logit_scale"]}
    made["visual.proj"] = weights["visual_projection.weight"].T
    made["text_projection"] = weights["text_projection.weight"].T
    for name, tensor in weights.items():
        if name in ("logit_scale", "visual_projection.weight", "text_projection.weight"):
            continue
        if match := re.match(r"(.*\.self_attn\.)q_proj\.(weight|bias)$", name):
            parts = [weights[f"{match[1]}{part}_proj.{match[2]}"] for part in "qkv"]
            name, tensor = (
                f"{match[1]}in_proj_{match[2]}".replace("self_attn", "attn"),
                torch.cat(parts),
            )
        elif re.search(r"\.[kv]_proj\.(weight|bias)$", name):
            continue
        for pattern, spelling in _HUGGING_FACE_NAMES:
            name = re.sub(pattern, spelling, name)
        made[name] = tensor
    return made


def has_quick_gelu(path: Path, weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether a CLIP has OpenAI's activation, QuickGELU.

    Args:
        path: of its checkpoint.
        weights: by their names in the checkpoint, in its order.
    """
    if code := torchscript_code(path):
        return "gelu(" not in code
    if any(name.rpartition(".")[2] in _OPENAI_FIELDS for name in weights) or _QUICK_GELU_NAME.search(
        path.stem
    ):
        return True
    names = list(weights)
    attention = next((at for at, name in enumerate(names) if ".attn." in name), 0)
    norm = next((at for at, name in enumerate(names) if ".ln_1." in name), 0)
    # In a block, OpenAI's class registers the attention first, open_clip's the norm; safetensors are sorted.
    if attention < norm and sorted(names) != names:
        return path.suffix != ".safetensors"
    kinds = {tensor.dtype for name, tensor in weights.items() if ".attn." in name or ".ln_1." in name}
    return kinds == {torch.float16, torch.float32}


def infer_config(weights: Mapping[str, torch.Tensor], path: Path) -> dict[str, Any]:
    """The open_clip config that weights under its names fit. Raises ModelError if none does."""
    if "token_embedding.weight" in weights and "visual.conv1.weight" in weights:
        config = _infer_from_shapes(weights)
    else:
        config = _find_matching_architecture(weights)
    if config is None:
        raise ModelError(
            "The architecture of {name} cannot be recognised from its tensor shapes: write it before the "
            "path, for example ViT-B-32:{name}, or put open_clip's config beside it as {config}.",
            name=path.name,
            config=path.with_suffix(".json").name,
        )
    return config


def _infer_from_shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, Any] | None:
    """The config of a CLIP with OpenAI's text tower and a vision transformer or ResNet; None if it does not fit."""
    first = weights["visual.conv1.weight"]
    vision: dict[str, Any]
    if "visual.class_embedding" in weights:
        side = round((len(weights["visual.positional_embedding"]) - 1) ** 0.5)
        vision = {
            "layers": _count_blocks(weights, "visual.transformer"),
            "width": len(first),
            "patch_size": first.shape[-1],
        }
        vision |= {"image_size": side * first.shape[-1]} | _mlp_ratio(weights, "visual.transformer")
    else:
        side = round((len(weights["visual.attnpool.positional_embedding"]) - 1) ** 0.5)
        levels = [_count_blocks(weights, f"visual.layer{level}", "") for level in (1, 2, 3, 4)]
        width = len(weights["visual.layer1.0.conv1.weight"])
        vision = {"layers": levels, "width": width, "patch_size": None, "image_size": side * 32}
    tokens = weights["token_embedding.weight"]
    text: dict[str, Any] = {
        "context_length": len(weights["positional_embedding"]),
        "vocab_size": len(tokens),
        "width": tokens.shape[1],
        "layers": _count_blocks(weights, "transformer"),
        **_mlp_ratio(weights, "transformer"),
    }
    config = {
        "embed_dim": weights["text_projection"].shape[1],
        "vision_cfg": vision,
        "text_cfg": text,
    }
    alike = _find_published(config)
    if alike is not None:
        vision["head_width"] = alike["vision_cfg"].get("head_width", 64)
        text["heads"] = alike["text_cfg"].get("heads", 8)
        return config
    if text["width"] % 64 or vision["width"] % (64 if vision["patch_size"] else 2):
        return None
    text["heads"] = text["width"] // 64
    return config


def _count_blocks(weights: Mapping[str, torch.Tensor], before: str, blocks: str = "resblocks.") -> int:
    pattern = re.compile(rf"{re.escape(before)}\.{blocks}(\d+)\.")
    return len({found[1] for name in weights if (found := pattern.match(name))})


def _mlp_ratio(weights: Mapping[str, torch.Tensor], before: str) -> dict[str, float]:
    inner = weights.get(f"{before}.resblocks.0.mlp.c_fc.weight")
    return {} if inner is None else {"mlp_ratio": inner.shape[0] / inner.shape[1]}


def _sizes(config: Mapping[str, Any]) -> tuple[Any, ...]:
    vision, text = config["vision_cfg"], config["text_cfg"]
    layers = vision.get("layers", 12)
    return (
        config["embed_dim"],
        tuple(layers) if isinstance(layers, list) else layers,
        vision.get("width", 768),
        vision.get("patch_size", 16),
        text.get("width", 512),
        text.get("layers", 12),
    )


def _find_published(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The config of a published architecture of the same sizes, for its number of heads."""
    for name in open_clip.list_models():
        each = open_clip.get_model_config(name)
        plain = "timm_model_name" not in each["vision_cfg"] and "hf_model_name" not in each["text_cfg"]
        if plain and _sizes(each)[:3] == _sizes(config)[:3] and _sizes(each)[4:] == _sizes(config)[4:]:
            patch = each["vision_cfg"].get("patch_size") or None
            if patch == config["vision_cfg"]["patch_size"]:
                return each
    return None


def _find_matching_architecture(weights: Mapping[str, torch.Tensor]) -> dict[str, Any] | None:
    """The first architecture of open_clip whose weights have exactly these names and shapes."""
    from pixgen.models.clip.custom_models import build_open_clip

    tokens = next((each for name, each in weights.items() if name.endswith("token_embedding.weight")), None)
    shapes = {name: tensor.shape for name, tensor in weights.items()}
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        text = config["text_cfg"]
        if "hf_model_name" in text or tokens is None or text.get("vocab_size", 49408) != len(tokens):
            continue
        try:
            with torch.device("meta"):
                made = build_open_clip({**config, **_logit_bias(weights)}).state_dict()
        except Exception:  # any library's: try the next architecture
            continue
        if {part: tensor.shape for part, tensor in made.items()} == shapes:
            return {**config, "architecture": name}
    return None


def _logit_bias(weights: Mapping[str, torch.Tensor]) -> dict[str, float]:
    return {"init_logit_bias": 0.0} if "logit_bias" in weights else {}

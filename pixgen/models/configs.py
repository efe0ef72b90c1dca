"""What a VQGAN's config says, in the few forms in which configs are published."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from pixgen.errors import ModelError
from pixgen.models.checkpoints.sniffing import check_is_file

_NEEDED = ("embed_dim", "n_embed", "ddconfig")
_LAYERS_NEEDED = ("z_channels", "resolution", "in_channels", "out_ch", "ch", "ch_mult", "num_res_blocks",
                  "attn_resolutions")  # fmt: skip

_RGB = 3


class _Layers(BaseModel):
    """taming's ``ddconfig``, as far as it decides what is built."""

    model_config = ConfigDict(extra="ignore", strict=True)

    z_channels: PositiveInt
    resolution: PositiveInt
    in_channels: PositiveInt
    out_ch: PositiveInt
    ch: PositiveInt
    ch_mult: tuple[PositiveInt, ...] = Field(min_length=1, max_length=12, strict=False)
    num_res_blocks: PositiveInt
    attn_resolutions: tuple[PositiveInt, ...] = Field(strict=False)
    double_z: bool = False
    dropout: float = 0.0
    resamp_with_conv: bool = True


class _Params(BaseModel):
    """The numbers beside ``ddconfig``."""

    model_config = ConfigDict(extra="ignore", strict=True)

    embed_dim: PositiveInt
    n_embed: PositiveInt
    ddconfig: _Layers


def read_vqgan_config(path: Path) -> dict[str, Any]:
    """The ``model`` node of a VQGAN's config, as taming writes it.

    Reads taming's and latent diffusion's YAML, also of a Net2Net transformer, whose first stage is
    taken; diffusers' ``config.json`` of a ``VQModel``; and LlamaGen's. Raises ModelError.
    """
    check_is_file(path)
    try:
        text = path.read_text("utf-8-sig")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ModelError(
            "The config {name} is missing or broken: check its path.", name=path.name
        ) from error
    if not isinstance(found, dict):
        raise ModelError(
            "The config {name} describes no model: a YAML file with “model:” is expected.",
            name=path.name,
        )
    try:
        if found.get("_class_name") == "VQModel":
            node = _of_diffusers(found, path)
        elif "codebook_embed_dim" in found:
            node = _of_llamagen(found)
        else:
            node = _of_taming(found, path)
    except (KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError) as error:
        raise ModelError(
            "The config {name} describes no VQGAN that is known: {part} is missing or wrong.",
            name=path.name,
            part=str(error)[:80],
        ) from error
    _check(node, path)
    return node


def _check(node: Mapping[str, Any], path: Path) -> None:
    """Raise ModelError if a model node has values of the wrong kinds, or its pictures are not RGB."""
    try:
        params = _Params.model_validate(node["params"])
    except ValidationError as error:
        fault = error.errors()[0]
        raise ModelError(
            "The config {name} describes no VQGAN: {part} is wrong in its model's params.",
            name=path.name,
            part=".".join(map(str, fault["loc"])),
        ) from error
    taken, given = params.ddconfig.in_channels, params.ddconfig.out_ch
    if (taken, given) != (_RGB, _RGB) or "segmentation" in node["target"].lower():
        raise ModelError(
            "The config {name} is of a VQGAN whose pictures are not RGB, such as one of depth or segmentation "
            "({taken} channels in, {given} out): choose one of photos or drawings, of 3 channels.",
            name=path.name,
            taken=taken,
            given=given,
        )


def _of_taming(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if str(found.get("_class_name", "")).startswith("Autoencoder"):
        raise ModelError(
            "The config {name} is of an autoencoder without a codebook (KL), not of a VQGAN: choose a VQModel.",
            name=path.name,
        )
    node = found.get("model", found)
    params = node.get("params") if isinstance(node, dict) else None
    if isinstance(params, dict) and isinstance(params.get("first_stage_config"), dict):
        node = params["first_stage_config"]
        params = node.get("params")
    params = params if isinstance(params, dict) else {}
    layers = params.get("ddconfig")
    layers = layers if isinstance(layers, dict) else {}
    if "n_embed" not in params and str(node.get("target", "")).endswith("KL"):
        raise ModelError(
            "The config {name} is of an autoencoder without a codebook (KL), not of a VQGAN: choose a VQModel.",
            name=path.name,
        )
    missing = [name for name in _NEEDED if name not in params]
    missing += [
        f"ddconfig.{name}" for name in _LAYERS_NEEDED if name not in layers and "ddconfig" in params
    ]
    if missing:
        raise ModelError(
            "The config {name} describes no VQGAN: {missing} is missing in its model's params.",
            name=path.name,
            missing=missing[0],
        )
    if (kind := layers.get("attn_type", "vanilla")) not in ("vanilla", "none"):
        raise ModelError(
            "The config {name} asks for attention “{kind}”: vanilla and none are known.",
            name=path.name,
            kind=kind,
        )
    known = ("double_z", "dropout", "resamp_with_conv", *_LAYERS_NEEDED)
    kept = {"embed_dim": params["embed_dim"], "n_embed": params["n_embed"],
            "ddconfig": {name: layers[name] for name in known if name in layers}}  # fmt: skip
    if layers.get("attn_type") == "none":
        kept["mid_attention"] = False
        kept["ddconfig"]["attn_resolutions"] = []
    return {"target": str(node.get("target", "")), "params": kept}


def _of_diffusers(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if found.get("norm_type", "group") != "group":
        raise ModelError(
            "The config {name} is of a MoVQ, which is not known: choose a VQModel.", name=path.name
        )
    widths, resolution = found["block_out_channels"], 256
    attended = [
        resolution // 2**level for level, block in enumerate(found["down_block_types"]) if block.startswith("Attn")
    ]  # fmt: skip
    layers = {
        "double_z": False, "z_channels": found["latent_channels"], "resolution": resolution,
        "in_channels": found["in_channels"], "out_ch": found["out_channels"], "ch": widths[0],
        "ch_mult": [width // widths[0] for width in widths], "num_res_blocks": found["layers_per_block"],
        "attn_resolutions": attended, "dropout": 0.0,
    }  # fmt: skip
    params = {
        "embed_dim": found.get("vq_embed_dim") or found["latent_channels"], "n_embed": found["num_vq_embeddings"],
        "ddconfig": layers, "mid_attention": found.get("mid_block_add_attention", True),
        "norm_groups": found.get("norm_num_groups", 32),
    }  # fmt: skip
    if not params[
        "mid_attention"
    ]:  # amused's, whose pictures are in [0, 1]; the others' in [-1, 1]
        params["pixels"] = "unit"
    return {"target": "diffusers.VQModel", "params": params}


def _of_llamagen(found: Mapping[str, Any]) -> dict[str, Any]:
    mult = list(found["encoder_ch_mult"])
    layers = {
        "double_z": False, "z_channels": found["z_channels"], "resolution": 256, "in_channels": 3, "out_ch": 3,
        "ch": 128, "ch_mult": mult, "num_res_blocks": 2, "attn_resolutions": [256 // 2 ** (len(mult) - 1)],
        "dropout": 0.0,
    }  # fmt: skip
    params = {
        "embed_dim": found["codebook_embed_dim"], "n_embed": found["codebook_size"], "ddconfig": layers,
        "unit_codes": bool(found.get("codebook_l2_norm", True)),
    }  # fmt: skip
    return {"target": "llamagen.VQModel", "params": params}

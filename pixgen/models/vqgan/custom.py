"""Find custom VQGANs, by path or in ``PIXGEN_MODELS_DIR``, and read their configs in any published form.

Loads no torch: the list of models uses it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from pixgen.errors import ModelError
from pixgen.messages import Message, _
from pixgen.models.cache import models_dir
from pixgen.models.catalog import Entry, available_vqgans, find_entry
from pixgen.models.checkpoints.sniffing import check_not_placeholder
from pixgen.models.clip.custom import is_clip
from pixgen.paths import CHECKPOINTS, is_hidden
from pixgen.text_files import parse_json

_REQUIRED_PARAMS = ("embed_dim", "n_embed", "ddconfig")
_REQUIRED_LAYERS = ("z_channels", "resolution", "in_channels", "out_ch", "ch", "ch_mult", "num_res_blocks",
                  "attn_resolutions")  # fmt: skip

_RGB = 3


class _Layers(BaseModel):
    """taming's ``ddconfig``, the fields that decide the architecture."""

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

    Reads taming's and latent diffusion's YAML, also the first stage of a Net2Net transformer; diffusers' ``config.json`` of a ``VQModel``; and LlamaGen's. Raises ModelError.
    """
    check_not_placeholder(path)
    try:
        text = path.read_text("utf-8-sig")
        found = parse_json(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ModelError("The config {name} is missing or broken: check its path.", name=path.name) from error
    if not isinstance(found, dict):
        raise ModelError(
            "The config {name} does not describe a model: a YAML file with “model:” is expected.",
            name=path.name,
        )
    try:
        if found.get("_class_name") == "VQModel":
            node = _from_diffusers(found, path)
        elif "codebook_embed_dim" in found:
            node = _from_llamagen(found)
        else:
            node = _from_taming(found, path)
    except (KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError) as error:
        raise ModelError(
            "The config {name} does not describe a known VQGAN: {part} is missing or wrong.",
            name=path.name,
            part=str(error)[:80],
        ) from error
    _validate(node, path)
    return node


def _validate(node: Mapping[str, Any], path: Path) -> None:
    """Raise ModelError if a model node has values of wrong types, or the VQGAN is not RGB."""
    try:
        params = _Params.model_validate(node["params"])
    except ValidationError as error:
        fault = error.errors()[0]
        raise ModelError(
            "The config {name} does not describe a VQGAN: {part} is wrong in its model's params.",
            name=path.name,
            part=".".join(map(str, fault["loc"])),
        ) from error
    taken, given = params.ddconfig.in_channels, params.ddconfig.out_ch
    if (taken, given) != (_RGB, _RGB) or "segmentation" in node["target"].lower():
        raise ModelError(
            "The config {name} is for a VQGAN whose pictures are not RGB, such as depth or segmentation "
            "maps ({taken} channels in, {given} out): choose one for photos or drawings, with 3 channels.",
            name=path.name,
            taken=taken,
            given=given,
        )


def _from_taming(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if str(found.get("_class_name", "")).startswith("Autoencoder"):
        raise ModelError(
            "The config {name} is for an autoencoder without a codebook (KL), not for a VQGAN: choose "
            "a VQModel.",
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
            "The config {name} is for an autoencoder without a codebook (KL), not for a VQGAN: choose "
            "a VQModel.",
            name=path.name,
        )
    missing = [name for name in _REQUIRED_PARAMS if name not in params]
    missing += [
        f"ddconfig.{name}" for name in _REQUIRED_LAYERS if name not in layers and "ddconfig" in params
    ]
    if missing:
        raise ModelError(
            "The config {name} does not describe a VQGAN: {missing} is missing from its model's params.",
            name=path.name,
            missing=missing[0],
        )
    if (kind := layers.get("attn_type", "vanilla")) not in ("vanilla", "none"):
        raise ModelError(
            "The config {name} uses the attention “{kind}”, which is not supported: only vanilla and "
            "none are.",
            name=path.name,
            kind=kind,
        )
    known = ("double_z", "dropout", "resamp_with_conv", *_REQUIRED_LAYERS)
    kept = {
        "embed_dim": params["embed_dim"],
        "n_embed": params["n_embed"],
        "ddconfig": {name: layers[name] for name in known if name in layers},
    }
    if layers.get("attn_type") == "none":
        kept["mid_attention"] = False
        kept["ddconfig"]["attn_resolutions"] = []
    return {"target": str(node.get("target", "")), "params": kept}


def _from_diffusers(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if found.get("norm_type", "group") != "group":
        raise ModelError(
            "The config {name} is for a MoVQ, which is not supported: choose a VQModel.", name=path.name
        )
    widths, resolution = found["block_out_channels"], 256
    attended = [
        resolution // 2**level
        for level, block in enumerate(found["down_block_types"])
        if block.startswith("Attn")
    ]
    layers = {
        "double_z": False,
        "z_channels": found["latent_channels"],
        "resolution": resolution,
        "in_channels": found["in_channels"],
        "out_ch": found["out_channels"],
        "ch": widths[0],
        "ch_mult": [width // widths[0] for width in widths],
        "num_res_blocks": found["layers_per_block"],
        "attn_resolutions": attended,
        "dropout": 0.0,
    }
    params = {
        "embed_dim": found.get("vq_embed_dim") or found["latent_channels"],
        "n_embed": found["num_vq_embeddings"],
        "ddconfig": layers,
        "mid_attention": found.get("mid_block_add_attention", True),
        "norm_groups": found.get("norm_num_groups", 32),
    }
    if not params["mid_attention"]:  # amused's, whose pictures are in [0, 1]; the others' in [-1, 1]
        params["pixels"] = "unit"
    return {"target": "diffusers.VQModel", "params": params}


def _from_llamagen(found: Mapping[str, Any]) -> dict[str, Any]:
    mult = list(found["encoder_ch_mult"])
    layers = {
        "double_z": False, "z_channels": found["z_channels"], "resolution": 256, "in_channels": 3, "out_ch": 3,
        "ch": 128, "ch_mult": mult, "num_res_blocks": 2, "attn_resolutions": [256 // 2 ** (len(mult) - 1)],
        "dropout": 0.0,
    }  # fmt: skip
    params = {
        "embed_dim": found["codebook_embed_dim"],
        "n_embed": found["codebook_size"],
        "ddconfig": layers,
        "unit_codes": bool(found.get("codebook_l2_norm", True)),
    }
    return {"target": "llamagen.VQModel", "params": params}


# File names that many checkpoints share: the folder's name is used instead.
_GENERIC_NAMES = ("last", "model", "pytorch_model", "diffusion_pytorch_model")
_CONFIG_NAMES = ("model.yaml", "config.yaml", "config.json")


def custom_models() -> dict[str, tuple[Path, Path]]:
    """The VQGAN checkpoints in ``models_dir()`` and their configs, by name.

    A config is a file beside its checkpoint, of its name or called ``model.yaml``, ``config.yaml`` or
    ``config.json``, or, as in taming's logs, in ``configs`` beside ``checkpoints``.
    """
    folder = models_dir()
    if folder is None or not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.rglob("*")):
        if is_hidden(path.relative_to(folder)) or path.suffix not in CHECKPOINTS or not path.is_file():
            continue
        if (config := find_config(path)) is not None and not is_clip(path):
            found.setdefault(_model_name(path, folder), (path, config))
    return found


def custom_entries() -> tuple[list[Entry], list[Message]]:
    """The VQGANs in ``models_dir()`` that can be used, and a sentence for each other one that says why not."""
    entries, faults = [], []
    for name, (path, config) in custom_models().items():
        try:
            check_not_placeholder(path)
            entries.append(_make_entry(name, path, config))
        except ModelError as error:
            faults.append(_("“{name}” was left out: {reason}", name=name, reason=error.message))
    return entries, faults


def find_vqgan(name: str, config: str = "") -> Entry:
    """A VQGAN by its name in the catalog or in ``models_dir()``, or by its checkpoint's path.

    Raises ModelError, which lists the names or says what is missing.
    """
    if not config and (entry := find_entry(name, "vqgan")) is not None:
        return entry
    own = {} if config else custom_models()
    if name in own:
        return _make_entry(name, *own[name])
    path = Path(name).expanduser()
    if path.suffix not in CHECKPOINTS and config:
        raise ModelError(
            "A config can only be given with the path of a checkpoint, and “{name}” is not a path: "
            "leave the config out.",
            name=name,
        )
    if path.suffix not in CHECKPOINTS:
        names = ", ".join([*available_vqgans(), *own])
        raise ModelError(
            "There is no image model “{name}”: choose {names}, or a checkpoint's path.",
            name=name,
            names=names,
        )
    if not path.is_file():
        raise ModelError("There is no checkpoint “{name}”: check its path.", name=name)
    beside = Path(config).expanduser() if config else find_config(path)
    if beside is None:
        raise ModelError(
            "There is no config beside “{name}”: give one with --config, for example --config model.yaml.",
            name=path.name,
        )
    return _make_entry(path.stem, path, beside)


def find_config(checkpoint: Path) -> Path | None:
    """The config beside a checkpoint, if there is one."""
    folder = checkpoint.parent
    named = [checkpoint.with_suffix(suffix) for suffix in (".yaml", ".yml")]
    logs = sorted((folder.parent / "configs").glob("*project.yaml"), reverse=True)
    logs = logs if folder.name == "checkpoints" else []
    for path in (*named, *(folder / name for name in _CONFIG_NAMES), *logs):
        if path.is_file():
            return path
    return None


def _model_name(path: Path, folder: Path) -> str:
    relative = path.relative_to(folder).with_suffix("")
    if relative.name in _GENERIC_NAMES and len(relative.parts) > 1:
        relative = relative.parent
    if relative.name == "checkpoints" and len(relative.parts) > 1:
        relative = relative.parent
    return relative.as_posix()


def _make_entry(name: str, checkpoint: Path, config: Path) -> Entry:
    model = read_vqgan_config(config)
    try:
        params, facts = model["params"], checkpoint.stat()
    except OSError as error:
        raise ModelError("There is no checkpoint “{name}”: check its path.", name=checkpoint.name) from error
    path = str(checkpoint.resolve())
    return Entry(
        name=name,
        kind="vqgan",
        paints="own",
        licence="own",
        model=model,
        factor=2 ** (len(params["ddconfig"]["ch_mult"]) - 1),
        codes=params["n_embed"],
        megabytes=round(facts.st_size / 1e6),
        sources=(f"file:{path}",),
        home=path,
        key=f"own-{checkpoint.stem}-{hashlib.sha256(path.encode()).hexdigest()[:12]}",
        stamp=f"{facts.st_size} {facts.st_mtime_ns} {hashlib.sha256(repr(model).encode()).hexdigest()[:12]}",
    )

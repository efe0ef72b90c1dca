"""Synthetic checkpoints in the layouts in which VQGANs are published, with random weights."""

import contextlib
import copy
import io
import sys
import types
from pathlib import Path
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F
import yaml
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2

from pixgen.models.vqgan.vqgan import Vqgan

LAYERS = {
    "double_z": False, "z_channels": 8, "resolution": 32, "in_channels": 3, "out_ch": 3, "ch": 32,
    "ch_mult": [1, 1, 2], "num_res_blocks": 1, "attn_resolutions": [8], "dropout": 0.0,
}  # fmt: skip


def config(kind: str = "VQModel", **params: Any) -> dict[str, Any]:
    """The ``model`` node of a small VQGAN."""
    made = {"embed_dim": 8, "n_embed": 24, "ddconfig": copy.deepcopy(LAYERS), **params}
    return {"target": f"taming.models.vqgan.{kind}", "params": made}


class TamingModel(nn.Module):
    """taming's VQModel or GumbelVQ of its own classes, without Lightning around them."""

    def __init__(self, node: dict[str, Any]) -> None:
        super().__init__()
        params, layers = node["params"], node["params"]["ddconfig"]
        with contextlib.redirect_stdout(io.StringIO()):
            self.encoder, self.decoder = Encoder(**layers), Decoder(**layers)
        width, codes = params["embed_dim"], params["n_embed"]
        if node["target"].endswith("GumbelVQ"):
            self.quantize = GumbelQuantize(layers["z_channels"], width, n_embed=codes)
        else:
            self.quantize = VectorQuantizer2(codes, width, beta=0.25)
            nn.init.normal_(self.quantize.embedding.weight)
        self.quant_conv = nn.Conv2d(layers["z_channels"], width, 1)
        self.post_quant_conv = nn.Conv2d(width, layers["z_channels"], 1)

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(pictures))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(latents))


def taming(node: dict[str, Any], *, seed: int = 0) -> TamingModel:
    """One of taming's models, the same random weights each time."""
    torch.manual_seed(seed)
    return TamingModel(node).eval()


@torch.no_grad()
def assert_equal_networks(ours: Vqgan, theirs: TamingModel, pictures: torch.Tensor) -> None:
    """Encoder, quantizer and decoder give the same, of pictures ``(B, 3, H, W)`` in [0, 1]."""
    hidden = theirs.encode(pictures * 2 - 1)
    if ours.quantize_module == "gumbel":
        expected = F.embedding(theirs.quantize.proj(hidden).argmax(1), theirs.quantize.embed.weight)
        latents = ours.encode(pictures)
        assert torch.allclose(latents, expected.movedim(3, 1), atol=1e-5)
    else:
        assert torch.allclose(ours.encode(pictures), hidden, atol=1e-5)
        latents, _, (_, _, codes) = theirs.quantize(hidden)
        assert torch.equal(ours.codes(hidden).flatten(), codes)
        assert torch.allclose(ours.nearest(hidden), latents, atol=1e-5)
    assert torch.allclose(ours.decode(latents) * 2 - 1, theirs.decode(latents), atol=1e-5)


def lightning(weights: dict[str, torch.Tensor], monkeypatch) -> dict[str, Any]:
    """What Lightning 1.0 keeps in a checkpoint: callbacks by their class, optimizers, and the losses' weights."""
    for name in (
        "pytorch_lightning",
        "pytorch_lightning.callbacks",
        "pytorch_lightning.callbacks.model_checkpoint",
    ):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    key = type("ModelCheckpoint", (), {"__module__": name})
    sys.modules[name].ModelCheckpoint = key
    losses = {
        "loss.discriminator.main.0.weight": torch.zeros(2, 3, 4, 4),
        "loss.logvar": torch.zeros(()),
    }
    return {
        "epoch": 3,
        "global_step": 400,
        "pytorch-lightning_version": "1.0.8",
        "callbacks": {key: {"best_model_score": None, "best_model_path": ""}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(4)}}, "param_groups": [{"lr": 1e-4}]}],
        "lr_schedulers": [],
        "state_dict": {**weights, **losses},
    }


def write(path: Path, value: Any, *, legacy: bool = False) -> Path:
    """A checkpoint as ``torch.save`` writes it: a zip, or as it did before 2020."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


def write_yaml(path: Path, node: dict[str, Any]) -> Path:
    """A config as taming's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"model": node, "data": {"target": "main.DataModuleFromConfig"}}))
    return path


def net2net(node: dict[str, Any]) -> dict[str, Any]:
    """The config of a transformer whose first stage a VQGAN is."""
    return {
        "target": "taming.models.cond_transformer.Net2NetTransformer",
        "params": {
            "first_stage_config": node,
            "cond_stage_config": config(n_embed=7),
            "transformer_config": {"target": "taming.modules.transformer.mingpt.GPT"},
        },
    }


def averaged(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As latent diffusion saves them: the average over the training beside the last weights, which
    are spoilt here."""
    ema = {f"model_ema.{name.replace('.', '')}": tensor for name, tensor in weights.items()}
    counts = {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7)}
    return {**{name: tensor + 1 for name, tensor in weights.items()}, **ema, **counts}


def llamagen(weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """taming's weights as LlamaGen spells them; its decoder counts its levels from the smallest."""
    levels = len(LAYERS["ch_mult"])
    made = {}
    for name, tensor in weights.items():
        parts = name.split(".")
        if parts[1] in ("down", "up"):
            level = int(parts[2]) if parts[1] == "down" else levels - 1 - int(parts[2])
            part = {"block": "res"}.get(parts[3], parts[3])
            name = ".".join([parts[0], "conv_blocks", str(level), part, *parts[4:]])
        for ours, theirs in (("block_1", "0"), ("attn_1", "1"), ("block_2", "2")):
            name = name.replace(f".mid.{ours}.", f".mid.{theirs}.")
        made[name] = tensor
    return {"model": {**made, "quantize.codebook_used": torch.zeros(65536)}}

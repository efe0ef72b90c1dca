"""Rename the weights of VQGANs from any library to the parameter names of taming's ``VQModel``.

The same network is saved under many names: taming's own, alone or as the first stage of a Net2Net transformer;
latent diffusion's, with an exponential moving average (EMA); LlamaGen's; diffusers' ``VQModel``; and dalle-mini's
Flax, of which min-dalle has the decoder.
"""

import re
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F

Weights = dict[str, torch.Tensor]

FIRST_STAGE = "first_stage_model."
EMA = "model_ema."
# The parts of a VQGAN; ``embedding`` is min-dalle's codebook.
_VQGAN_PARTS = re.compile(r"(encoder|decoder|quantize|quant_conv|post_quant_conv|embedding)\.")
# Buffers that only training needs.
_TRAINING_ONLY = re.compile(r"quantize\.(used|codebook_used|embedding\.(cluster_size|embed_avg))$")
# Every VQGAN has this layer, in every spelling: the prefix names the model that the VQGAN is part of.
_ANCHOR = re.compile(r"(?P<before>.*?)decoder\.conv_in\.(weight|kernel)$")
# Parts of names that wrappers insert: torch.compile, and training on several GPUs.
WRAPPER_NAMES = re.compile(r"(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
_LLAMAGEN = (
    (r"(?P<part>encoder)\.conv_blocks\.(?P<level>\d+)\.", r"encoder.down.{level}."),
    (r"(?P<part>decoder)\.conv_blocks\.(?P<level>\d+)\.", r"decoder.up.{level}."),
    (r"\.res\.", ".block."),
    (r"\.mid\.0\.", ".mid.block_1."),
    (r"\.mid\.1\.", ".mid.attn_1."),
    (r"\.mid\.2\.", ".mid.block_2."),
)
_DIFFUSERS = (
    (r"(?P<part>encoder)\.down_blocks\.(?P<level>\d+)\.", r"encoder.down.{level}."),
    (r"(?P<part>decoder)\.up_blocks\.(?P<level>\d+)\.", r"decoder.up.{level}."),
    (r"\.mid_block\.resnets\.0\.", ".mid.block_1."), (r"\.mid_block\.resnets\.1\.", ".mid.block_2."),
    (r"\.mid_block\.attentions\.0\.", ".mid.attn_1."),
    (r"\.resnets\.", ".block."), (r"\.attentions\.", ".attn."),
    (r"\.downsamplers\.0\.", ".downsample."), (r"\.upsamplers\.0\.", ".upsample."),
    (r"\.conv_shortcut\.", ".nin_shortcut."), (r"\.conv_norm_out\.", ".norm_out."),
    # The names of attention's parts, today's and those before diffusers 0.17.
    (r"\.group_norm\.", ".norm."), (r"\.(to_q|query)\.", ".q."), (r"\.(to_k|key)\.", ".k."),
    (r"\.(to_v|value)\.", ".v."), (r"\.(to_out\.0|proj_attn)\.", ".proj_out."),
)  # fmt: skip
_FLAX = (
    (r"\.(down|up)_(\d+)\.", r".\1.\2."),
    (r"(?<!\.mid)\.(block|attn)_(\d+)\.", r".\1.\2."),
    (r"\.(kernel|scale|embedding)$", ".weight"),
)
_ATTENTION = re.compile(r"\.attn\w*\.(\d+\.)?(q|k|v|proj_out)\.weight$")


def to_taming(weights: Mapping[str, torch.Tensor], *, unit_codes: bool = False) -> Weights:
    """A VQGAN's weights under taming's names, without those that only training needs.

    Args:
        weights: in any of the layouts above, on the CPU.
        unit_codes: normalise the codes to the unit sphere, as LlamaGen does.
    """
    found = {WRAPPER_NAMES.sub("", name): tensor for name, tensor in weights.items()}
    before = _find_prefix(found)
    found = {name.removeprefix(before): tensor for name, tensor in found.items() if name.startswith(before)}
    found = _use_averages(found)
    found = {
        name: tensor
        for name, tensor in found.items()
        if _VQGAN_PARTS.match(name) and not _TRAINING_ONLY.match(name)
    }
    if any(".conv_blocks." in name for name in found):
        found = _rename(found, _LLAMAGEN, levels=_count_levels(found, r"decoder\.conv_blocks\.(\d+)"))
    elif any(".down_blocks." in name for name in found):
        found = _rename(found, _DIFFUSERS, levels=_count_levels(found, r"decoder\.up_blocks\.(\d+)"))
    elif any(name.endswith(".kernel") for name in found):
        # Convolutions are (height, width, in, out) there.
        found = {
            name: tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor for name, tensor in found.items()
        }
        found = _rename(found, _FLAX, levels=0)
    if "embedding.weight" in found:  # min-dalle's
        found["quantize.embedding.weight"] = found.pop("embedding.weight")
    for name, tensor in found.items():
        if _ATTENTION.search(name) and tensor.ndim == 2:  # diffusers' are linear, taming's 1×1
            found[name] = tensor[:, :, None, None]
    if unit_codes and "quantize.embedding.weight" in found:
        found["quantize.embedding.weight"] = F.normalize(found["quantize.embedding.weight"].float())
    return found


def _find_prefix(weights: Weights) -> str:
    """The prefix of a VQGAN's names: ``module.`` after training on several GPUs, a transformer's first stage, or
    nothing."""
    found = {match["before"] for name in weights if (match := _ANCHOR.match(name))}
    return min(found, key=lambda before: (FIRST_STAGE not in before, len(before)), default="")


def _use_averages(weights: Weights) -> Weights:
    """Replace weights by their latent diffusion EMA, whose names have no dots, where there is one."""
    return {name: weights.get(EMA + name.replace(".", ""), tensor) for name, tensor in weights.items()}


def _count_levels(weights: Weights, pattern: str) -> int:
    return 1 + max((int(found[1]) for name in weights if (found := re.match(pattern, name))), default=-1)


def _rename(weights: Weights, rules: tuple[tuple[str, str], ...], *, levels: int) -> Weights:
    """Rename by rules; other libraries count the decoder's levels from the smallest resolution, taming from the
    largest."""

    def rename(name: str) -> str:
        for pattern, spelling in rules:
            name = re.sub(pattern, _spell(spelling, levels), name)
        return name

    return {rename(name): tensor for name, tensor in weights.items()}


def _spell(spelling: str, levels: int) -> str | Callable[[re.Match], str]:
    if "{level}" not in spelling:
        return spelling

    def spell(found: re.Match) -> str:
        level = int(found["level"])
        return spelling.format(level=level if found["part"] == "encoder" else levels - 1 - level)

    return spell

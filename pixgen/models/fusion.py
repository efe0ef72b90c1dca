"""Fuse layers of frozen models, so that the same function takes fewer passes over memory."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
from taming.modules.diffusionmodules.model import AttnBlock, ResnetBlock
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pixgen.models.runtime import cached_on, checkpointed


def fold_batch_norms(module: nn.Module) -> None:
    """Fold every batch norm that follows a convolution into its weights, in place.

    Pairs are found by their names (``conv1``, ``bn1``) or by their order in a Sequential. A frozen batch norm
    only scales and shifts each channel, and takes a third of a small tower's time.
    """
    for parent in module.modules():
        children = dict(parent.named_children())
        for name, child in children.items():
            partner = _following_norm(name, children, in_order=isinstance(parent, nn.Sequential))
            # Not a subclass: timm's batch norms hold an activation that would be lost.
            if type(child) is nn.Conv2d and type(children.get(partner)) is nn.BatchNorm2d:
                setattr(parent, name, fuse_conv_bn_eval(child.eval(), children[partner].eval()))
                setattr(parent, partner, nn.Identity())


def _following_norm(name: str, children: dict[str, nn.Module], *, in_order: bool) -> str:
    if name.startswith("conv"):
        return name.replace("conv", "bn")
    names = list(children)
    following = names.index(name) + 1
    return names[following] if in_order and following < len(names) else ""


class FusedResnetBlock(ResnetBlock):
    """taming's block with torch's one-pass SiLU instead of ``x * sigmoid(x)``."""

    def forward(self, x: torch.Tensor, temb: torch.Tensor | None) -> torch.Tensor:
        """As taming's without a time embedding: ``(B, C, H, W)`` to ``(B, out, H, W)``."""
        return checkpointed(self._forward, x)

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(self.dropout(F.silu(self.norm2(hidden))))
        if self.in_channels != self.out_channels:
            x = self.conv_shortcut(x) if self.use_conv_shortcut else self.nin_shortcut(x)
        return x + hidden


class FusedAttnBlock(AttnBlock):
    """taming's attention over all positions by torch's fused kernel, which never stores the attention matrix."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As taming's: ``(B, C, H, W)`` in and out."""
        return checkpointed(self._forward, x)

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.norm(x)
        # On a CPU one projection rounds otherwise than three, and pictures would differ from those of before.
        projected = self._project(hidden) if x.device.type == "cpu" else self._project_at_once(hidden)
        parts = (rearrange(each, "b c h w -> b 1 (h w) c") for each in projected)  # one head
        seen = F.scaled_dot_product_attention(*parts)
        return x + self.proj_out(rearrange(seen, "b 1 (h w) c -> b c h w", h=x.shape[2]))

    def _project(self, hidden: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Query, key and value, each ``(B, C, H, W)``."""
        return self.q(hidden), self.k(hidden), self.v(hidden)

    def _project_at_once(self, hidden: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The same by one convolution, whose weights are kept."""
        kept = cached_on(self)
        if "projection" not in kept:
            layers = (self.q, self.k, self.v)
            kept["projection"] = (
                torch.cat([each.weight for each in layers]).detach(),
                torch.cat([each.bias for each in layers]).detach(),
            )
        return F.conv2d(hidden, *kept["projection"]).chunk(3, dim=1)


_FUSED = {ResnetBlock: FusedResnetBlock, AttnBlock: FusedAttnBlock}


def fuse_blocks(module: nn.Module) -> None:
    """Replace taming's blocks by fused ones, in place; their weights stay the same."""
    for block in module.modules():
        block.__class__ = _FUSED.get(type(block), type(block))


def unfuse_blocks(module: nn.Module) -> None:
    """Replace fused blocks by taming's own again, in place."""
    own = {fused: plain for plain, fused in _FUSED.items()}
    for block in module.modules():
        block.__class__ = own.get(type(block), type(block))


class FusedSelfAttention(nn.MultiheadAttention):
    """torch's self-attention with its three projections as one product of matrices and one split, so that a step
    launches seven kernels fewer a layer."""

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *args, **more):
        """As torch's; what is not plain self-attention in batches is left to it."""
        plain = query is key and key is value and not args and more.get("attn_mask") is None
        if not (plain and self.batch_first and query.dim() == 3 and not more.get("need_weights", True)):
            return super().forward(query, key, value, *args, **more)
        projected = F.linear(query, self.in_proj_weight, self.in_proj_bias)
        # Split before the heads change places: the gradients then come back in the order of the projection.
        parts = rearrange(projected, "n l (three h c) -> n l three h c", three=3, h=self.num_heads).unbind(2)
        seen = F.scaled_dot_product_attention(*(rearrange(each, "n l h c -> n h l c") for each in parts))
        return self.out_proj(rearrange(seen, "n h l c -> n l (h c)")), None


def fuse_attention(module: nn.Module) -> None:
    """Replace torch's multi-head attention by the fused one, in place; the weights stay the same. It rounds
    otherwise."""
    for layer in module.modules():
        if type(layer) is nn.MultiheadAttention and layer._qkv_same_embed_dim and not layer.dropout:
            layer.__class__ = FusedSelfAttention

"""Fuse layers of frozen models, so that the same function takes fewer passes over memory."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
from open_clip.modified_resnet import AttentionPool2d, Bottleneck
from taming.modules.diffusionmodules.model import AttnBlock, Decoder, ResnetBlock, nonlinearity
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pixgen.models.merged import merges, merges_weights
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
        projected = self._project_at_once(hidden) if merges_weights(self, x) else self._project(hidden)
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


class FusedDecoder(Decoder):
    """taming's decoder with torch's one-pass SiLU before its last convolution, on a GPU."""

    give_pre_end = property(lambda self: True)  # taming's forward then ends before the last norm

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """As taming's: ``(B, C, h, w)`` to ``(B, 3, H, W)``."""
        hidden = self.norm_out(super().forward(z))
        return self.conv_out(F.silu(hidden) if merges(hidden) else nonlinearity(hidden))


_FUSED = {ResnetBlock: FusedResnetBlock, AttnBlock: FusedAttnBlock, Decoder: FusedDecoder}


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


class FusedBottleneck(Bottleneck):
    """open_clip's residual block whose last convolution and that of its shortcut are one, on a GPU, where batch
    norms are folded."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As open_clip's: ``(N, C, H, W)`` to ``(N, out, H / stride, W / stride)``."""
        if self.downsample is None or type(self.bn3) is not nn.Identity or not merges_weights(self, x):
            return super().forward(x)
        hidden = self.act1(self.bn1(self.conv1(x)))
        hidden = self.act2(self.bn2(self.conv2(hidden)))
        both = torch.cat([hidden, x], 1)
        if self.stride > 1:
            both = F.avg_pool2d(both, self.stride)
        kept = cached_on(self)
        if "both" not in kept:
            layers = (self.conv3, self.downsample[1])
            kept["both"] = (
                torch.cat([each.weight for each in layers], 1),
                torch.stack([each.bias for each in layers]).sum(0),
            )
        return self.act3(F.conv2d(both, *kept["both"]))


class FusedAttentionPool(AttentionPool2d):
    """open_clip's attention pooling, of which only the first token is read: on a GPU only this one is a query, and
    what the positions add is kept."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As open_clip's: ``(N, C, H, W)`` to ``(N, out)``."""
        if not merges_weights(self, x):
            return super().forward(x)
        kept = cached_on(self)
        if "pool" not in kept:
            kept["pool"] = self._at_positions()
        first, weight, shift = kept["pool"]
        tokens = rearrange(x, "n c h w -> n (h w) c")
        mean = tokens.mean(1)
        query = torch.addmm(first, mean, self.q_proj.weight.T)
        both = torch.baddbmm(shift, torch.cat([mean[:, None], tokens], 1), weight.expand(len(x), -1, -1))
        key, value = rearrange(both, "n l (two h c) -> n l two h c", two=2, h=self.num_heads).unbind(2)
        seen = F.scaled_dot_product_attention(
            rearrange(query, "n (h c) -> n h 1 c", h=self.num_heads),
            *(rearrange(each, "n l h c -> n h l c") for each in (key, value)),
        )
        return self.c_proj(rearrange(seen, "n h 1 c -> n (h c)"))

    @torch.no_grad()
    def _at_positions(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the position adds to the query, ``(1, C)``; the weights of keys and values ``(1, C, 2 C)``; and what
        the positions add to these, ``(1, 1 + H W, 2 C)``."""
        places = self.positional_embedding.to(self.k_proj.weight.dtype)
        layers = (self.k_proj, self.v_proj)
        first = F.linear(places[:1], self.q_proj.weight, self.q_proj.bias)
        shift = torch.cat([F.linear(places, each.weight, each.bias) for each in layers], 1)
        return first, torch.cat([each.weight for each in layers]).T[None], shift[None]


_FUSED_IN_CLIP = {Bottleneck: FusedBottleneck, AttentionPool2d: FusedAttentionPool}


def fuse_clip(module: nn.Module) -> None:
    """Replace layers of a CLIP's image tower by fused ones, in place; the weights stay the same. Attention rounds
    otherwise."""
    for layer in module.modules():
        if type(layer) is nn.MultiheadAttention and layer._qkv_same_embed_dim and not layer.dropout:
            layer.__class__ = FusedSelfAttention
        layer.__class__ = _FUSED_IN_CLIP.get(type(layer), type(layer))

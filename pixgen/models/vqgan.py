"""A VQGAN built from taming's modules: pictures to codes and back.

``taming.models.vqgan`` wraps the same modules in a Lightning module, which painting does not need.
Source of the architecture: arXiv 2012.09841, github.com/CompVis/taming-transformers.
"""

import contextlib
import io

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2

from pixgen.models.catalog import find
from pixgen.models.checkpoint import load_weights, read_config
from pixgen.models.fuse import fuse_blocks
from pixgen.models.tiles import decode_in_tiles
from pixgen.models.working import in_force

GUMBEL_TARGET = "taming.models.vqgan.GumbelVQ"


class Vqgan(nn.Module):
    """Encoder, codebook and decoder, with the state dict of taming's ``VQModel``.

    Args:
        config: taming's ``model`` node: ``target`` and ``params`` (``embed_dim``, ``n_embed``,
            ``ddconfig``), and beside these ``norm_groups``, of which taming has 32.
    """

    def __init__(self, config: dict) -> None:
        super().__init__()
        params, layers = config["params"], config["params"]["ddconfig"]
        width, codes = params["embed_dim"], params["n_embed"]
        with contextlib.redirect_stdout(io.StringIO()):  # the decoder announces itself
            self.encoder, self.decoder = Encoder(**layers), Decoder(**layers)
        if config.get("target") == GUMBEL_TARGET:
            self.quantize_module = "gumbel"
            self.quantize = GumbelQuantize(
                layers["z_channels"], width, n_embed=codes, kl_weight=0.0, temp_init=1.0
            )
        else:
            self.quantize_module = "vector"
            self.quantize = VectorQuantizer2(codes, width, beta=0.25)
        self.quant_conv = nn.Conv2d(layers["z_channels"], width, 1)
        self.post_quant_conv = nn.Conv2d(width, layers["z_channels"], 1)
        if groups := params.get("norm_groups"):
            for module in self.modules():
                if isinstance(module, nn.GroupNorm):
                    module.num_groups = groups
        fuse_blocks(self)
        self.factor = 2 ** (len(layers["ch_mult"]) - 1)

    @property
    def codebook(self) -> torch.Tensor:
        """The codes, ``(n, width)``."""
        return (
            self.quantize.embed if self.quantize_module == "gumbel" else self.quantize.embedding
        ).weight

    def bounds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The least and largest value of each channel over all codes, each ``(1, width, 1, 1)``."""
        low, high = self.codebook.amin(0), self.codebook.amax(0)
        return low[None, :, None, None], high[None, :, None, None]

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures ``(B, 3, H, W)`` in [0, 1] to latents ``(B, width, H / factor, W / factor)``.

        H and W are multiples of ``factor``. The latents are not yet moved to codes.
        """
        hidden = self.quant_conv(self.encoder(pictures * 2 - 1))
        if self.quantize_module == "gumbel":
            return self.lookup(self.quantize.proj(hidden).argmax(1))
        return hidden

    def codes(self, latents: torch.Tensor) -> torch.Tensor:
        """The nearest code of each place, ``(B, h, w)`` int64."""
        places = rearrange(latents, "b c h w -> (b h w) c")
        book = self.codebook
        # |p - c|² without |p|², which does not change the nearest.
        distances = book.square().sum(1) - 2 * places @ book.T
        return rearrange(
            distances.argmin(1), "(b h w) -> b h w", b=len(latents), h=latents.shape[2]
        )

    def lookup(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes ``(B, h, w)`` to latents ``(B, width, h, w)``."""
        return rearrange(F.embedding(codes, self.codebook), "b h w c -> b c h w")

    def nearest(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents moved to their nearest codes; the gradient passes straight through
        (``vector_quantize`` in Crowson's notebook, arXiv 2204.08583)."""
        quantized = self.lookup(self.codes(latents.detach()))
        return latents + (quantized - latents).detach()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents of codes to pictures ``(B, 3, H, W)``, about [0, 1] and not clamped."""
        engine = in_force()
        if not engine.tile or torch.is_grad_enabled():
            return self._decode(latents)
        return decode_in_tiles(
            self._decode, latents,
            factor=self.factor, tile=engine.tile, overlap=max(1, engine.tile // 4),
        )  # fmt: skip

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        if in_force().channels_last:
            latents = latents.contiguous(memory_format=torch.channels_last)
        return (self.decoder(self.post_quant_conv(latents)) + 1) / 2


def load_vqgan(name: str, device: str) -> Vqgan:
    """A VQGAN by its catalog name, frozen. Raises ModelError."""
    entry = find(name, "vqgan")
    model = Vqgan(read_config(entry.config)["model"])
    load_weights(model, entry.weights)
    return model.eval().requires_grad_(False).to(device)

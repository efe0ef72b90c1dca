"""A VQGAN built from taming's modules: pictures to codes and back, in overlapping tiles where memory is short.

``taming.models.vqgan`` wraps the same modules in a Lightning module, which is not needed here.
Source of the architecture: arXiv 2012.09841, github.com/CompVis/taming-transformers.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2

from pixgen.errors import ModelError
from pixgen.models.catalog import Entry
from pixgen.models.checkpoints.layouts import to_taming
from pixgen.models.checkpoints.reading import read_weights
from pixgen.models.checkpoints.safetensors import assign_weights, check_fit, read_config, read_safetensors
from pixgen.models.fusion import fuse_blocks
from pixgen.models.merged import merges, merges_weights, scale_and_shift, straight_through
from pixgen.models.runtime import cached_on, compiled, current_engine, full_precision
from pixgen.models.store import Files, ensure_weights
from pixgen.models.vqgan.custom import find_vqgan

GUMBEL = ".GumbelVQ"  # the end of its target


def decode_in_tiles(
    decode: Callable[[torch.Tensor], torch.Tensor],
    latents: torch.Tensor,
    *,
    factor: int,
    tile: int,
    overlap: int,
) -> torch.Tensor:
    """Decode latents ``(B, C, h, w)`` in overlapping tiles that are blended into each other.

    Args:
        decode: from latents to pictures ``(B, 3, factor h, factor w)``.
        tile: the side of a tile in codes, including the overlap.
        overlap: the width of the blend in codes, less than ``tile``.

    Away from the seams this equals decoding the whole, for layers that look at neighbours only. GroupNorm and
    attention see the tile alone instead of the whole picture, so contrast and hues may differ a little.
    """
    height, width = latents.shape[-2:]
    return _map_tiles(
        decode, latents, size=latents.shape[-2:], tile=tile, overlap=overlap, read=1, written=factor
    )


def encode_in_tiles(
    encode: Callable[[torch.Tensor], torch.Tensor],
    pictures: torch.Tensor,
    *,
    factor: int,
    tile: int,
    overlap: int,
) -> torch.Tensor:
    """Encode pictures ``(B, 3, factor h, factor w)`` in overlapping tiles, as ``decode_in_tiles`` does.

    Args:
        encode: from pictures to latents ``(B, C, h, w)``.
    """
    size = torch.Size(side // factor for side in pictures.shape[-2:])
    return _map_tiles(encode, pictures, size=size, tile=tile, overlap=overlap, read=factor, written=1)


def _map_tiles(
    work: Callable[[torch.Tensor], torch.Tensor],
    source: torch.Tensor,
    *,
    size: torch.Size,
    tile: int,
    overlap: int,
    read: int,
    written: int,
) -> torch.Tensor:
    """Apply ``work`` to a source tile by tile, and blend the results.

    Args:
        size: of the whole in codes.
        read, written: the side of a code in the source, and in the result.
    """
    height, width = size
    made = weight = None
    for top, bottom in _spans(height, tile, overlap):
        for left, right in _spans(width, tile, overlap):
            piece = work(source[(..., *_slices(top, bottom, left, right, scale=read))])
            down = _ramp(top, bottom, height, overlap, piece)[:, None]
            across = _ramp(left, right, width, overlap, piece)[None]
            share = (down * across).repeat_interleave(written, 0).repeat_interleave(written, 1)
            if made is None:
                made = piece.new_zeros(*piece.shape[:2], height * written, width * written)
                weight = piece.new_zeros(height * written, width * written)
            place = (..., *_slices(top, bottom, left, right, scale=written))
            made[place] += piece * share
            weight[place] += share
    return made / weight


def _slices(top: int, bottom: int, left: int, right: int, *, scale: int) -> tuple[slice, slice]:
    return slice(top * scale, bottom * scale), slice(left * scale, right * scale)


def _spans(length: int, tile: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Start and end of evenly spread tiles that cover ``length``."""
    if length <= tile:
        yield 0, length
        return
    count = -(-(length - overlap) // (tile - overlap))
    for number in range(count):
        start = round(number * (length - tile) / (count - 1))
        yield start, start + tile


def _ramp(start: int, end: int, length: int, overlap: int, like: torch.Tensor) -> torch.Tensor:
    """Blending weight of each code of a tile: rises from its start and falls to its end, except at the picture's
    borders."""
    at = torch.arange(end - start, device=like.device, dtype=like.dtype) + 0.5
    ramp = torch.ones_like(at)
    if start > 0:
        ramp = ramp.minimum(at / overlap)
    if end < length:
        ramp = ramp.minimum((end - start - at) / overlap)
    return ramp


class Vqgan(nn.Module):
    """Encoder, codebook and decoder, with the state dict of taming's ``VQModel``.

    Args:
        config: taming's ``model`` node: ``target`` and ``params`` (``embed_dim``, ``n_embed``,
            ``ddconfig``); ``replicate_from_level``, for a decoder whose convolutions at this level and coarser ones
            pad with the outermost numbers instead of zeros; and for other libraries' models: ``norm_groups``
            (taming has 32); ``mid_attention``, false
            without attention in the middle; ``unit_codes``, true for codes on the unit sphere; ``pixels``,
            ``unit`` if the network's pictures are in [0, 1]; ``decoder_alone``, true if a file may lack the
            encoder.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        params, layers = config["params"], config["params"]["ddconfig"]
        width, codes = params["embed_dim"], params["n_embed"]
        with contextlib.redirect_stdout(io.StringIO()):  # taming's Decoder prints
            self.encoder, self.decoder = Encoder(**layers), Decoder(**layers)
        if config.get("target", "").endswith(GUMBEL):
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
        if (level := params.get("replicate_from_level")) is not None:
            _replicate_edges(self.decoder, level)
        if not params.get("mid_attention", True):
            self.encoder.mid.attn_1 = self.decoder.mid.attn_1 = nn.Identity()
        self.unit_codes = params.get("unit_codes", False)
        self.signed = params.get("pixels") != "unit"  # whether its pictures are in [-1, 1]
        fuse_blocks(self)
        self.factor = 2 ** (len(layers["ch_mult"]) - 1)

    def drop_encoder(self) -> None:
        """Remove the encoder, for files that have none."""
        self.encoder = self.quant_conv = None

    @property
    def codebook(self) -> torch.Tensor:
        """The codes, ``(n, width)``."""
        return (self.quantize.embed if self.quantize_module == "gumbel" else self.quantize.embedding).weight

    def bounds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The minimum and maximum of each channel over all codes, each ``(1, width, 1, 1)``."""
        low, high = self.codebook.amin(0), self.codebook.amax(0)
        return low[None, :, None, None], high[None, :, None, None]

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures ``(B, 3, H, W)`` in [0, 1] to latents ``(B, width, H / factor, W / factor)``.

        H and W are multiples of ``factor``. The latents are not quantized, except a Gumbel
        VQGAN's. Raises ModelError if there is no encoder.
        """
        if self.encoder is None:
            raise ModelError(
                "This image model has no encoder and cannot start from a picture: start from a sketch or "
                "from codes, or remove it and download the complete model."
            )
        tile = current_engine().encode_tile
        if not tile or torch.is_grad_enabled():
            hidden = self._encode(pictures)
        else:
            hidden = encode_in_tiles(
                self._encode, pictures, factor=self.factor, tile=tile, overlap=max(1, tile // 4)
            )
        if self.quantize_module == "gumbel":
            return self.lookup(self.quantize.proj(hidden).argmax(1))
        return F.normalize(hidden, dim=1) if self.unit_codes else hidden

    def _encode(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(pictures * 2 - 1 if self.signed else pictures))

    def codes(self, latents: torch.Tensor) -> torch.Tensor:
        """The nearest code of each position, ``(B, h, w)`` int64; computed in float32, because half precision finds
        another code at every twelfth position."""
        places = rearrange(latents.float(), "b c h w -> (b h w) c")
        book = self.codebook
        # |p - c|² without |p|², which does not change the argmin.
        with full_precision(book.device):
            distances = torch.addmm(self._squared_lengths(), places, book.T, alpha=-2)
        return rearrange(distances.argmin(1), "(b h w) -> b h w", b=len(latents), h=latents.shape[2])

    def _squared_lengths(self) -> torch.Tensor:
        """The squared length of each code, ``(n,)``; kept on a GPU while the codebook does not change."""
        book, kept = self.codebook, cached_on(self)
        if not merges_weights(self.quantize, book):
            return book.square().sum(1)
        state = (book.data_ptr(), book._version)
        if kept.get("codebook") != state:
            kept["codebook"], kept["squared lengths"] = state, book.square().sum(1)
        return kept["squared lengths"]

    def lookup(self, codes: torch.Tensor) -> torch.Tensor:
        """Look up codes ``(B, h, w)`` as latents ``(B, width, h, w)``."""
        return rearrange(F.embedding(codes, self.codebook), "b h w c -> b c h w")

    def nearest(self, latents: torch.Tensor) -> torch.Tensor:
        """Quantize latents to their nearest codes, with a straight-through gradient
        (``vector_quantize`` in Crowson's notebook, arXiv 2204.08583)."""
        return straight_through(self.lookup(self.codes(latents.detach())), latents)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode quantized latents to pictures ``(B, 3, H, W)``, about [0, 1] and not clamped."""
        engine = current_engine()
        if not engine.tile or torch.is_grad_enabled():
            return self._decode(latents)
        return decode_in_tiles(
            self._decode,
            latents,
            factor=self.factor,
            tile=engine.tile,
            overlap=max(1, engine.tile // 4),
        )

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        # Not on a GPU: its group norms would convert the memory format and back, twice a block.
        if current_engine().channels_last and latents.device.type == "cpu":
            latents = latents.contiguous(memory_format=torch.channels_last)
        return compiled(self.decoder, "forward", before=self.post_quant_conv, after=self._to_pixels)(latents)

    def _to_pixels(self, drawn: torch.Tensor) -> torch.Tensor:
        if not self.signed:
            return drawn.float()
        if not merges(drawn):
            return (drawn.float() + 1) / 2
        kept = cached_on(self)
        if ("half", drawn.device) not in kept:
            kept["half", drawn.device] = torch.full((1, 1, 1, 1), 0.5, device=drawn.device)
        half = kept["half", drawn.device]
        return scale_and_shift(drawn, half, half, dtype=torch.float32)


class ReplicatingConv(nn.Conv2d):
    """A convolution that pads by one with the outermost numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As torch's: ``(B, C, H, W)`` to ``(B, out, H, W)``."""
        if not torch.compiler.is_compiling():
            return super().forward(x)
        # torch 2.14's compiler fails at the gradient of this padding in channels-last memory.
        for dim in (2, 3):
            x = torch.cat([x.narrow(dim, 0, 1), x, x.narrow(dim, x.shape[dim] - 1, 1)], dim)
        return F.conv2d(x, self.weight, self.bias)


def _replicate_edges(decoder: Decoder, level: int) -> None:
    """Pad with the outermost numbers from the coarsest level to ``level``, so that a decoder does not know where
    in a picture it is: with zeros it learns to put a spike near a corner, and scales its norms by that."""
    for part in (decoder.conv_in, decoder.mid, *decoder.up[level:]):
        for module in part.modules():
            if type(module) is nn.Conv2d and any(module.padding):
                module.padding_mode, module.__class__ = "replicate", ReplicatingConv


def load_vqgan(name: str, device: str, config: str = "") -> Vqgan:
    """A VQGAN by its name in the catalog or in ``PIXGEN_MODELS_DIR``, or by its checkpoint's path, frozen.

    Args:
        config: the path of a custom checkpoint's config, if it is not beside it.

    It is downloaded if it is missing; ``listen_to_downloads`` gets the progress. Raises ModelError.
    """
    entry = find_vqgan(name, config)
    if entry.bundled:
        model = _build_empty(read_config(entry.config)["model"], name=name)
        weights = read_safetensors(entry.weights)
    else:
        weights = read_safetensors(fetch_vqgan(entry))
        model = _build_for_weights(entry, weights)
    assign_weights(model, weights, name=entry.name)
    return model.eval().requires_grad_(False).to(device)


def fetch_vqgan(entry: Entry) -> Path:
    """The safetensors of a published or custom VQGAN, downloaded and converted if need be.

    Names and shapes are checked against the config before anything is stored. Raises ModelError.
    """

    def convert(files: Files) -> dict[str, torch.Tensor]:
        (path,) = files.values()
        weights = to_taming(read_weights(path), unit_codes=entry.model["params"].get("unit_codes", False))
        check_fit(weights, _build_for_weights(entry, weights).state_dict(), name=f"in {path.name}")
        return weights

    return ensure_weights(entry, convert)


def _read_config(entry: Entry, weights: Mapping[str, torch.Tensor]) -> Mapping[str, Any]:
    """A model's config. The number of codes of a model in the catalog is read from its file; a custom model's
    config is taken as it is."""
    part = "embed" if entry.model["target"].endswith(GUMBEL) else "embedding"
    book = weights.get(f"quantize.{part}.weight")
    if entry.stamp or book is None:
        return entry.model
    return {**entry.model, "params": {**entry.model["params"], "n_embed": len(book)}}


def _build_for_weights(entry: Entry, weights: Mapping[str, torch.Tensor]) -> Vqgan:
    """An empty VQGAN for these weights, without encoder if they have none and the catalog allows it."""
    model = _build_empty(_read_config(entry, weights), name=entry.name)
    alone = not any(name.startswith("encoder.") for name in weights)
    if alone and entry.model["params"].get("decoder_alone"):
        model.drop_encoder()
    return model


def _build_empty(config: Mapping[str, Any], *, name: str) -> Vqgan:
    """A VQGAN on the device ``meta``. Raises ModelError if it cannot be built from this config."""
    try:
        with torch.device("meta"):
            return Vqgan(config)
    except (TypeError, ValueError, KeyError, RuntimeError, AssertionError) as error:
        raise ModelError(
            "The config of “{name}” does not describe a valid VQGAN ({reason}): check it.",
            name=name,
            reason=str(error).splitlines()[0][:120],
        ) from error

"""DALL·E mini and mega: a text encoder, and a decoder that samples a VQGAN's codes row by row.

Modules are named as in min-dalle's checkpoints, so that errors name the keys of a file. Sources:
BART (arXiv 1910.13461) for the two transformers, NormFormer (arXiv 2110.09456) for the norms after
attention and inside the perceptron, GLU (arXiv 2002.05202) for the gate; github.com/borisdayma/dalle-mini
and github.com/kuprel/min-dalle for how they are combined.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.sketchers.dalle_files import BytePairs
from pixgen.models.sketchers.pocket import KeyValueCache

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class TextStates:
    """The decoder's cross-attention to N texts.

    Args:
        keys_values: for each layer, keys and values ``(N, heads, places, width / heads)``.
        mask: true at tokens, false at padding, ``(N, 1, 1, places)`` bool.
    """

    keys_values: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    mask: torch.Tensor

    def repeat(self, count: int) -> "TextStates":
        """Repeat each text ``count`` times in a row."""
        return TextStates(
            tuple(
                (keys.repeat_interleave(count, 0), values.repeat_interleave(count, 0))
                for keys, values in self.keys_values
            ),
            self.mask.repeat_interleave(count, 0),
        )


class DalleBart(nn.Module):
    """Samples codes of one VQGAN from a text, token by token.

    Args:
        config: ``width``, ``inner`` (of the perceptron), ``heads``, ``depth`` (layers of each of the two),
            ``vocabulary`` and ``places`` (tokens of a text), ``tokens`` (of pictures, of which the first
            ``codes`` are the VQGAN's) and ``grid`` (codes a side).
        vqgan: the name of the VQGAN that decodes its codes.
    """

    words: BytePairs  # the tokenizer that comes with its weights
    clip_name = None  # it has its own text encoder

    def __init__(self, config: Mapping[str, Any], *, vqgan: str) -> None:
        super().__init__()
        self.grid, self.codes, self.places = config["grid"], config["codes"], config["places"]
        self.vqgan_name = vqgan
        self.encoder, self.decoder = Encoder(config), Decoder(config)

    def read(self, texts: list[str]) -> TextStates:
        """Encode texts for the decoder, each cut or padded to ``places`` tokens."""
        tokens = torch.tensor([self.words.encode(text, places=self.places) for text in texts])
        tokens = tokens.to(self.decoder.lm_head.weight.device)
        mask = rearrange(tokens != self.words.padding, "b n -> b 1 1 n")
        return TextStates(self.decoder.seen(self.encoder(tokens, mask)), mask)

    def start(self, count: int) -> torch.Tensor:
        """The start token of ``count`` pictures, ``(count,)``."""
        device = self.decoder.lm_head.weight.device
        return torch.full((count,), self.decoder.embed_tokens.num_embeddings - 1, device=device)

    def next_logits(
        self, tokens: torch.Tensor, read: TextStates, *, place: int, caches: list[KeyValueCache]
    ) -> torch.Tensor:
        """Logits of the code at a position, ``(B, codes)`` float32, given the tokens ``(B,)`` before it; the caches
        hold the earlier ones."""
        return self.decoder(tokens[:, None], read, place=place, caches=caches)[:, -1, : self.codes].float()

    def caches(self) -> list[KeyValueCache]:
        """An empty cache for every layer of the decoder."""
        return [KeyValueCache(self.grid**2) for _ in self.decoder.layers]


class Encoder(nn.Module):
    """The text encoder, with attention between all tokens."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width = config["width"]
        self.embed_tokens = nn.Embedding(config["vocabulary"], width)
        self.embed_positions = nn.Embedding(config["places"], width)
        self.layernorm_embedding, self.final_ln = nn.LayerNorm(width), nn.LayerNorm(width)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config["depth"]))

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(N, places)`` to ``(N, places, width)``."""
        hidden = self.embed_tokens(tokens) + self.embed_positions.weight[: tokens.shape[1]]
        hidden = self.layernorm_embedding(hidden)
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return self.final_ln(hidden)


class Decoder(nn.Module):
    """The code decoder, with causal attention and cross-attention to the text."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, tokens = config["width"], config["tokens"] + 1  # and the start token
        self.embed_tokens = nn.Embedding(tokens, width)
        self.embed_positions = nn.Embedding(config["grid"] ** 2, width)
        self.layernorm_embedding, self.final_ln = nn.LayerNorm(width), nn.LayerNorm(width)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config["depth"]))
        self.lm_head = nn.Linear(width, tokens, bias=False)

    def seen(self, states: torch.Tensor) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
        """Keys and values of every layer's cross-attention to a text's states ``(N, places, width)``; the same at
        each step."""
        return tuple(layer.encoder_attn.keys_values(states) for layer in self.layers)

    def forward(
        self,
        tokens: torch.Tensor,
        read: TextStates,
        *,
        place: int = 0,
        caches: list[KeyValueCache] | None = None,
    ) -> torch.Tensor:
        """Tokens ``(B, n)`` from a position on to the logits of the next token after each, ``(B, n, tokens)``."""
        positions = self.embed_positions.weight[place : place + tokens.shape[1]]
        hidden = self.layernorm_embedding(self.embed_tokens(tokens) + positions)
        for number, layer in enumerate(self.layers):
            cache = None if caches is None else caches[number]
            hidden = layer(hidden, read.keys_values[number], read.mask, cache)
        return self.lm_head(self.final_ln(hidden))


class EncoderLayer(nn.Module):
    """Self-attention and a gated perceptron, each added to its input."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width = config["width"]
        self.pre_self_attn_layer_norm = nn.LayerNorm(width)
        self.self_attn = Attention(width, config["heads"])
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.glu = GatedPerceptron(width, config["inner"])

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(N, places, width)`` to the same shape."""
        entering = self.pre_self_attn_layer_norm(hidden)
        seen = self.self_attn(entering, self.self_attn.keys_values(entering), mask=mask)
        hidden = hidden + self.self_attn_layer_norm(seen)
        return hidden + self.glu(hidden)


class DecoderLayer(nn.Module):
    """Causal self-attention, cross-attention to the text, and a gated perceptron."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, heads = config["width"], config["heads"]
        self.pre_self_attn_layer_norm = nn.LayerNorm(width)
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.pre_encoder_attn_layer_norm = nn.LayerNorm(width)
        self.encoder_attn = Attention(width, heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.glu = GatedPerceptron(width, config["inner"])

    def forward(
        self,
        hidden: torch.Tensor,
        words: tuple[torch.Tensor, torch.Tensor],
        mask: torch.Tensor,
        cache: KeyValueCache | None,
    ) -> torch.Tensor:
        """``(B, n, width)`` to the same shape; each position attends to itself and those before."""
        entering = self.pre_self_attn_layer_norm(hidden)
        keys_values = self.self_attn.keys_values(entering)
        if cache is not None:
            keys_values = cache.extended(*keys_values)
        hidden = hidden + self.self_attn_layer_norm(self.self_attn(entering, keys_values))
        entering = self.pre_encoder_attn_layer_norm(hidden)
        seen = self.encoder_attn(entering, words, mask=mask)
        hidden = hidden + self.encoder_attn_layer_norm(seen)
        return hidden + self.glu(hidden)


class Attention(nn.Module):
    """Multi-head attention without bias; causal if there is no mask."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            self.add_module(name, nn.Linear(width, width, bias=False))

    def keys_values(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of states ``(B, n, width)``, each ``(B, heads, n, width / heads)``."""
        return self._split(self.k_proj(hidden)), self._split(self.v_proj(hidden))

    def forward(
        self,
        hidden: torch.Tensor,
        keys_values: tuple[torch.Tensor, torch.Tensor],
        *,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``(B, n, width)`` to the attended values, of the same shape."""
        queries = self._split(self.q_proj(hidden))
        causal = mask is None and queries.shape[2] > 1
        seen = F.scaled_dot_product_attention(queries, *keys_values, attn_mask=mask, is_causal=causal)
        return self.out_proj(rearrange(seen, "b h n w -> b n (h w)"))

    def _split(self, mixed: torch.Tensor) -> torch.Tensor:
        return rearrange(mixed, "b n (h w) -> b h n w", h=self.heads)


class GatedPerceptron(nn.Module):
    """A perceptron with a gated linear unit (GLU) and norms."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.ln0, self.ln1 = nn.LayerNorm(width), nn.LayerNorm(inner)
        self.fc0, self.fc1 = (
            nn.Linear(width, inner, bias=False),
            nn.Linear(width, inner, bias=False),
        )
        self.fc2 = nn.Linear(inner, width, bias=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """``(…, width)`` to the same shape."""
        hidden = self.ln0(hidden)
        return self.fc2(self.ln1(F.gelu(self.fc0(hidden)) * self.fc1(hidden)))

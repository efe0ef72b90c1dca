"""The bundled sketch model: an autoregressive transformer over a VQGAN's codes, and exemplars of single things.

The prefix is the condition: a caption's hidden states from CLIP's text tower, a CLIP vector, or nothing. Then
blocks of two by two codes follow row by row. One pass of the transformer gives a block, and a small head
samples its four codes in turn. Sources: DALL-E (arXiv 2102.12092) for the idea, RQ-Transformer
(arXiv 2203.01941) for several codes a position, classifier-free guidance (arXiv 2207.12598) for dropped
conditions.

Exemplars are drawings of single things in the VQGAN's codes, with the lexicon that finds them by name.
"""

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.clip.perceptor import EncodedTexts
from pixgen.models.sketchers.common_words import (
    COLOURS,
    FILLERS,
    LARGE,
    MATERIALS,
    SMALL,
    other_names_of_people,
    style_phrases,
)
from pixgen.translation.english import IRREGULAR_PLURALS

SOLID = 1 << 15  # added in the file to the code of a solid cell
CODES_FILE, LEXICON_FILE = "portraits.npy.xz", "portraits.json"
BLOCK = 2  # codes a side
CELLS = BLOCK * BLOCK
OPEN = -1  # a code that is not sampled yet
COLOURED_WEIGHT = 0.4  # weight of a word's look if the text gives the thing another colour
EDGE_WEIGHT = 0.5  # the same at a thing's edge, which depends on the background
PALE = 16.0  # squared distance from white below which a look hardly counts
NEIGHBOURS = 3  # known before a block: the one before, above, and above to the right


# Names that show something else: by its emoji's keywords, an accordion is a box, as in “squeeze box”.
_BETTER_NAMES = {"box": "package"}
_NO_NAMES = ("full",)  # a bowl full of soup is no full moon


@dataclass(frozen=True)
class Lexicon:
    """The words that retrieval understands, in lower case.

    Args:
        names: the exemplars of each name, best first.
        weak: names that often mean something else.
        lettered: exemplars with letters, which must not be mirrored.
        worn: exemplars of things worn on a head.
        colours: red, green and blue in 0 to 255 by a colour's name of one or two words.
        small, large: words of size.
        fillers: words that say nothing about a thing's look.
        places: phrases of position, as lists of left, right, top and bottom.
        hands: phrases that ask for a style of the whole picture, and the style's name.
        grounds: phrases for a background, and its name alone.
    """

    names: dict[str, list[int]]
    weak: list[str]
    lettered: list[int]
    worn: list[int]
    colours: dict[str, list[int]]
    small: list[str]
    large: list[str]
    fillers: list[str]
    places: dict[str, list[str]]
    hands: dict[str, str]
    grounds: dict[str, str]

    @cached_property
    def corrected(self) -> "Lexicon":
        """The lexicon with plurals such as “children”, and without names that show something else. Recipes of earlier
        versions are read with the lexicon as it was."""
        pairs = IRREGULAR_PLURALS.items()
        plurals = {plural: self.names[single] for single, plural in pairs if single in self.names}
        better = {name: self.names[other] for name, other in _BETTER_NAMES.items() if other in self.names}
        return replace(self, names=plurals | self.names | better)

    @cached_property
    def extended(self) -> "Lexicon":
        """The corrected lexicon with styles, materials, colours and people by their common names."""
        lexicon = self.corrected
        colours = {name: list(colour) for name, colour in {**COLOURS, **MATERIALS}.items()}
        styles = self.hands | {f"{phrase} style": style for phrase, style in self.hands.items()}
        return replace(
            lexicon,
            names=other_names_of_people(lexicon.names)
            | {name: shown for name, shown in lexicon.names.items() if name not in _NO_NAMES},
            colours=colours | self.colours,
            fillers=[*self.fillers, *FILLERS],
            small=[*self.small, *SMALL],
            large=[*self.large, *LARGE],
            hands=style_phrases() | styles,
        )

    @cached_property
    def ground_phrases(self) -> list[tuple[tuple[str, ...], str]]:
        """The background phrases as words, longest first, with the background's name."""
        return _phrases_by_length(self.grounds)

    @cached_property
    def style_phrases(self) -> list[tuple[tuple[str, ...], str]]:
        """The style phrases as words, longest first, with the style's name."""
        return _phrases_by_length(self.hands)


def _phrases_by_length(phrases: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
    split = [(tuple(said.split()), meant) for said, meant in phrases.items()]
    return sorted(split, key=lambda each: len(each[0]), reverse=True)


@dataclass(frozen=True)
class Exemplars:
    """Drawings of single things on white, and the lexicon that finds them.

    Args:
        codes: ``(N, grid, grid)`` int64.
        solid: ``(N, grid, grid)`` bool, true where a thing is as pale as the background.
    """

    codes: torch.Tensor
    solid: torch.Tensor
    lexicon: Lexicon


def load_exemplars(folder: Path) -> Exemplars | None:
    """The exemplars beside a sketch model's weights; None if it has none."""
    if not (folder / LEXICON_FILE).exists():
        return None
    lexicon = Lexicon(**json.loads((folder / LEXICON_FILE).read_text("utf-8")))
    with lzma.open(folder / CODES_FILE) as file:
        packed = torch.from_numpy(np.load(file, allow_pickle=False).astype(np.int64))
    return Exemplars(packed % SOLID, packed >= SOLID, lexicon)


@dataclass(frozen=True)
class Conditioning:
    """The condition of N pictures; None leaves that part open.

    Args:
        words: hidden states of CLIP's text tower.
        vectors: CLIP vectors of unit length, ``(N, D)``.
    """

    words: EncodedTexts | None = None
    vectors: torch.Tensor | None = None


@dataclass(frozen=True)
class EncodedConditioning:
    """The condition of N pictures as input of the transformer.

    Args:
        places: an input for each position, ``(N, prefix + blocks - 1, width)``: the prefix, then what the words
            look like at each block; the last position of the prefix predicts the first block.
        looks: the difference of the words' own look from white at every code, ``(N, blocks, 4, code width)``.
        trust: the weight of the looks, ``(N, blocks, 4)`` in [0, 1].
    """

    places: torch.Tensor
    looks: torch.Tensor
    trust: torch.Tensor

    def repeat(self, count: int) -> "EncodedConditioning":
        """Repeat the condition of one picture for ``count``."""
        return EncodedConditioning(
            self.places.expand(count, -1, -1),
            self.looks.expand(count, -1, -1, -1),
            self.trust.expand(count, -1, -1),
        )

    @staticmethod
    def concatenate(parts: Sequence["EncodedConditioning"]) -> "EncodedConditioning":
        """Concatenate several along N."""
        return EncodedConditioning(
            *(torch.cat([getattr(part, name) for part in parts]) for name in ("places", "looks", "trust"))
        )


class Sketcher(nn.Module):
    """Samples codes of one VQGAN.

    Args:
        config: ``vqgan`` and ``clip``, the names of the VQGAN of its codes and of the CLIP that encodes its
            texts; ``grid`` (codes a side), ``codes`` and ``code_width`` (the VQGAN's), ``width``,
            ``depth``, ``heads``, ``places`` (tokens of a text), ``text_width``, ``vector_width``,
            ``vocabulary`` (number of token ids), ``memory`` (numbers for each token and block), and ``elsewhere``
            and ``coloured``, the tokens that move a thing or give it a colour.
    """

    def __init__(self, config: dict) -> None:
        super().__init__()
        width, codes, code_width = config["width"], config["codes"], config["code_width"]
        self.elsewhere, self.coloured = tuple(config["elsewhere"]), tuple(config["coloured"])
        self.vqgan_name, self.clip_name = config["vqgan"], config["clip"]
        self.grid, self.places = config["grid"], config["places"]
        self.exemplars: Exemplars | None = None  # drawings of single things, pasted instead of sampled
        self.blocks_a_side = self.grid // BLOCK
        count = self.blocks_a_side**2
        # The VQGAN's own codes, so that similar codes have similar inputs from the first step of training.
        self.codebook: torch.Tensor
        self.register_buffer("codebook", torch.zeros(codes, code_width))
        self.read_words = nn.Linear(config["text_width"], width)
        self.read_vector = nn.Linear(config["vector_width"], 2 * width)
        self.no_words = nn.Parameter(torch.zeros(1 + self.places, width))
        self.no_vector = nn.Parameter(torch.zeros(2 * width))
        self.prefix = 3 + self.places
        # The look of each word at each block, a table that attention would have to memorise; the layers
        # combine it with the other words.
        self.memory = nn.Embedding(config["vocabulary"], count * config["memory"])
        nn.init.zeros_(self.memory.weight)
        self.read_memory = nn.Linear(config["memory"], width, bias=False)
        nn.init.normal_(self.read_memory.weight, std=0.8)  # as loud as the neighbours' codes
        # The basis of the memory: codes of plain white, and principal axes from there.
        self.register_buffer("white", torch.zeros(count, CELLS * code_width))
        self.register_buffer("axes", torch.zeros(config["memory"], CELLS * code_width))
        self.positions = nn.Parameter(0.02 * torch.randn(self.prefix + count - 1, width))
        self.read_block = _perceptron(NEIGHBOURS * CELLS * code_width, width, out=width)
        self.layers = nn.ModuleList(Layer(width, config["heads"]) for _ in range(config["depth"]))
        self.norm = nn.LayerNorm(width)
        self.head = CellHead(width, codes, code_width)
        self.prior = Prior(config["vector_width"])

    def forward(self, codes: torch.Tensor, condition: EncodedConditioning) -> torch.Tensor:
        """Features of every code, given all codes before it; ``head.out`` turns them into logits.

        Args:
            codes: ``(B, grid, grid)`` int64.
            condition: from ``encode``.

        Returns ``(B, blocks, 4, width / 2)``, blocks and their codes row by row.
        """
        blocks = self.code_blocks(codes)
        vectors = self.codebook[blocks]  # (B, blocks, 4, code width)
        before = self.read_block(self.neighbours(rearrange(vectors, "b n c d -> b n (c d)"))[:, 1:])
        hidden = F.pad(before, (0, 0, self.prefix, 0)) + condition.places + self.positions
        for layer in self.layers:
            hidden = layer(hidden)
        return self.head(self.norm(hidden[:, self.prefix - 1 :]), vectors)

    def look_logits(self, condition: EncodedConditioning, block: int, cell: int) -> torch.Tensor:
        """Logits of the codes at one position by the words' own look: minus the squared distance, times the
        trust, ``(N, codes)``."""
        looks = condition.looks[:, block, cell] + self.white[block].view(CELLS, -1)[cell]
        return -condition.trust[:, block, cell, None] * torch.cdist(looks, self.codebook).square()

    def encode(self, conditioning: Conditioning, *, count: int) -> EncodedConditioning:
        """Encode a condition as input of the transformer, for ``count`` pictures."""
        words, vectors = self.no_words.expand(count, -1, -1), self.no_vector.expand(count, -1)
        blocks, numbers = self.blocks_a_side**2, self.read_memory.in_features
        memories = words.new_zeros(count, blocks, numbers)
        look_weight = words.new_zeros(count)
        if conditioning.words is not None:
            words = self.read_words(conditioning.words.hidden)
            tokens = conditioning.words.tokens
            looks = (self.memory(tokens) * (tokens != 0)[..., None]).sum(1)
            memories = rearrange(looks, "b (n m) -> b n m", m=numbers)
            look_weight = self._look_weight(tokens)
        if conditioning.vectors is not None:
            vectors = self.read_vector(conditioning.vectors * conditioning.vectors.shape[1] ** 0.5)
        prefix = torch.cat([rearrange(vectors, "b (n w) -> b n w", n=2), words], dim=1)
        shapes = self.read_memory(memories)
        places = F.pad(prefix, (0, 0, 0, blocks - 1)) + F.pad(shapes, (0, 0, self.prefix - 1, 0))
        looks = rearrange(memories.float() @ self.axes, "b n (c d) -> b n c d", c=CELLS)
        return EncodedConditioning(places, looks, look_weight[:, None, None] * self._inside(looks))

    def _look_weight(self, tokens: torch.Tensor) -> torch.Tensor:
        """The weight of the words' own look, ``(N,)``: less if the text moves or colours the thing."""
        says = {
            name: torch.isin(tokens, torch.tensor(getattr(self, name), device=tokens.device)).any(1)
            for name in ("elsewhere", "coloured")
        }
        return (~says["elsewhere"]).float() * torch.where(says["coloured"], COLOURED_WEIGHT, 1.0)

    def _inside(self, looks: torch.Tensor) -> torch.Tensor:
        """How much of a thing is at each code, less at its edge, where codes show background: ``(N, blocks, 4)``."""
        there = self.code_grid(1 - torch.exp(-looks.square().sum(-1) / PALE))
        padded = F.pad(there[:, None], (1, 1, 1, 1), mode="replicate")
        inner = -F.max_pool2d(-padded, 3, 1)[:, 0]
        return self.code_blocks(EDGE_WEIGHT * there + (1 - EDGE_WEIGHT) * inner)

    def neighbours(self, vectors: torch.Tensor) -> torch.Tensor:
        """Concatenate for every block the vectors of the block before, above, and above to the right.

        ``(B, blocks, D)`` to ``(B, blocks, 3 · D)``, zeros beyond the edges. So attention need not learn where the
        neighbours are.
        """
        side, count = self.blocks_a_side, vectors.shape[1]

        def shifted(by: int) -> torch.Tensor:
            return F.pad(vectors, (0, 0, by, 0))[:, :count]

        inside = torch.arange(count, device=vectors.device) % side != side - 1
        right = shifted(side - 1) * inside[:, None]
        return torch.cat([shifted(1), shifted(side), right], dim=-1)

    def code_blocks(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes ``(B, grid, grid)`` as blocks ``(B, blocks, 4)``."""
        return rearrange(codes, "b (h p) (w q) -> b (h w) (p q)", p=BLOCK, q=BLOCK)

    def code_grid(self, blocks: torch.Tensor) -> torch.Tensor:
        """Blocks ``(B, blocks, 4)`` as codes ``(B, grid, grid)``."""
        return rearrange(blocks, "b (h w) (p q) -> b (h p) (w q)", h=self.blocks_a_side, p=BLOCK, q=BLOCK)


class Layer(nn.Module):
    """One transformer layer; with a ``KeyValueCache`` it continues a sequence."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.perceptron = _perceptron(width, 4 * width, out=width)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.perceptron[2].weight)

    def forward(self, hidden: torch.Tensor, cache: "KeyValueCache | None" = None) -> torch.Tensor:
        """``(B, places, width)`` to the same shape, with causal attention."""
        mixed = self.queries_keys_values(self.attention_norm(hidden))
        queries, keys, values = rearrange(mixed, "b n (three h w) -> three b h n w", three=3, h=self.heads)
        if cache is not None:
            keys, values = cache.extended(keys, values)
        seen = F.scaled_dot_product_attention(queries, keys, values, is_causal=queries.shape[2] > 1)
        hidden = hidden + self.project(rearrange(seen, "b h n w -> b n (h w)"))
        return hidden + self.perceptron(self.norm(hidden))


class KeyValueCache:
    """The keys and values of a layer's earlier positions."""

    def __init__(self, places: int) -> None:
        self.places, self.filled = places, 0
        self.keys = self.values = torch.empty(0)

    def extended(self, keys: torch.Tensor, values: torch.Tensor):
        """Append keys and values; all up to and including these."""
        if not self.filled:
            shape = (*keys.shape[:2], self.places, keys.shape[3])
            self.keys, self.values = keys.new_empty(shape), values.new_empty(shape)
        end = self.filled + keys.shape[2]
        self.keys[:, :, self.filled : end] = keys
        self.values[:, :, self.filled : end] = values
        self.filled = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class CellHead(nn.Module):
    """Predicts the four codes of a block, one after the other."""

    def __init__(self, width: int, codes: int, code_width: int) -> None:
        super().__init__()
        self.cells = nn.Parameter(0.02 * torch.randn(CELLS, width))
        self.read = nn.Linear((CELLS - 1) * code_width, width, bias=False)
        self.perceptrons = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), *_perceptron(width, 2 * width, out=width)) for _ in range(2)
        )
        self.norm = nn.LayerNorm(width)
        self.reduce = nn.Linear(width, width // 2)
        self.out = nn.Linear(width // 2, codes)

    def forward(self, hidden: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """Hidden ``(B, N, width)`` and the true codes' vectors ``(B, N, 4, code width)`` to features
        for ``out``, ``(B, N, 4, width / 2)``."""
        return torch.stack([self.cell(hidden, vectors[:, :, :cell], cell) for cell in range(CELLS)], dim=2)

    def cell(self, hidden: torch.Tensor, before: torch.Tensor, cell: int) -> torch.Tensor:
        """Features of one code of each block, ``(B, N, width / 2)``, given the codes before it in the block,
        ``(B, N, cell, code width)``."""
        known = F.pad(
            rearrange(before, "b n c d -> b n (c d)"), (0, self.read.in_features - cell * before.shape[3])
        )
        hidden = hidden + self.cells[cell] + self.read(known)
        for perceptron in self.perceptrons:
            hidden = hidden + perceptron(hidden)
        return self.reduce(self.norm(hidden))


class Prior(nn.Module):
    """Predicts the CLIP vector of a picture from that of its text: the two lie in different parts of the sphere.
    DALL-E 2's prior (arXiv 2204.06125) as a plain regression."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), *_perceptron(width, 4 * width, out=width)) for _ in range(2)
        )

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        """Unit vectors ``(B, D)`` to unit vectors ``(B, D)``."""
        hidden = texts * texts.shape[1] ** 0.5
        for step in self.steps:
            hidden = hidden + step(hidden)
        return F.normalize(hidden, dim=-1)


def _perceptron(width: int, inner: int, *, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, out))

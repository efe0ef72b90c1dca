"""Read DALL·E mini's published files: its tokenizer, and its weights under ``DalleBart``'s names.

The tokenizer is a byte pair encoding (arXiv 1508.07909) of GPT-2's kind for English captions: texts are normalised
to plain letters, digits and commas first. min-dalle keeps the weights in two files of torch; dalle-mini in one of
Flax, where the layers of each tower are stacked in one array per parameter, or separate. Norms without a scale have
no weights.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import torch

from pixgen.errors import ModelError
from pixgen.models.checkpoints.flax import read_flax
from pixgen.models.checkpoints.reading import read_weights
from pixgen.models.store import Files

_SPACE = "Ġ"  # a space in the vocabulary
_PIECES = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[a-z]+| ?[0-9]+| ?[^\sa-z0-9]+|\s+")
_SPECIAL_TOKENS = ("<s>", "</s>", "<pad>", "<unk>")
# How the training captions were normalised, in this order.
_PLAIN_PUNCTUATION = str.maketrans(
    dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚", "'") | dict.fromkeys("–—−", "-")
)
_NORMALISATIONS = (
    (r"(?<=\d),(?=\d{3}\b)", ""),  # 1,000 is one number
    (r"(?<=\w)-(?=\w)", " "),
    (r"([%&/$*])", r" \1 "),
    (r"[_#\\]", " "),
    (r"'(?!(?:[stdm]|ll|re|ve)\b)|[\"`]", ' " '),  # other quotes than in “it's”
    (r"(?<!\w)\.|\.(?!\w)|[()\[\],|:;?!=+~{}]|(?<!\w)-|-(?!\w)", ","),  # a dot within 2.5 stays
    (r"(\D)\1{3,}", r"\1"),
    (r'(?:\s*")+\s*', ' " '),
    (r"(?:\s*,)+\s*", ", "),
    (r"\s+", " "),
)


def normalise_text(text: str) -> str:
    """A text as the training captions were normalised: lower-case ASCII, with commas for other punctuation."""
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN_PUNCTUATION))
    plain = plain.encode("ascii", "ignore").decode().lower()
    for pattern, instead in _NORMALISATIONS:
        plain = re.sub(pattern, instead, plain)
    return plain.strip(" ,")


class BytePairs:
    """A byte pair tokenizer from the two files of its model.

    Args:
        vocabulary: token ids by their text, from ``vocab.json``.
        merges: lines of two parts each, in order of priority, from ``merges.txt``.

    Raises ModelError if a special token is missing.
    """

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[str]) -> None:
        if missing := [mark for mark in _SPECIAL_TOKENS if mark not in vocabulary]:
            raise ModelError(
                "The vocabulary has no {missing}: download vocab.json again.", missing=missing[0]
            )
        self._tokens = dict(vocabulary)
        pairs = [tuple(line.split()) for line in merges if line and not line.startswith("#version")]
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self._begin, self._end, self.padding, self._unknown = (vocabulary[mark] for mark in _SPECIAL_TOKENS)
        self._cut = lru_cache(maxsize=10_000)(self._joined)

    def encode(self, text: str, *, places: int) -> list[int]:
        """A text's token ids between start and end, cut or padded to ``places``."""
        plain = normalise_text(text)
        parts = [
            part
            for piece in _PIECES.findall(f" {plain}" if plain else "")
            for part in self._cut(piece.replace(" ", _SPACE))
        ]
        tokens = [self._tokens.get(part, self._unknown) for part in parts][: places - 2]
        marked = [self._begin, *tokens, self._end]
        return marked + [self.padding] * (places - len(marked))

    def _joined(self, piece: str) -> tuple[str, ...]:
        """Merge a piece's letters, always the pair that comes first in the merges, until none is left."""
        parts = list(piece)
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:], strict=False))
            first = min(pairs, key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if first not in self._ranks:
                break
            joined, index = [], 0
            while index < len(parts):
                both = tuple(parts[index : index + 2]) == first
                joined.append("".join(first) if both else parts[index])
                index += 2 if both else 1
            parts = joined
        return tuple(parts)


Weights = dict[str, torch.Tensor]

TOWERS = ("encoder", "decoder")
VOCABULARY_FILES = {
    "words.vocabulary": "vocab.json",
    "words.merges": "merges.txt",
}  # stored beside the weights
# Norms with a bias alone: their scale is 1 and in no file.
_NORM_BIASES = re.compile(
    r"(final_ln|pre_self_attn_layer_norm|pre_encoder_attn_layer_norm|glu\.ln[01])\.bias$"
)
_FLAX = (
    (r"^model\.", ""),
    (r"^lm_head\.", "decoder.lm_head."),
    (r"\.FlaxBart(?:En|De)coderLayer_(\d+)\.", r".\1."),
    (r"\.FlaxBart(?:En|De)coderLayers\.", ".all."),
    (r"\.GLU_0\.LayerNorm_", ".glu.ln"),
    (r"\.GLU_0\.Dense_", ".glu.fc"),
    (r"\.FlaxBartAttention_0\.", ".self_attn."),
    (r"\.FlaxBartAttention_1\.", ".encoder_attn."),
    (r"\.LayerNorm_0\.", ".pre_self_attn_layer_norm."),
    (r"\.LayerNorm_1\.", ".self_attn_layer_norm."),
    (r"\.LayerNorm_2\.", ".pre_encoder_attn_layer_norm."),
    (r"\.LayerNorm_3\.", ".encoder_attn_layer_norm."),
)


def read_dalle(files: Files) -> Weights:
    """The weights in ``encoder.pt`` and ``decoder.pt``, or in ``flax_model.msgpack``.

    Raises ModelError if a file is missing, broken or refused.
    """
    if "flax_model.msgpack" in files:
        return fill_norms(from_flax(read_flax(files["flax_model.msgpack"])))
    weights = {}
    for half in TOWERS:
        found = read_weights(_find(files, f"{half}.pt"))
        weights |= {f"{half}.{name}": tensor for name, tensor in found.items()}
    return fill_norms(weights)


def pack_vocabulary(files: Files) -> Weights:
    """``vocab.json`` and ``merges.txt`` as tensors of bytes, to store beside the weights. Raises ModelError if one
    is missing or broken."""
    packed = {}
    for name, file in VOCABULARY_FILES.items():
        data = _find(files, file).read_bytes()
        packed[name] = torch.frombuffer(bytearray(data or b" "), dtype=torch.uint8)
    read_vocabulary(packed)
    return packed


def read_vocabulary(weights: Mapping[str, torch.Tensor]) -> BytePairs:
    """The tokenizer stored beside the weights. Raises ModelError if it is missing or broken."""
    texts = {}
    try:
        for name in VOCABULARY_FILES:
            texts[name] = weights[name].numpy().tobytes().decode()
        vocabulary, merges = json.loads(texts["words.vocabulary"]), texts["words.merges"]
        if not all(type(token) is int for token in vocabulary.values()):
            raise ValueError("tokens are whole numbers")
        return BytePairs(vocabulary, merges.splitlines())
    except (KeyError, ValueError, AttributeError) as error:
        raise ModelError(
            "The vocabulary of this model is missing or broken: download {files} again.",
            files=" and ".join(VOCABULARY_FILES.values()),
        ) from error


def _find(files: Files, name: str) -> Path:
    """A file by its name, which may end in ``_mini``. Raises ModelError if it is missing."""
    stem, _, suffix = name.rpartition(".")
    found = files.get(name) or files.get(f"{stem}_mini.{suffix}")
    if found is None:
        if not files:
            raise ModelError("{name} is missing: download its model again.", name=name)
        raise ModelError(
            "{name} is missing from {folder}: put it there, or remove the other files too.",
            name=name,
            folder=next(iter(files.values())).parent,
        )
    return found


def fill_norms(weights: Mapping[str, torch.Tensor]) -> Weights:
    """The weights with ones as the scale of norms that have none."""
    found = dict(weights)
    for name, tensor in weights.items():
        if _NORM_BIASES.search(name):
            found.setdefault(f"{name.removesuffix('bias')}weight", torch.ones_like(tensor))
    return found


def from_flax(weights: Mapping[str, torch.Tensor]) -> Weights:
    """dalle-mini's own checkpoint under min-dalle's names."""
    found = {}
    for name, tensor in weights.items():
        for pattern, spelling in _FLAX:
            name = re.sub(pattern, spelling, name)
        name, _, part = name.rpartition(".")
        if part == "kernel" and tensor.ndim > 1:
            tensor = tensor.transpose(-1, -2)
        name = f"{name}.{'bias' if part == 'bias' else 'weight'}"
        if ".all." in name and tensor.ndim:
            found |= {name.replace(".all.", f".{layer}."): each for layer, each in enumerate(tensor)}
        else:
            found[name] = tensor
    return found

"""Words as DALL·E mini reads them: tidied as its captions were, and cut into byte pairs.

The pairs are GPT-2's kind (byte pair encoding, arXiv 1508.07909), of English captions alone: a text comes
down to plain letters, digits and commas first.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from pixgen.errors import ModelError

_SPACE = "Ġ"  # how the vocabulary writes one
_PIECES = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[a-z]+| ?[0-9]+| ?[^\sa-z0-9]+|\s+")
_MARKS = ("<s>", "</s>", "<pad>", "<unk>")
# What captions looked like in training, in the order in which it is done.
_SIGNS = str.maketrans(
    dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚", "'") | dict.fromkeys("–—−", "-")
)
_TIDIED = (
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


def tidied(text: str) -> str:
    """A text as its captions were written: small letters of ASCII, and commas for what else divides."""
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    plain = plain.encode("ascii", "ignore").decode().lower()
    for pattern, instead in _TIDIED:
        plain = re.sub(pattern, instead, plain)
    return plain.strip(" ,")


class BytePairs:
    """A tokenizer from the two files that come with its model.

    Args:
        vocabulary: tokens by what they stand for, ``vocab.json``.
        merges: lines of two parts each, the earliest joined first, ``merges.txt``.

    Raises ModelError if one of its marks is missing.
    """

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[str]) -> None:
        if missing := [mark for mark in _MARKS if mark not in vocabulary]:
            raise ModelError(
                "The vocabulary has no {missing}: fetch vocab.json again.", missing=missing[0]
            )
        self._tokens = dict(vocabulary)
        pairs = [tuple(line.split()) for line in merges if line and not line.startswith("#version")]
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self._begin, self._end, self.padding, self._unknown = (vocabulary[mark] for mark in _MARKS)
        self._cut = lru_cache(maxsize=10_000)(self._joined)

    def encode(self, text: str, *, places: int) -> list[int]:
        """A text's tokens between its two marks, cut or filled up to ``places``."""
        plain = tidied(text)
        parts = [
            part
            for piece in _PIECES.findall(f" {plain}" if plain else "")
            for part in self._cut(piece.replace(" ", _SPACE))
        ]
        tokens = [self._tokens.get(part, self._unknown) for part in parts][: places - 2]
        marked = [self._begin, *tokens, self._end]
        return marked + [self.padding] * (places - len(marked))

    def _joined(self, piece: str) -> tuple[str, ...]:
        """A piece's letters, the pair that comes first in the merges joined until none is left."""
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

"""What each word looks like, where: how the sketcher's memory begins.

Every thing is drawn alone on white in a plain hand. Of each block of its codes, what differs from white
is reduced to a few numbers (principal components); and by ridge regression every token gets its share, so
that the tokens of a name add up to how the thing looks. Names that a thing has beside its own count less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange

from pixgen.models.sketchers.pocket import BLOCK
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import WHITE, CanonicalStyle
from pixgen.training.compose.composer import Composer
from pixgen.training.compose.compositions import Composition
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.phrases import FILLERS, FILTERS, LARGE, MEDIA, PATTERNS, SMALL, STYLES
from pixgen.training.compose.places import SETTINGS
from pixgen.training.models.loop import half

ONE_WORD, OTHER_NAME = (
    10.0,
    0.15,
)  # how much such a name counts beside a longer one of the thing's own
RIDGE = 0.02
# Words of captions that say where, in which colour and in which hand: they have no look of their own.
KEPT = {"house", "flower"}
SILENT = {
    word
    for phrases in (
        COLOURS,
        MEDIA,
        FILLERS,
        PATTERNS,
        *STYLES.values(),
        *FILTERS.values(),
        *(told for _, *both in SETTINGS.values() for told in both),
        ("of with and to for at by from the a an no not",),
    )
    for phrase in phrases
    for word in phrase.split()
} - KEPT
# Words by which things stand elsewhere, are several or of another size, or are drawn in a hand that
# changes their colours: the look of a thing alone, large and in its own colours would be wrong.
ELSEWHERE = {
    "and", "next", "above", "left", "right", "top", "bottom", "two", "three", *SMALL, *LARGE,
    "grey", "sepia", "vintage", "pencil", "sketch", "neon", "silhouette", "shadow", "line", "outlined",
}  # fmt: skip


def telling_tokens(encode: Callable[[str], Sequence[int]]) -> dict[str, list[int]]:
    """For the sketcher's config: the tokens of words in ``ELSEWHERE``, and of colours."""
    words = {
        "elsewhere": ELSEWHERE,
        "coloured": {part for name in COLOURS for part in name.split()},
    }
    return {name: sorted({token for word in said for token in encode(word)}) for name, said in words.items()}


@dataclass(frozen=True)
class Looks:
    """Of every token its numbers ``(vocabulary, blocks * numbers)``, zeros of those in no name; what they
    mean: the codes of white ``(blocks, D)``, and the axes ``(numbers, D)`` away from it."""

    words: torch.Tensor
    white: torch.Tensor
    axes: torch.Tensor


@torch.no_grad()
def looks_of_words(
    composer: Composer,
    hand: CanonicalStyle,
    vqgan: Vqgan,
    *,
    codes: Callable[[torch.Tensor], torch.Tensor],
    encode: Callable[[str], Sequence[int]],
    vocabulary: int,
    numbers: int,
) -> Looks:
    """The looks of all tokens.

    Args:
        codes: from latents ``(B, width, h, w)`` to codes ``(B, h, w)``.
        encode: from a text to its tokens.
        vocabulary: how many tokens there are.
        numbers: how many numbers a block of a token has.
    """
    portraits = hand.portraits()
    drawn = [Composition(WHITE, ()), *portraits.values()]
    blocks = []
    for start in range(0, len(drawn), 32):
        pictures = composer.draw(drawn[start : start + 32]).to(vqgan.codebook.device)
        with half(pictures.device):
            latents = vqgan.encode(pictures).float()
        blocks.append(
            rearrange(vqgan.lookup(codes(latents)), "b d (h p) (w q) -> b (h w) (p q d)", p=BLOCK, q=BLOCK)
        )
    white, *shown = torch.cat(blocks).cpu()
    differences = torch.stack(shown) - white  # (things, blocks, 4 * code width)
    numbers_of, axes = _principal(differences.flatten(0, 1), numbers)
    words = _shared_out(
        rearrange(numbers_of, "(t n) m -> t (n m)", t=len(portraits)),
        _names(composer.table, list(portraits)),
        encode,
        vocabulary,
    )
    return Looks(words, white, axes)


def _principal(rows: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows ``(N, D)`` as ``count`` numbers of unit variance each, and the axes ``(count, D)`` that they
    are along: the principal ones through zero."""
    axes = torch.linalg.eigh(rows.T @ rows).eigenvectors[:, -count:]
    along = rows @ axes
    spread = along.std(0).clamp(min=1e-6)
    return along / spread, (axes * spread).T


def _names(table: Sequence[dict], things: Sequence[str]) -> list[tuple[int, str, float]]:
    """Each thing's place in ``things``, its name or another one, and how much that counts."""
    others: dict[str, set[str]] = {thing: set() for thing in things}
    for record in table:
        others.get(record["thing"], set()).update(record["names"])
    return [
        (place, name, OTHER_NAME if name != thing else 1.0 if " " in name else ONE_WORD)
        for place, thing in enumerate(things)
        for name in (thing, *sorted(others[thing] - {thing}))
    ]


def _shared_out(
    looks: torch.Tensor,
    names: Sequence[tuple[int, str, float]],
    encode: Callable[[str], Sequence[int]],
    vocabulary: int,
) -> torch.Tensor:
    """Looks of things ``(things, D)`` as looks of tokens ``(vocabulary, D)``, by least squares."""
    told = torch.zeros(len(names), vocabulary)
    for row, (_, name, _) in enumerate(names):
        told[row, list(encode(name))] = 1.0
    # By token, not by word: “chequered” ends with the token of “red”.
    told[:, [token for word in SILENT for token in encode(word)]] = 0.0
    used = told.any(0).nonzero()[:, 0]
    weights = torch.tensor([weight for *_, weight in names])[:, None]
    told = told[:, used]
    wanted = looks[torch.tensor([place for place, *_ in names])]
    normal = told.T @ (weights * told) + RIDGE * torch.eye(len(used))
    found = torch.zeros(vocabulary, looks.shape[1])
    found[used] = torch.linalg.solve(normal, told.T @ (weights * wanted))
    return found

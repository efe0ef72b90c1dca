"""The appearance of each word at each position: the initial memory of the sketch model.

Every thing is drawn alone on white in the canonical style. For each block of its codes, the difference from white is
reduced to a few numbers (principal components). Ridge regression then gives every token a share, so that the tokens
of a name add up to the look of the thing. Other names of a thing count less than its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange

from pixgen.models.sketchers.pocket import BLOCK
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.canonical_style import WHITE, CanonicalStyle
from pixgen.training.compose.captions import FILLERS, FILTERS, LARGE, MEDIA, PATTERNS, SMALL, STYLES
from pixgen.training.compose.composer import Composer, Composition
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import SETTINGS
from pixgen.training.models.loop import half_autocast

ONE_WORD, OTHER_NAME = (
    10.0,
    0.15,
)  # how much such a name counts beside a longer one of the thing's own
RIDGE = 0.02
# Words of captions that say where, in which colour and in which style: they look like nothing themselves.
THING_WORDS = {"house", "flower"}
NEUTRAL_WORDS = {
    word
    for phrases in (
        COLOURS,
        MEDIA,
        FILLERS,
        PATTERNS,
        *STYLES.values(),
        *FILTERS.values(),
        *(phrase for _, *both in SETTINGS.values() for phrase in both),
        ("of with and to for at by from the a an no not",),
    )
    for phrase in phrases
    for word in phrase.split()
} - THING_WORDS
# Words by which things stand elsewhere, are several or of another size, or are drawn in a style that
# changes their colours: the look of a thing alone, large and in its own colours would be wrong.
ELSEWHERE = {
    "and", "next", "above", "left", "right", "top", "bottom", "two", "three", *SMALL, *LARGE,
    "grey", "sepia", "vintage", "pencil", "sketch", "neon", "silhouette", "shadow", "line", "outlined",
}  # fmt: skip


def config_tokens(encode: Callable[[str], Sequence[int]]) -> dict[str, list[int]]:
    """For the sketcher's config: the tokens of words in ``ELSEWHERE``, and of colours."""
    words = {
        "elsewhere": ELSEWHERE,
        "coloured": {part for name in COLOURS for part in name.split()},
    }
    return {name: sorted({token for word in said for token in encode(word)}) for name, said in words.items()}


@dataclass(frozen=True)
class WordAppearance:
    """The appearance of every token as numbers ``(vocabulary, blocks * numbers)``, zeros for tokens in no
    name; and their meaning: the codes of white ``(blocks, D)``, and the axes ``(numbers, D)`` away from
    it."""

    words: torch.Tensor
    white: torch.Tensor
    axes: torch.Tensor


@torch.no_grad()
def fit_word_appearance(
    composer: Composer,
    canonical: CanonicalStyle,
    vqgan: Vqgan,
    *,
    codes: Callable[[torch.Tensor], torch.Tensor],
    encode: Callable[[str], Sequence[int]],
    vocabulary: int,
    numbers: int,
) -> WordAppearance:
    """The appearance of all tokens.

    Args:
        codes: from latents ``(B, width, h, w)`` to codes ``(B, h, w)``.
        encode: from a text to its tokens.
        vocabulary: how many tokens there are.
        numbers: how many numbers a block of a token has.
    """
    exemplars = canonical.exemplars()
    drawn = [Composition(WHITE, ()), *exemplars.values()]
    blocks = []
    for start in range(0, len(drawn), 32):
        pictures = composer.draw(drawn[start : start + 32]).to(vqgan.codebook.device)
        with half_autocast(pictures.device):
            latents = vqgan.encode(pictures).float()
        blocks.append(
            rearrange(vqgan.lookup(codes(latents)), "b d (h p) (w q) -> b (h w) (p q d)", p=BLOCK, q=BLOCK)
        )
    white, *shown = torch.cat(blocks).cpu()
    differences = torch.stack(shown) - white  # (things, blocks, 4 * code width)
    numbers_of, axes = _principal_components(differences.flatten(0, 1), numbers)
    words = _solve_for_tokens(
        rearrange(numbers_of, "(t n) m -> t (n m)", t=len(exemplars)),
        _names(composer.table, list(exemplars)),
        encode,
        vocabulary,
    )
    return WordAppearance(words, white, axes)


def _principal_components(rows: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Principal components of rows ``(N, D)`` through zero: ``count`` numbers of unit variance for each row,
    and the axes ``(count, D)``."""
    axes = torch.linalg.eigh(rows.T @ rows).eigenvectors[:, -count:]
    along = rows @ axes
    spread = along.std(0).clamp(min=1e-6)
    return along / spread, (axes * spread).T


def _names(table: Sequence[dict], things: Sequence[str]) -> list[tuple[int, str, float]]:
    """The index of each thing in ``things``, one of its names, and the weight of that name."""
    others: dict[str, set[str]] = {thing: set() for thing in things}
    for record in table:
        others.get(record["thing"], set()).update(record["names"])
    return [
        (place, name, OTHER_NAME if name != thing else 1.0 if " " in name else ONE_WORD)
        for place, thing in enumerate(things)
        for name in (thing, *sorted(others[thing] - {thing}))
    ]


def _solve_for_tokens(
    looks: torch.Tensor,
    names: Sequence[tuple[int, str, float]],
    encode: Callable[[str], Sequence[int]],
    vocabulary: int,
) -> torch.Tensor:
    """The appearance of tokens ``(vocabulary, D)`` from that of things ``(things, D)``, by least squares."""
    presence = torch.zeros(len(names), vocabulary)
    for row, (_, name, _) in enumerate(names):
        presence[row, list(encode(name))] = 1.0
    # By token, not by word: “chequered” ends with the token of “red”.
    presence[:, [token for word in NEUTRAL_WORDS for token in encode(word)]] = 0.0
    used = presence.any(0).nonzero()[:, 0]
    weights = torch.tensor([weight for *_, weight in names])[:, None]
    presence = presence[:, used]
    wanted = looks[torch.tensor([place for place, *_ in names])]
    normal = presence.T @ (weights * presence) + RIDGE * torch.eye(len(used))
    found = torch.zeros(vocabulary, looks.shape[1])
    found[used] = torch.linalg.solve(normal, presence.T @ (weights * wanted))
    return found

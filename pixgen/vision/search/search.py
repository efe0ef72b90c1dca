"""Find the pictures nearest to a query, with near duplicates grouped."""

from dataclasses import dataclass

import numpy as np

from pixgen.errors import SearchError
from pixgen.vision.search.collection import Collection, Row
from pixgen.vision.search.filters import EVERYTHING, Filter

MOST_HITS = 1000  # results at once
DUPLICATE = 0.985  # cosine from which two pictures count as one, rescaled or recompressed
_CANDIDATES_PER_HIT = 2  # so that enough hits are left after grouping duplicates


@dataclass(frozen=True)
class Hit:
    """A result: the picture's facts, its cosine with the query, and its near duplicates."""

    row: Row
    similarity: float  # the cosine
    copies: tuple[Row, ...] = ()


def find_nearest(
    collection: Collection, vector: np.ndarray, *, top: int = 20, threshold: float = -1.0,
    only: Filter = EVERYTHING, fold: bool = True, exact: bool = False, without: str = "",
) -> list[Hit]:  # fmt: skip
    """The ``top`` pictures nearest to a query's unit vector ``(D,)``, best first.

    Args:
        threshold: the minimum cosine.
        only: a filter of the pictures.
        fold: group near duplicates into one hit with ``copies``.
        exact: compare every picture even if there is an approximate index.
        without: the path of a picture to leave out, because it is the query.

    Raises SearchError.
    """
    if not 1 <= top <= MOST_HITS:
        raise SearchError("A search shows from 1 to {limit} pictures: choose how many.", limit=MOST_HITS)
    if not -1 <= threshold <= 1:
        raise SearchError("The threshold is a cosine: choose it from -1 to 1.")
    wanted = top + bool(without)
    while True:
        asked = wanted * _CANDIDATES_PER_HIT if fold else wanted
        nearest = collection.nearest(vector, top=asked, only=only, exact=exact)
        hits = _fold_duplicates([each for each in nearest if each[0].path != without], fold=fold)
        # Many duplicates can use up the candidates: fetch more until there are enough or no more.
        if len(hits) >= top or len(nearest) < asked or asked >= 16 * MOST_HITS:
            break
        wanted *= 2
    return [hit for hit in hits if hit.similarity >= threshold][:top]


def _fold_duplicates(nearest: list[tuple[Row, float, np.ndarray]], *, fold: bool) -> list[Hit]:
    """Hits in order; each absorbs its near duplicates that follow."""
    hits: list[Hit] = []
    if not nearest:
        return hits
    shown = np.empty((len(nearest), len(nearest[0][2])), np.float32)
    for row, score, vector in nearest:
        if fold and hits:
            similarities = shown[: len(hits)] @ vector
            best = int(similarities.argmax())
            if similarities[best] >= DUPLICATE:
                hit = hits[best]
                hits[best] = Hit(hit.row, hit.similarity, (*hit.copies, row))
                continue
        shown[len(hits)] = vector
        hits.append(Hit(row, score))
    return hits

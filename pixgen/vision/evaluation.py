"""How often the answers are right, where the pictures lie in folders that are named by their label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixgen.vision.looking import Result

NONE = "none of these"


@dataclass(frozen=True)
class Evaluation:
    """Counts of pictures, by their folder's label (rows) and by the answer (columns, the last one for
    none of these). ``unknown`` pictures lie in folders that no label is named as, and are not counted."""

    labels: tuple[str, ...]
    counts: np.ndarray  # (L, L + 1) int64
    unknown: int = 0

    @property
    def total(self) -> int:
        """How many pictures were counted."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Which part of all pictures got its folder's label."""
        return float(np.trace(self.counts)) / self.total

    def per_label(self) -> list[tuple[str, int, int]]:
        """``(label, right, pictures)`` of every label that has pictures."""
        totals = self.counts.sum(axis=1)
        return [
            (label, int(self.counts[place, place]), int(totals[place]))
            for place, label in enumerate(self.labels)
            if totals[place]
        ]

    def seen(self) -> "Evaluation":
        """The same with only those labels that a picture has or was given."""
        used = np.flatnonzero(self.counts.sum(axis=1) + self.counts[:, :-1].sum(axis=0))
        counts = self.counts[np.ix_(used, [*used, len(self.labels)])]
        return Evaluation(tuple(self.labels[place] for place in used), counts, self.unknown)


def evaluate(results: Sequence[Result], labels: Sequence[str]) -> Evaluation | None:
    """Compare the best answer of each picture with its folder; None if no folder is named as a label.

    Folders are compared without regard to case, and with ``_`` and ``-`` as spaces.
    """
    places = {plain(label): place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels) + 1), dtype=np.int64)
    unknown = 0
    for result in results:
        if result.answer is None or not result.label:
            continue
        row = places.get(plain(result.label))
        if row is None:
            unknown += 1
            continue
        found = result.answer.found
        counts[row, places[plain(found[0])] if found else len(labels)] += 1
    return Evaluation(tuple(labels), counts, unknown) if counts.any() else None


def plain(label: str) -> str:
    """A label as folders are compared with it."""
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()

"""Zero-shot classification: score labels for pictures by CLIP, one label or several, or none of them.

A probability only says which label is better than the others, so the cosine is reported with it; “none of these” can
be the answer; and labels that the model cannot distinguish are reported.
"""

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from pixgen.errors import ClassifyError
from pixgen.translation import needs_english, translate
from pixgen.vision.zeroshot.embeddings import DeviceTurn, LabelEmbeddings
from pixgen.vision.zeroshot.labels import PLACEHOLDER

if TYPE_CHECKING:
    from pixgen.models import Perceptor

# Alternatives to the labels. CLIP reads “no cat” as a cat, so the negation of a label is the nearest of
# these: over drawings of twenty things, right labels came before wrong ones in 85 % of all pairs
# with them, and in 69 % with “no {}”.
ANYTHING_ELSE = (
    "thing", "object", "pattern", "shape", "background", "text", "plain colour", "something else",
    "animal", "plant", "person", "building", "vehicle", "food", "tool", "piece of clothing", "landscape",
)  # fmt: skip
SAME_LABEL = 0.97  # cosine from which the model cannot distinguish two labels
CLOSE_RATIO = 1.25  # a label at most this many times as probable as the next is no better
LIKELY_FROM = 0.5  # probability from which a label counts, if several may be right


@dataclass(frozen=True, kw_only=True)
class Question:
    """Labels, templates and rules for classifying every picture.

    ``several`` judges every label on its own; else exactly one is chosen. With ``none_below``, the answer is none of
    these if the best cosine is less; with ``or_else``, if something else fits better. ``temperature`` divides the
    cosines, in place of the model's own.
    """

    labels: tuple[str, ...]
    templates: tuple[str, ...] = (PLACEHOLDER,)
    several: bool = False
    none_below: float | None = None
    or_else: bool = False
    temperature: float | None = None

    def __post_init__(self) -> None:
        if not self.labels:
            raise ClassifyError("There are no labels: write some, for example “cat, dog, bird”.")
        if self.none_below is not None and not -1 <= self.none_below <= 1:
            raise ClassifyError(
                "The threshold for “none of these” must be a cosine from -1 to 1, for example 0.2."
            )
        if self.temperature is not None and not 1e-4 <= self.temperature <= 100:
            raise ClassifyError("The temperature must be from 0.0001 to 100, for example 0.01.")


@dataclass(frozen=True)
class Score:
    """One label's share: its probability in [0, 1] and its cosine with the picture."""

    label: str
    probability: float
    cosine: float


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer for a picture. ``found`` are the chosen labels, best first; empty means none of these. ``none`` is
    the probability of something else, if the question asks for it; ``close`` are two labels too close to call."""

    labels: tuple[str, ...]
    cosines: np.ndarray  # (L,)
    probabilities: np.ndarray  # (L,)
    found: tuple[str, ...]
    none: float | None = None
    close: tuple[str, str] | None = None

    def top(self, count: int) -> list[Score]:
        """The ``count`` best labels, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [self.score(self.labels[place]) for place in order]

    def score(self, label: str) -> Score:
        """The score of one label."""
        place = self.labels.index(label)
        return Score(label, float(self.probabilities[place]), float(self.cosines[place]))


class Classifier:
    """Answers one question about the vectors of pictures; made by ``make_classifier``."""

    def __init__(
        self,
        question: Question,
        vectors: torch.Tensor,
        *,
        scale: float,
        bias: float | None = None,
        others: torch.Tensor | None = None,
    ) -> None:
        self.question, self.vectors = question, vectors  # (L, D)
        self._scale, self._bias, self._others = scale, bias, others  # others: (B, D)

    def answers(self, pictures: torch.Tensor) -> list[Answer]:
        """An answer for each unit vector of ``(N, D)``."""
        cosines = pictures @ self.vectors.T  # (N, L)
        other = None if self._others is None else (pictures @ self._others.T).max(1).values  # (N,)
        probabilities, none = self._probabilities(cosines, other)
        return [
            self._answer(cosine.numpy(), share.numpy(), None if none is None else float(none[place]))
            for place, (cosine, share) in enumerate(zip(cosines, probabilities, strict=True))
        ]

    def similar_labels(self, most: int = 3) -> list[tuple[str, str, float]]:
        """Pairs of labels that the model cannot distinguish, with their cosine, most similar first."""
        close = torch.triu(self.vectors @ self.vectors.T, diagonal=1)
        flat = close.flatten().topk(min(most, close.numel()))
        return [
            (
                self.question.labels[place // len(close)],
                self.question.labels[place % len(close)],
                value,
            )
            for value, place in zip(flat.values.tolist(), flat.indices.tolist(), strict=True)
            if value >= SAME_LABEL
        ]

    def _probabilities(
        self, cosines: torch.Tensor, other: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Probabilities ``(N, L)``, and ``(N,)`` of something else if it is an alternative."""
        if self.question.several:
            # A model trained with sigmoids (SigLIP) has a bias, and needs no alternatives.
            if self._bias is not None:
                return torch.sigmoid(self._scale * cosines + self._bias), None
            assert other is not None  # as make_classifier sees to
            return torch.sigmoid(self._scale * cosines - self._scale * other[:, None]), None
        if other is None:
            return torch.softmax(self._scale * cosines, dim=1), None
        shares = torch.softmax(self._scale * torch.cat([cosines, other[:, None]], dim=1), dim=1)
        return shares[:, :-1], shares[:, -1]

    def _answer(self, cosines: np.ndarray, shares: np.ndarray, none: float | None) -> Answer:
        question, labels = self.question, self.question.labels
        order = np.argsort(-shares, kind="stable")
        if question.several:
            found = [place for place in order if shares[place] >= LIKELY_FROM]
        else:
            found = [order[0]] if none is None or shares[order[0]] >= none else []
        if question.none_below is not None:
            found = [place for place in found if cosines[place] >= question.none_below]
        close = None
        if found and not question.several and len(order) > 1:
            first, second = order[:2]
            if shares[first] <= CLOSE_RATIO * shares[second]:
                close = (labels[first], labels[second])
        return Answer(labels, cosines, shares, tuple(labels[place] for place in found), none, close)


def make_classifier(
    perceptor: "Perceptor",
    question: Question,
    *,
    model: tuple[str, ...] = ("",),
    embeddings: LabelEmbeddings | None = None,
    turn: DeviceTurn = nullcontext,
    stopped: Callable[[], bool] = lambda: False,
) -> Classifier | None:
    """Embed a question's labels and make its classifier; None if that was stopped.

    Args:
        model, embeddings: the perceptor's name, and the cache of label embeddings.
        turn: waits for a turn on the device, for each batch of texts.
    """
    embeddings = embeddings or LabelEmbeddings()
    embed = partial(
        embeddings.vectors,
        perceptor,
        model=model,
        templates=question.templates,
        turn=turn,
        stopped=stopped,
    )
    labels = [english_label(label) for label in question.labels] if needs_english(model) else question.labels
    vectors = embed(labels)
    scale, bias = perceptor.logit_scale, perceptor.logit_bias
    others = None
    if question.or_else or (question.several and bias is None):
        named = {label.casefold() for label in question.labels}
        rest = [each for each in ANYTHING_ELSE if each not in named]
        others = embed(rest)
        if others is None:
            return None
    if vectors is None:
        return None
    if question.temperature is not None:
        scale = 1 / question.temperature
    return Classifier(question, vectors, scale=scale, bias=bias, others=others)


def english_label(label: str) -> str:
    """A label in another language in English, for the bundled CLIP; others as they are."""
    found = translate(label)
    return re.sub(r"^an? ", "", found.text) if found else label

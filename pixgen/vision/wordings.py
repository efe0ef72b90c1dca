"""Labels as a perceptor's vectors: the mean of each label's templates, computed once and kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import reduce

from pixgen.vision.kept import PROBE, Kept
from pixgen.vision.templates import fill

if TYPE_CHECKING:
    from pixgen.models import Perceptor

Turn = Callable[[], AbstractContextManager]

_AT_ONCE = 256  # texts that the model reads at once
_TABLES = 32  # of a model with its templates; the longest unused ones go
_MOST_KEPT = 20_000  # labels in one table: 20 MB at 256 numbers each
_WORTH_KEEPING = 512  # texts that were read: fewer are read again sooner than found on the disk


@torch.no_grad()
def embed_labels(
    perceptor: "Perceptor", labels: Sequence[str], *, templates: Sequence[str],
    turn: Turn = nullcontext, stopped: Callable[[], bool] = lambda: False,
) -> torch.Tensor:  # fmt: skip
    """Unit vectors ``(L, D)`` of L labels: each the mean of its templates' unit vectors, made a unit
    vector again. The zero-shot classifier of CLIP, https://arxiv.org/abs/2103.00020.

    Args:
        turn: the device's turn, taken for every few texts.
        stopped: asked between them; if it says so, fewer than L come back.
    """
    step = max(1, _AT_ONCE // len(templates))
    parts = []
    for first in range(0, len(labels), step):
        if stopped():
            break
        some = labels[first : first + step]
        texts = [fill(template, label) for label in some for template in templates]
        with turn():
            vectors = perceptor.embed_texts(texts)
        mean = reduce(vectors, "(label template) d -> label d", "mean", label=len(some))
        parts.append(F.normalize(mean, dim=-1).cpu())
    return torch.cat(parts) if parts else torch.zeros(0, 0)


class Wordings:
    """Vectors of labels that were computed before, by model, templates and label. Any thread may ask.

    Args:
        kept: where they outlast this process; None: nowhere.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        self._lock, self._kept = threading.Lock(), kept
        self._tables: OrderedDict[tuple, dict[str, torch.Tensor]] = OrderedDict()

    def vectors(
        self, perceptor: "Perceptor", labels: Sequence[str], *, model: tuple[str, ...],
        templates: Sequence[str], turn: Turn = nullcontext, stopped: Callable[[], bool] = lambda: False,
    ) -> torch.Tensor | None:  # fmt: skip
        """``embed_labels``, where only labels that are new are computed; None if it was stopped.

        ``model`` names the perceptor: what was computed for it before counts for it now.
        """
        key, probe = (model, tuple(templates)), None
        with self._lock:
            known = dict(self._tables.get(key, {}))
        new = [label for label in labels if label not in known]
        if self._kept is not None and len(new) * len(templates) >= _WORTH_KEEPING:
            probe = embed_labels(perceptor, [PROBE], templates=("{}",), turn=turn)[0]
            known = {**self._kept.read(model, templates, probe), **known}
            new = [label for label in labels if label not in known]
        if new:
            found = embed_labels(perceptor, new, templates=templates, turn=turn, stopped=stopped)
            known.update(zip(new, found, strict=False))  # the first ones, if it was stopped
        self._keep(key, known)
        if probe is not None and new and len(known) <= _MOST_KEPT:
            self._kept.write(model, templates, probe, known)
        if any(label not in known for label in labels):
            return None
        return torch.stack([known[label] for label in labels])

    def _keep(self, key: tuple, known: dict[str, torch.Tensor]) -> None:
        with self._lock:
            self._tables[key] = {**self._tables.pop(key, {}), **known}
            if len(self._tables[key]) > _MOST_KEPT:
                del self._tables[key]
            while len(self._tables) > _TABLES:
                self._tables.popitem(last=False)

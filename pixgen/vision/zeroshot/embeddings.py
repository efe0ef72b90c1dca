"""Label embeddings: the mean of a label's templates as a unit vector, computed once, cached in memory and on disk.

A safetensors file holds the vectors for one model and set of templates, and the model's embedding of one fixed text, the
probe: after retraining, or with another model of the same name, the probe differs, and the file is ignored.
"""

import hashlib
import json
import logging
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import reduce

from pixgen.vision.zeroshot.labels import fill_template

if TYPE_CHECKING:
    from pixgen.models import Perceptor


log = logging.getLogger(__name__)

PROBE = "a red fox on a snowy hill"
_PROBE_TOLERANCE = 1e-3  # between two embeddings of a text by one model on different devices
_MOST_FILES = 64  # the least recently used are deleted
_LARGEST_FILE = 2**28  # bytes; larger files are ignored


class StoredEmbeddings:
    """Label embeddings in a folder, which is made on the first write. Thread-safe.

    A file that cannot be read or written is no error: the model embeds the labels again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(
        self, model: Sequence[str], templates: Sequence[str], probe: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Unit vectors ``(D,)`` by label; none if the stored probe differs from ``probe``, the model's embedding of
        ``PROBE``."""
        from safetensors import SafetensorError, safe_open

        path = self._path(model, templates)
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
                return {}
            with safe_open(path, "pt") as file:
                labels = json.loads((file.metadata() or {})["labels"])
                vectors, then = file.get_tensor("vectors"), file.get_tensor("probe")
            if then.shape != probe.shape or not torch.allclose(then, probe, atol=_PROBE_TOLERANCE):
                return {}
            os.utime(path)
            return dict(zip(labels, vectors, strict=True))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            log.info("kept vectors are not used: %s", error)
            return {}

    def write(
        self,
        model: Sequence[str],
        templates: Sequence[str],
        probe: torch.Tensor,
        vectors: Mapping[str, torch.Tensor],
    ) -> None:
        """Store unit vectors by label, replacing those for this model and these templates."""
        from safetensors.torch import save

        path = self._path(model, templates)
        tensors = {"vectors": torch.stack(list(vectors.values())), "probe": probe.contiguous()}
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(save(tensors, {"labels": json.dumps(list(vectors))}))
            unfinished.replace(path)  # readers see either the old file or the new one
            self._forget_old()
        except OSError as error:
            log.info("vectors are not kept: %s", error)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _forget_old(self) -> None:
        files = sorted(self._folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
        for old in files[:-_MOST_FILES]:
            old.unlink(missing_ok=True)

    def _path(self, model: Sequence[str], templates: Sequence[str]) -> Path:
        asked = json.dumps([list(model), list(templates)])
        return self._folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:24]}.safetensors"


DeviceTurn = Callable[[], AbstractContextManager]

_TEXTS_PER_BATCH = 256  # texts embedded at once
_MOST_TABLES = 32  # one for each model and set of templates; the least recently used are dropped
_MOST_LABELS = 20_000  # labels in one table: 20 MB at 256 numbers each
_STORE_FROM = 512  # texts: embedding fewer is faster than reading them from the disk


@torch.no_grad()
def embed_labels(
    perceptor: "Perceptor",
    labels: Sequence[str],
    *,
    templates: Sequence[str],
    turn: DeviceTurn = nullcontext,
    stopped: Callable[[], bool] = lambda: False,
) -> torch.Tensor:
    """Unit vectors ``(L, D)`` of L labels: the mean of each label's templates as unit vectors, normalised again.
    This is CLIP's zero-shot classifier, https://arxiv.org/abs/2103.00020.

    Args:
        turn: waits for a turn on the device, for each batch of texts.
        stopped: called between batches; if it returns true, fewer than L vectors are returned.
    """
    step = max(1, _TEXTS_PER_BATCH // len(templates))
    parts = []
    for first in range(0, len(labels), step):
        if stopped():
            break
        some = labels[first : first + step]
        texts = [fill_template(template, label) for label in some for template in templates]
        with turn():
            vectors = perceptor.embed_texts(texts)
        mean = reduce(vectors, "(label template) d -> label d", "mean", label=len(some))
        parts.append(F.normalize(mean, dim=-1).cpu())
    return torch.cat(parts) if parts else torch.zeros(0, 0)


class LabelEmbeddings:
    """A cache of label embeddings by model, templates and label. Thread-safe.

    Args:
        kept: the cache on disk; None for memory alone.
    """

    def __init__(self, kept: StoredEmbeddings | None = None) -> None:
        self._lock, self._kept = threading.Lock(), kept
        self._tables: OrderedDict[tuple, dict[str, torch.Tensor]] = OrderedDict()

    def vectors(
        self,
        perceptor: "Perceptor",
        labels: Sequence[str],
        *,
        model: tuple[str, ...],
        templates: Sequence[str],
        turn: DeviceTurn = nullcontext,
        stopped: Callable[[], bool] = lambda: False,
    ) -> torch.Tensor | None:
        """``embed_labels``, which computes only labels that are not cached; None if it was stopped.

        ``model`` names the perceptor in the cache.
        """
        key, probe = (model, tuple(templates)), None
        with self._lock:
            known = dict(self._tables.get(key, {}))
        new = [label for label in labels if label not in known]
        if self._kept is not None and len(new) * len(templates) >= _STORE_FROM:
            probe = embed_labels(perceptor, [PROBE], templates=("{}",), turn=turn)[0]
            known = {**self._kept.read(model, templates, probe), **known}
            new = [label for label in labels if label not in known]
        if new:
            found = embed_labels(perceptor, new, templates=templates, turn=turn, stopped=stopped)
            known.update(zip(new, found, strict=False))  # only the first ones, if it was stopped
        self._keep(key, known)
        if self._kept is not None and probe is not None and new and len(known) <= _MOST_LABELS:
            self._kept.write(model, templates, probe, known)
        if any(label not in known for label in labels):
            return None
        return torch.stack([known[label] for label in labels])

    def _keep(self, key: tuple, known: dict[str, torch.Tensor]) -> None:
        with self._lock:
            self._tables[key] = {**self._tables.pop(key, {}), **known}
            if len(self._tables[key]) > _MOST_LABELS:
                del self._tables[key]
            while len(self._tables) > _MOST_TABLES:
                self._tables.popitem(last=False)

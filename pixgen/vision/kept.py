"""Vectors of labels on the disk, so that a thousand labels in eighty sentences are read once, ever.

One safetensors file a model and set of templates. Beside the vectors it holds how the model reads one
fixed text: a model that was trained on, or another one of the same name, reads it otherwise, and what
was kept for the old one counts no more.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch

log = logging.getLogger(__name__)

PROBE = "a red fox on a snowy hill"
_SAME = 1e-3  # between two readings of one text by one model, on whatever device
_MOST_FILES = 64  # the longest unused ones go
_LARGEST = 2**28  # bytes that are read


class Kept:
    """The vectors of labels in a folder, which is made when something is written. Any thread may ask.

    A file that cannot be read or written is no error: the labels are read by the model again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(
        self, model: Sequence[str], templates: Sequence[str], probe: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Unit vectors ``(D,)`` by label; none if the model reads ``PROBE`` otherwise than ``probe``."""
        from safetensors import SafetensorError, safe_open

        path = self._path(model, templates)
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST:
                return {}
            with safe_open(path, "pt") as file:
                labels = json.loads((file.metadata() or {})["labels"])
                vectors, then = file.get_tensor("vectors"), file.get_tensor("probe")
            if then.shape != probe.shape or not torch.allclose(then, probe, atol=_SAME):
                return {}
            os.utime(path)
            return dict(zip(labels, vectors, strict=True))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            log.info("kept vectors are not used: %s", error)
            return {}

    def write(
        self, model: Sequence[str], templates: Sequence[str], probe: torch.Tensor,
        vectors: Mapping[str, torch.Tensor],
    ) -> None:  # fmt: skip
        """Keep unit vectors by label, in place of what was kept for this model and these templates."""
        from safetensors.torch import save

        path = self._path(model, templates)
        tensors = {"vectors": torch.stack(list(vectors.values())), "probe": probe.contiguous()}
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(save(tensors, {"labels": json.dumps(list(vectors))}))
            unfinished.replace(path)  # a reader sees the old file or the new one
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

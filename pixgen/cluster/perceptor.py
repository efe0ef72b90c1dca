"""CLIPs on the workers of a cluster: the page's classification and search embed there, between the steps of what is
painted."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pixgen.cluster.worker import RayWorker
from pixgen.models import load_perceptor
from pixgen.studio.model_cache import ModelCache, resolve_device
from pixgen.studio.workers.base import WorkerLost

if TYPE_CHECKING:
    from pixgen.models import Perceptor, Perceptors

log = logging.getLogger(__name__)
_FEWEST_PICTURES = 8  # for each of several workers


class ClusterPerceptor:
    """CLIPs that embed on the workers, with what classification and search use of a ``Perceptor``. What needs a gradient,
    such as an explanation, and everything while no worker answers, is computed in this process.

    Args:
        names: of the CLIPs.
        workers: returns the workers at this moment.
        device: of this process, as for ``resolve_device``.
    """

    device = torch.device("cpu")  # what goes in and comes out is here

    def __init__(
        self, names: tuple[str, ...], *, workers: Callable[[], Sequence[RayWorker]], device: str
    ) -> None:
        self._names, self._workers, self._local_device = names, workers, device
        self._calls = count()

    @property
    def size(self) -> int:
        """As of ``Perceptor``."""
        return self._facts["size"]

    @property
    def logit_scale(self) -> float:
        """As of ``Perceptor``."""
        return self._facts["logit_scale"]

    @property
    def logit_bias(self) -> float | None:
        """As of ``Perceptor``."""
        return self._facts["logit_bias"]

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """As ``Perceptor.embed_texts``."""
        texts = list(texts)
        return self._ask("embed_texts", texts, here=lambda: self._local.embed_texts(texts).cpu())

    def embed_images(self, pictures: torch.Tensor) -> torch.Tensor:
        """As ``Perceptor.embed_images``; many pictures are shared among the workers that paint nothing."""
        if pictures.requires_grad:
            device = self._local.device
            return self._local.embed_images(pictures.to(device)).to(pictures.device)
        free = sum(not worker.painting for worker in self._workers())
        parts = pictures.chunk(max(1, min(free, len(pictures) // _FEWEST_PICTURES)))
        with ThreadPoolExecutor(len(parts)) as pool:
            return torch.cat(list(pool.map(self._embed_part, parts)))

    def _embed_part(self, pictures: torch.Tensor) -> torch.Tensor:
        def here() -> torch.Tensor:
            with torch.no_grad():
                return self._local.embed_images(pictures.to(self._local.device)).cpu()

        # A quarter of the bytes, and exact: the pictures were made of whole numbers.
        return self._ask("embed_images", (pictures * 255).round().to(torch.uint8).numpy(), here=here)

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return self._on_worker("describe_perceptor") or {
            name: getattr(self._local, name) for name in ("size", "logit_scale", "logit_bias")
        }

    @cached_property
    def _local(self) -> "Perceptor | Perceptors":
        """The same CLIPs in this process."""
        return load_perceptor(self._names, resolve_device(self._local_device))

    def _ask(self, method: str, data: Any, *, here: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Vectors from a worker; from this process if none answers."""
        vectors = self._on_worker(method, data)
        return here() if vectors is None else torch.from_numpy(np.array(vectors))

    def _on_worker(self, method: str, *data: Any) -> Any:
        """The answer of a worker, of those that paint nothing by turns; None if none answers. Raises PixgenError."""
        workers = self._workers()
        turn = next(self._calls)
        by_turns = [workers[(turn + number) % len(workers)] for number in range(len(workers))]
        for worker in sorted(by_turns, key=lambda each: each.painting):  # stable
            try:
                return worker.embed(method, self._names, *data)
            except WorkerLost as lost:
                log.info("%s", lost)
        return None


def cluster_models(workers: Callable[[], Sequence[RayWorker]], *, device: str = "auto") -> ModelCache:
    """The models of a page whose CLIPs embed on the workers of a cluster; the others are in its own process."""

    def load(names: tuple[str, ...], device: str) -> ClusterPerceptor:
        perceptor = ClusterPerceptor(names, workers=workers, device=device)
        _ = perceptor.size  # loads the CLIPs on a worker, so that an error comes now
        return perceptor

    return ModelCache(partial(resolve_device, device), load_perceptor=load)

"""Read, decode and embed many pictures on a cluster, by Ray Data. The nodes read the files themselves, so their folder
must have the same path on each of them."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data
from ray import cloudpickle

from pixgen.cluster.connection import Cluster
from pixgen.vision.images import OpenedPicture, PictureFile
from pixgen.vision.search.indexing import MODEL_BATCH, EmbeddedFile, open_known_file
from pixgen.vision.zeroshot.batches import PreparedBatch
from pixgen.vision.zeroshot.sources import PreparedPicture, Source, prepare_picture

# Opens an item: what the caller wants to know about it, and its pixels ``(side, side, 3)`` uint8 if it is a picture.
Open = Callable[[Any, int], tuple[Any, np.ndarray | None]]


class Embedder:
    """Opens and embeds batches on a node; Ray Data makes one for each device.

    Args:
        models: names of CLIPs, combined into one perceptor.
        device: as for ``resolve_device``.
        open_item: opens an item at the perceptor's size.
    """

    def __init__(self, models: tuple[str, ...], device: str, open_item: Open) -> None:
        from pixgen.models import load_perceptor

        self._perceptor, self._open = load_perceptor(models, device), open_item

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """The pickled results of a batch of pickled items, and a vector ``(D,)`` for each; NaN without pixels."""
        import torch

        from pixgen.vision.images import to_batch

        opened = [self._open(pickle.loads(item), self._perceptor.size) for item in batch["item"]]
        squares = [pixels for _, pixels in opened if pixels is not None]
        with torch.no_grad():
            if squares:
                found = self._perceptor.embed_images(to_batch(squares, self._perceptor.device))
            else:
                found = self._perceptor.embed_texts([""])[:0]
        embedded, width = iter(found.cpu().numpy()), found.shape[-1]
        nothing = np.full(width, np.nan, np.float32)
        return {
            "result": [pickle.dumps(result) for result, _ in opened],
            "vector": np.stack([nothing if pixels is None else next(embedded) for _, pixels in opened]),
        }


def embed_on_cluster(
    cluster: Cluster, items: Sequence[Any], open_item: Open, *, models: tuple[str, ...]
) -> Iterator[list[tuple[Any, np.ndarray | None]]]:
    """What ``open_item`` found about each item, in order and in batches, with its unit vector ``(D,)``; None where
    it has no pixels."""
    if not items:
        return
    places = cluster.places()
    gpus = any(place.gpus for place in places)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    rows = ray.data.from_items([{"item": cloudpickle.dumps(item)} for item in items])
    found = rows.map_batches(
        Embedder,
        fn_constructor_kwargs={
            "models": models,
            "device": "cuda" if gpus else "cpu",
            "open_item": open_item,
        },
        batch_size=MODEL_BATCH,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=len(places)),
        num_cpus=None if gpus else 1,
        num_gpus=1 if gpus else None,
    )
    for batch in found.iter_batches(batch_size=MODEL_BATCH, batch_format="numpy"):
        yield [
            (pickle.loads(result), None if np.isnan(vector[0]) else vector)
            for result, vector in zip(batch["result"], batch["vector"], strict=True)
        ]


def read_files(
    cluster: Cluster, model: str, wanted: Sequence[tuple[PictureFile, str]], folder: Path
) -> Iterator[list[EmbeddedFile]]:
    """The reader of ``index_pictures`` that uses a cluster."""
    return embed_on_cluster(cluster, wanted, partial(_open_file, folder), models=(model,))


def prepare_sources(
    cluster: Cluster, models: tuple[str, ...], sources: Sequence[Source]
) -> Iterator[PreparedBatch]:
    """The embedded pictures of ``classify_all`` from a cluster."""
    for batch in embed_on_cluster(cluster, list(enumerate(sources)), _open_source, models=models):
        yield [
            (PreparedPicture(sources[place], None, error=error), vector) for (place, error), vector in batch
        ]


def _open_file(folder: Path, item: tuple[PictureFile, str], side: int) -> tuple[Any, np.ndarray | None]:
    found = open_known_file(*item, folder=folder, side=side)
    if isinstance(found, OpenedPicture):  # its pixels are embedded on the node
        return replace(found, pixels=np.empty((0, 0, 3), np.uint8)), found.pixels
    return found, None


def _open_source(item: tuple[int, Source], side: int) -> tuple[tuple[int, str], np.ndarray | None]:
    place, source = item
    prepared = prepare_picture(source, side=side)
    return (place, prepared.error), prepared.pixels

"""Benchmark of search and indexing: speed, and recall among the first ten results."""

import resource
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import harmonic_mean, median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch

from pixgen.bench.inputs import SIDE, save_pictures
from pixgen.models import load_perceptor
from pixgen.models.clip.perceptor import Perceptor
from pixgen.studio.model_cache import resolve_device
from pixgen.vision.images import find_pictures, to_batch
from pixgen.vision.search.collection import Collection, Row
from pixgen.vision.search.indexing import MODEL_BATCH, index_pictures
from pixgen.vision.search.library import Library

DIMENSIONS = 512
TOP = 10
_QUERIES = 50
_CLUSTER_SIZE = 200  # vectors; real pictures form clusters too
_SPREAD = 0.8  # length of a vector's own part, beside its cluster's unit vector
_ROWS_AT_ONCE = 20_000  # rows at once
_PICTURES = 2000
_ROUNDS = 5  # of indexing, each between two of the model alone


def time_searches(folder: Path, *, vectors: int) -> dict[str, Any]:
    """Milliseconds of exact and approximate searches among clustered vectors, and their agreement.

    Recall is the share of the ten nearest that the approximate search finds too. Raises SearchError.
    """
    chance = np.random.default_rng(0)
    centres = _normalise(chance.normal(size=(max(1, vectors // _CLUSTER_SIZE), DIMENSIONS)))
    collection = Library(folder).create("bench", "synthetic", dimensions=DIMENSIONS)
    begun = perf_counter()
    for start in range(0, vectors, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, vectors - start)
        collection.add(
            [_row(number) for number in range(start, start + count)], _draw_vectors(chance, centres, count)
        )
    added = perf_counter() - begun
    queries = _draw_vectors(chance, centres, _QUERIES)
    exact, truth = _run_searches(collection, queries, exact=True)
    begun = perf_counter()
    collection.make_approximate()
    built = perf_counter() - begun
    near, found = _run_searches(collection, queries, exact=False)
    shared = [len(right & there) / TOP for right, there in zip(truth, found, strict=True)]
    return {
        "vectors": vectors,
        "dimensions": DIMENSIONS,
        "exact_ms": round(1000 * median(exact), 1),
        "exact_worst_ms": round(1000 * max(exact), 1),
        "approximate_ms": round(1000 * median(near), 1),
        "approximate_worst_ms": round(1000 * max(near), 1),
        "recall_at_10": round(float(np.mean(shared)), 4),
        "add_seconds": round(added, 1),
        "build_seconds": round(built, 1),
        "peak_memory_mb": _peak_memory() // 2**20,
    }


def time_indexing(folder: Path, perceptor: Perceptor, *, pictures: int = _PICTURES) -> dict[str, Any]:
    """Pictures per second of indexing as a whole, and of the model alone.

    Both are measured in turns, each indexing between two of the model, so that whatever else the
    machine does slows both alike; the medians.
    """
    save_pictures(folder / "pictures", pictures)
    with torch.no_grad():
        size = perceptor.embed_texts([""]).shape[-1]
    alone, indexed = [_model_rate(perceptor, pictures)], []
    for turn in range(_ROUNDS):
        indexed.append(_indexing_rate(folder, perceptor, size, turn))
        alone.append(_model_rate(perceptor, pictures))
    beside = [harmonic_mean(pair) for pair in pairwise(alone)]
    parts = [whole / model for whole, model in zip(indexed, beside, strict=True)]
    return {
        "pictures": pictures,
        "indexed_a_second": round(median(indexed), 1),
        "model_alone_a_second": round(median(alone), 1),
        "part_of_the_model": round(median(parts), 3),
        "parts": [round(part, 3) for part in parts],
    }


@torch.no_grad()
def _model_rate(perceptor: Perceptor, pictures: int) -> float:
    """Pictures per second that the model embeds, without reading them."""
    chance = torch.Generator().manual_seed(0)
    squares = torch.randint(
        0, 256, (MODEL_BATCH, perceptor.size, perceptor.size, 3), generator=chance, dtype=torch.uint8
    ).numpy()
    perceptor.embed_images(to_batch(squares, perceptor.device)).cpu()
    begun, looks = perf_counter(), pictures // MODEL_BATCH + 1
    for _ in range(looks):
        perceptor.embed_images(to_batch(squares, perceptor.device)).cpu()
    return MODEL_BATCH * looks / (perf_counter() - begun)


def _indexing_rate(folder: Path, perceptor: Perceptor, size: int, turn: int) -> float:
    """Pictures per second from files to a new collection."""
    collection = Library(folder / "library").create(f"bench-{turn}", "model", dimensions=size)
    begun = perf_counter()
    files = find_pictures(folder / "pictures")
    *_, last = index_pictures(collection, files, perceptor, folder=folder / "pictures")
    return last.added / (perf_counter() - begun)


def measure_recall(
    data: Path, perceptor: Perceptor, *, pictures: int = _PICTURES, seed: int = 5
) -> dict[str, Any]:
    """How often the picture of a held-out caption is among the first ten results."""
    captions, vectors = [], []
    with torch.no_grad():
        for caption, picture in _held_out(data, pictures, seed):
            captions.append(caption)
            vectors.append(perceptor.embed_images(picture.to(perceptor.device)).cpu())
        images = torch.cat(vectors)
        texts = torch.cat(
            [
                perceptor.embed_texts(captions[start : start + 100]).cpu()
                for start in range(0, len(captions), 100)
            ]
        )
    scores = texts @ images.T  # (captions, pictures)
    places = (scores > scores.diagonal()[:, None]).sum(1)
    return {
        "pictures": pictures,
        "recall_at_1": round(float((places < 1).float().mean()), 4),
        "recall_at_10": round(float((places < TOP).float().mean()), 4),
    }


def search(
    *, vectors: int, model: str, data: Path | None, device: str = "auto", pictures: int = _PICTURES
) -> dict[str, Any]:
    """All measurements; quality only with the drawings, which are not bundled. Raises PixgenError."""
    device = resolve_device(device)
    perceptor = load_perceptor([model], device)
    with TemporaryDirectory(prefix="pixgen-bench-") as folder:
        found = {
            "scale": time_searches(Path(folder, "scale"), vectors=vectors),
            "indexing": time_indexing(Path(folder), perceptor, pictures=pictures),
        }
    found["quality"] = (
        measure_recall(data, perceptor, pictures=pictures) if data is not None else "needs --data FOLDER"
    )
    return {"device": device, "model": model, **found}


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``search`` as text."""
    scale, indexing, quality = (figures[name] for name in ("scale", "indexing", "quality"))
    if isinstance(quality, dict):
        quality = (
            f"{quality['recall_at_10']:.1%} of {quality['pictures']} held-out captions find their picture "
            f"among the first ten, {quality['recall_at_1']:.1%} as the first"
        )
    return "\n".join(
        [
            f"{scale['vectors']:,} vectors of {scale['dimensions']} · {figures['model']} · {figures['device']}",
            f"{'exact':>12} {scale['exact_ms']:8.1f} ms   worst {scale['exact_worst_ms']:.1f} ms",
            f"{'approximate':>12} {scale['approximate_ms']:8.1f} ms   worst {scale['approximate_worst_ms']:.1f} ms, "
            f"recall@10 {scale['recall_at_10']:.3f}, index built in {scale['build_seconds']:.0f} s",
            f"{'memory':>12} {scale['peak_memory_mb']:8} MB   at most",
            f"{'indexing':>12} {indexing['indexed_a_second']:8.1f} pictures/s, "
            f"{indexing['part_of_the_model']:.0%} of the model's own {indexing['model_alone_a_second']:.1f}",
            f"{'quality':>12} {quality}",
        ]
    )


def _normalise(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def _draw_vectors(chance: np.random.Generator, centres: np.ndarray, count: int) -> np.ndarray:
    """Unit vectors ``(count, D)`` around centres ``(C, D)``."""
    own = chance.normal(size=(count, DIMENSIONS)).astype(np.float32) * (_SPREAD / DIMENSIONS**0.5)
    return _normalise(centres[chance.integers(len(centres), size=count)] + own)


def _row(number: int) -> Row:
    path = f"{number // 1000}/{number}.png"
    return Row(path=path, size=number, modified=number, sha256=path, width=SIDE, height=SIDE)


def _run_searches(
    collection: Collection, queries: np.ndarray, *, exact: bool
) -> tuple[list[float], list[set[str]]]:
    """Seconds and paths of each search; the first, which opens files, is not timed."""
    collection.nearest(queries[0], top=TOP, exact=exact)
    seconds, found = [], []
    for query in queries:
        begun = perf_counter()
        nearest = collection.nearest(query, top=TOP, exact=exact)
        seconds.append(perf_counter() - begun)
        found.append({row.path for row, _, _ in nearest})
    return seconds, found


def _held_out(data: Path, count: int, seed: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Captions that no model was trained on, each with its picture ``(1, 3, H, W)``."""
    from pixgen.training.compose.captions import CompositionSampler
    from pixgen.training.compose.composer import Composer

    composer = Composer(data, seed=seed)
    sampler = CompositionSampler(composer.table, seed=seed, split="held-out")
    for composition in sampler.compositions(count):
        yield composition.caption, composer.draw([composition])


def _peak_memory() -> int:
    """The peak memory of this process in bytes, including memory-mapped files."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

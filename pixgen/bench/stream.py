"""Measure the overhead of live previews: steps per second with and without a watcher."""

import io
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from PIL import Image

from pixgen.bench.speed import device_name
from pixgen.recipe.recipe import Recipe
from pixgen.studio import Job, Studio, resolve_device
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.workers.local import paint

PREVIEWS_A_SECOND = 8.0
JPEG_QUALITY = 85
_WARM_UP = 5  # steps at the start, which are slower


def stream(recipe: Recipe, *, steps: int, pairs: int, device: str = "auto") -> dict[str, Any]:
    """Steps per second of a recipe with and without a watcher, in turns, and the overhead in percent.

    Alone is the bare loop. Watched is a studio's job with its video and its files, and a watcher that
    encodes JPEG previews. The cost is the median over the pairs. Raises PixgenError.
    """
    device = resolve_device(device)
    recipe = recipe.model_copy(update={"steps": steps + _WARM_UP})
    models = ModelCache(lambda: device)
    _run_alone(recipe.model_copy(update={"steps": _WARM_UP}), device, models)
    alone, watched, previews = [], [], 0
    for _ in range(pairs):
        alone.append(_run_alone(recipe, device, models).steps_per_second())
        painting, seen = _run_watched(recipe, device, models)
        watched.append(painting.steps_per_second())
        previews += seen
    costs = [100 * (1 - slow / fast) for fast, slow in zip(alone, watched, strict=True)]
    return {
        "device": device_name(device),
        "preset": recipe.preset,
        "size": f"{recipe.width}x{recipe.height}",
        "cutouts": recipe.cutouts.count,
        "steps": steps,
        "pairs": pairs,
        "alone_steps_a_second": round(median(alone), 3),
        "watched_steps_a_second": round(median(watched), 3),
        "previews_a_run": round(previews / pairs, 1),
        "costs_percent": [round(cost, 2) for cost in costs],
        "cost_percent": round(median(costs), 2),
    }


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``stream`` as text."""
    return (
        f"{figures['preset']} · {figures['size']} · {figures['cutouts']} cutouts · {figures['device']}\n"
        f"  alone {figures['alone_steps_a_second']:8.2f} steps/s\n"
        f"watched {figures['watched_steps_a_second']:8.2f} steps/s, "
        f"{figures['previews_a_run']:.0f} previews a run\n"
        f"   cost {figures['cost_percent']:8.2f} %"
    )


class _TimedFrames(Iterator):
    """An iterator over frames that records when each one came."""

    def __init__(self, painting: Iterator) -> None:
        self._painting = painting
        self._times: list[float] = []

    def __next__(self) -> Any:
        frame = next(self._painting)
        self._times.append(perf_counter())
        return frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._painting, name)

    def steps_per_second(self) -> float:
        """Steps per second, with the work on the frames between them."""
        times = self._times[_WARM_UP:]
        return (len(times) - 1) / (times[-1] - times[0])


def _run_alone(recipe: Recipe, device: str, models: ModelCache) -> _TimedFrames:
    painting = _TimedFrames(paint(recipe, {}, device, models))
    for _ in painting:
        pass
    return painting


def _run_watched(recipe: Recipe, device: str, models: ModelCache) -> tuple[_TimedFrames, int]:
    painting = _TimedFrames(paint(recipe, {}, device, models))
    with (
        TemporaryDirectory(prefix="pixgen-bench-") as folder,
        Studio(Path(folder), device=device, painter=lambda *_: painting) as studio,
    ):
        job = studio.submit(recipe)
        previews = _count_previews(job)
        if job.error is not None:
            raise job.error
    return painting, previews


def _count_previews(job: Job) -> int:
    """Watch a job as the page does, and count the previews."""
    count = 0
    for job_status in job.watch(rate=PREVIEWS_A_SECOND):
        if job_status.frame is not None:
            Image.fromarray(job_status.frame.picture).save(io.BytesIO(), "JPEG", quality=JPEG_QUALITY)
            count += 1
    return count

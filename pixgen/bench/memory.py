"""Measure the peak memory of a run in a separate process, and compare it with the estimate."""

import json
import subprocess
import sys
from typing import Any

from pixgen.errors import DeviceError
from pixgen.recipe.init import Init
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.model_cache import resolve_device

STEPS = 2  # the first makes the optimizer's moments; from the second on, all are alike


def memory(recipe: Recipe, *, device: str = "auto") -> dict[str, Any]:
    """Peak megabytes of a short run, measured and estimated, and the error of the estimate in percent.

    On a CPU it is the process's memory beyond that of an idle one, on a GPU what torch allocates.
    Models that are not downloaded get random weights, and then no starting point is sketched. Raises PixgenError.
    """
    import torch

    from pixgen.bench.speed import device_name
    from pixgen.synthesis.memory.estimate import estimate_memory
    from pixgen.synthesis.precision import resolve_precision

    device = resolve_device(device)
    recipe = resolve_precision(recipe, torch.device(device)).model_copy(update={"steps": STEPS})
    measured = _measure_in_process(recipe, device)
    if measured["random"]:
        recipe = recipe.model_copy(update={"init": Init()})
    estimate = estimate_memory(recipe, device=device)
    return {
        "device": device_name(device),
        "model": recipe.model,
        "clip": list(recipe.clip_names),
        "random_weights": measured["random"],
        "drawer": recipe.drawer,
        "size": f"{recipe.width}x{recipe.height}",
        "cutouts": recipe.cutouts.count,
        "batches": recipe.cutouts.batches,
        "precision": recipe.precision,
        "checkpoint": recipe.engine.checkpoint,
        "estimated_megabytes": round(estimate.total / 1e6, 1),
        "estimated_weights_megabytes": round(estimate.weights / 1e6, 1),
        "measured_megabytes": round(measured["bytes"] / 1e6, 1),
        "off_percent": round(100 * (estimate.total / measured["bytes"] - 1), 1),
    }


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``memory`` as text."""
    random = ", ".join(figures["random_weights"])
    lines = [
        f"{figures['size']} · {figures['cutouts']} cutouts in {figures['batches']} batches · "
        f"{figures['precision']} · {figures['device']}",
        *([f"{'':>10} with random weights: {random}"] if random else []),
        f"{'estimated':>10} {figures['estimated_megabytes']:8.0f} MB, of which weights "
        f"{figures['estimated_weights_megabytes']:.0f}",
        f"{'measured':>10} {figures['measured_megabytes']:8.0f} MB",
        f"{'off by':>10} {figures['off_percent']:+8.1f} %",
    ]
    return "\n".join(lines)


def _measure_in_process(recipe: Recipe, device: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "pixgen.bench.memory", recipe.to_json(), device],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["its process was killed"])[-1]
        raise DeviceError("The measured run failed: {reason}.", reason=last[:200])
    return json.loads(done.stdout)


def _measure_here(recipe: Recipe, device: str) -> dict[str, Any]:
    from pixgen.bench.inputs import load_bench_models
    from pixgen.studio.model_cache import ModelCache
    from pixgen.studio.workers.local import paint
    from pixgen.synthesis import Optimization, make_drawer  # before the memory is measured

    before = _peak_bytes(device)
    models = load_bench_models(recipe, device)
    random = models.random
    if random:
        recipe = recipe.model_copy(update={"init": Init()})
        drawer = make_drawer(recipe, models.vqgan, device=device)
        painting = Optimization(recipe, drawer, models.perceptor)
    else:
        del models  # as in a studio, with the initial picture that may be sketched
        painting = paint(recipe, {}, device, ModelCache(lambda: device))
    for frame in painting:
        frame.picture  # noqa: B018 - read, as a watcher would
    return {"bytes": _peak_bytes(device) - before, "random": random}


def _peak_bytes(device: str) -> int:
    """The peak memory so far, in bytes."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        raise DeviceError("On this system, memory is measured on a GPU only.") from None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(_measure_here(read_recipe(sys.argv[1]), sys.argv[2])))

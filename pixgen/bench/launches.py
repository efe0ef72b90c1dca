"""Count the kernel launches, casts and waits of a step on a GPU, on any machine, with a simulated GPU.

The CPU starts every kernel; where a step's arithmetic takes less time than that, the launches set the pace.
"""

from collections import Counter
from typing import Any

from torch.utils.flop_counter import FlopCounterMode

from pixgen.bench.simulated_gpu import GPU, Launches, simulated_gpu
from pixgen.models.architectures import random_perceptor, random_vqgan
from pixgen.models.catalog import find_entry
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.fusion import fold_batch_norms
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.init import Init
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.settings import Growth
from pixgen.synthesis import Optimization, make_drawer

_STEPS_BEFORE = 2  # in the first, optimizers and caches are made


def weightless_models(recipe: Recipe) -> tuple[Vqgan | None, Perceptor | Perceptors]:
    """A recipe's models on the simulated GPU, without weights, as they would be loaded. Raises ModelError."""
    vqgan = random_vqgan(recipe.model, "meta", recipe.config) if recipe.drawer_kind.needs_vqgan else None
    perceptor = random_perceptor(recipe.clip_names, "meta")
    members = getattr(perceptor, "members", [perceptor])
    for name, member in zip(recipe.clip_names, members, strict=True):
        entry = find_entry(name, "clip")
        if entry is not None and entry.bundled:
            fold_batch_norms(member.model.visual)
    return vqgan, perceptor


def launches(recipe: Recipe, *, microseconds: float, teraflops: float) -> dict[str, Any]:
    """The kernels that a step of a recipe launches, with and without CUDA graphs, and the time that the
    launches take.

    Args:
        microseconds: that the CPU takes a launch.
        teraflops: operations a second that the GPU is assumed to reach, in 10¹².

    Nothing is fetched or computed. Raises ModelError if the form of a model is not known.
    """
    # A start has its own work, and is no step.
    precision = "bfloat16" if recipe.precision == "auto" else recipe.precision  # as every recent GPU has it
    recipe = recipe.model_copy(
        update={"steps": _STEPS_BEFORE + 3, "init": Init(), "grow": Growth(), "precision": precision}
    )
    found, operations = {}, 0
    for name, captured in (("captured", True), ("launched", False)):
        engine = recipe.engine.model_copy(update={"captured": captured})
        made, count = _count_step(recipe.model_copy(update={"engine": engine}), counted=not captured)
        operations = count or operations
        found[name] = {
            "launches": made.total,
            "casts": made.casts,
            "syncs": len(made.syncs),
            "floor_ms": round(made.total * microseconds / 1000, 3),
            "most": dict(made.count.most_common(8)),
            "waits": dict(Counter(made.syncs)),
            "half_where_float32_is_due": dict(Counter(made.half_operations)),
        }
    return {
        "preset": recipe.preset,
        "model": recipe.model,
        "clip": list(recipe.clip_names),
        "size": f"{recipe.width}x{recipe.height}",
        "cutouts": recipe.cutouts.count,
        "precision": recipe.precision,
        "microseconds_a_launch": microseconds,
        "teraflops": teraflops,
        "gflop": round(operations / 1e9, 3),
        "arithmetic_ms": round(operations / teraflops / 1e9, 3),
        **found,
    }


def _count_step(recipe: Recipe, *, counted: bool) -> tuple[Launches, int]:
    """The launches of one step, and the operations of its matrix products and convolutions."""
    with simulated_gpu() as seen:
        vqgan, perceptor = weightless_models(recipe)
        painting = Optimization(recipe, make_drawer(recipe, vqgan, device=GPU), perceptor)
        for _ in range(_STEPS_BEFORE):
            next(painting)
        if counted:  # in a separate step: counting takes operations apart
            with FlopCounterMode(display=False) as counter:
                next(painting)
        seen.clear()
        next(painting)
        return seen, counter.get_total_flops() if counted else 0


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``launches`` as text."""
    lines = [
        f"{figures['preset']} · {figures['size']} · {figures['cutouts']} cutouts · {figures['precision']}"
        " · a pretended GPU",
        f"{'arithmetic':>12} {figures['arithmetic_ms']:8.2f} ms   {figures['gflop']:.1f} GFLOP at "
        f"{figures['teraflops']:g} TFLOP/s",
    ]
    for name in ("captured", "launched"):
        one = figures[name]
        lines.append(
            f"{name:>12} {one['floor_ms']:8.2f} ms   {one['launches']} launches at "
            f"{figures['microseconds_a_launch']:g} µs, {one['casts']} casts, {one['syncs']} waits"
        )
        lines += [f"{'':>12} {count} × {why}" for why, count in one["waits"].items()]
    return "\n".join(lines)

"""Running out of memory: recipes that need less, and an error that says what to do."""

import contextlib
import gc
from collections.abc import Iterator
from typing import Literal

import torch

from pixgen.errors import OutOfMemory
from pixgen.messages import Message, _, join_messages
from pixgen.models.runtime import release_captures, supported_half_precision
from pixgen.recipe.recipe import SMALLEST_SIDE, Recipe

FIRST_TILE, SMALLEST_TILE = 32, 8  # in codes
_MOST_BATCHES = 64  # a recipe has no more

# The stage in which memory runs out: it decides what to reduce.
Stage = Literal["drawing", "looking", "encoding", "sketching"]


@contextlib.contextmanager
def memory_guard(recipe: Recipe) -> Iterator[None]:
    """Turn torch's out-of-memory errors into OutOfMemory, which says what to try."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(_advice(recipe)) from None  # the trace back would keep tensors alive


# What torch's libraries say when memory runs out: the CPU's allocator, CUDA outside of torch's own,
# cuBLAS, cuDNN (which then has no engine that fits either) and cuFFT.
_OUT_OF_MEMORY = (
    "can't allocate memory", "cuda error: out of memory", "cudaerrormemoryallocation", "cublas_status_alloc_failed",
    "cusolver_status_alloc_failed", "cusparse_status_alloc_failed", "cudnn_status_alloc_failed",
    "cudnn_status_internal_error_host_allocation_failed", "cudnn_status_internal_error_device_allocation_failed",
    "cufft_alloc_failed", "unable to find an engine", "hip error: out of memory",
)  # fmt: skip
# After these errors the device is unusable: needing less memory would not help.
_BROKEN = (
    "illegal memory access",
    "misaligned address",
    "device-side assert",
    "illegal instruction",
)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch means that a device is out of memory."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return not any(each in said for each in _BROKEN) and any(each in said for each in _OUT_OF_MEMORY)


def lower_memory(recipe: Recipe, device: torch.device, doing: Stage) -> Recipe | None:
    """The same recipe with less memory in a step, or None if nothing is left to reduce.

    In order: on a GPU no captured graphs, which hold their working memory; twice as many batches of cutouts;
    once each cutout is its own batch, a checkpointed decoder; at last half precision, where the device has
    it. Encoding uses smaller and smaller tiles; sketches are sampled half as many at once.
    """
    if device.type == "cuda" and recipe.engine.captured and doing in ("drawing", "looking"):
        return _with_engine(recipe, captured=False)
    if doing == "sketching" and (fewer := _halve_sketches(recipe)) is not None:
        return fewer
    if doing in ("encoding", "sketching"):
        return _halve_tiles(recipe, "encode_tile")
    if doing == "looking" and (batched := _double_batches(recipe)) is not None:
        return batched
    if recipe.drawer_kind.needs_vqgan and not recipe.engine.checkpoint:
        # A compiled decoder chooses itself which activations it keeps.
        return _with_engine(recipe, checkpoint=True, compiled=False)
    half = supported_half_precision(device)
    if recipe.precision == "float32" and half is not None:
        return recipe.model_copy(update={"precision": half})
    return None


def lower_memory_of_final(recipe: Recipe, device: torch.device, doing: Stage) -> Recipe | None:
    """The same recipe with less memory for the last picture, which has no backward pass: more batches of
    cutouts, or smaller and smaller tiles. None if nothing is left to reduce."""
    return _double_batches(recipe) if doing == "looking" else _halve_tiles(recipe, "tile")


def describe_changes(before: Recipe, after: Recipe) -> Message:
    """A sentence about what changed because memory was short; empty if nothing did."""
    found = []
    if after.engine.captured != before.engine.captured:
        found.append(_("the kernels of a step are launched one by one, which is slower"))
    if after.cutouts.batches != before.cutouts.batches:
        found.append(
            _(
                "the cutouts are processed in {count} batches, which is slower",
                count=after.cutouts.batches,
            )
        )
    if after.engine.checkpoint != before.engine.checkpoint:
        found.append(_("the decoder's activations are computed twice, which is slower"))
    if after.precision != before.precision:
        found.append(_("half precision is used ({precision})", precision=after.precision))
    if after.engine.sketches != before.engine.sketches:
        found.append(
            _(
                "sketches are sampled {count} at a time, so this seed gives different ones",
                count=after.engine.sketches,
            )
        )
    if after.engine.encode_tile != before.engine.encode_tile:
        found.append(
            _(
                "pictures are encoded in tiles of {codes} codes, so the result may differ a little",
                codes=after.engine.encode_tile,
            )
        )
    if after.engine.tile != before.engine.tile:
        found.append(
            _(
                "the finished picture was decoded in tiles of {codes} codes, so its contrast may differ a "
                "little from that of the previews",
                codes=after.engine.tile,
            )
        )
    if not found:
        return Message("")
    return _("Memory ran out, so {changes}.", changes=join_messages(found, _("{first}, and {second}")))


def free_cache(device: torch.device) -> None:
    """Free cached memory that no tensor uses."""
    release_captures()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _double_batches(recipe: Recipe) -> Recipe | None:
    cutouts = recipe.cutouts
    batches = min(2 * cutouts.batches, cutouts.count, _MOST_BATCHES)
    if batches <= cutouts.batches:
        return None
    lighter = cutouts.model_copy(update={"batches": batches})
    return recipe.model_copy(update={"cutouts": lighter})


def _halve_tiles(recipe: Recipe, switch: str) -> Recipe | None:
    tile = getattr(recipe.engine, switch) // 2 or FIRST_TILE
    if not recipe.drawer_kind.needs_vqgan or tile < SMALLEST_TILE:
        return None
    return _with_engine(recipe, **{switch: tile})


def _halve_sketches(recipe: Recipe) -> Recipe | None:
    at_once = recipe.engine.sketches or recipe.init.sketch.candidates
    return _with_engine(recipe, sketches=at_once // 2) if at_once > 1 else None


def _with_engine(recipe: Recipe, **switches: bool | int) -> Recipe:
    return recipe.model_copy(update={"engine": recipe.engine.model_copy(update=switches)})


def _advice(recipe: Recipe) -> Message:
    width, height = recipe.width, recipe.height
    smaller = [max(SMALLEST_SIDE, side * 3 // 64 * 16) for side in (width, height)]
    advice = _("a smaller size than {width}×{height}", width=width, height=height)
    if smaller != [width, height]:
        advice = _(
            "a smaller size than {width}×{height}, such as {smaller_width}×{smaller_height}",
            width=width,
            height=height,
            smaller_width=smaller[0],
            smaller_height=smaller[1],
        )
    if (count := recipe.cutouts.count) > 4:
        advice = _("fewer cutouts than {count}, or {size}", count=count, size=advice)
    return _("There is not enough memory for this picture: try {advice}.", advice=advice)

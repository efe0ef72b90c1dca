"""Too little memory: what still helps, and else an error that says what to do."""

import contextlib
import gc
from collections.abc import Iterator

import torch

from pixgen.errors import OutOfMemory
from pixgen.models.working import half_precision
from pixgen.recipe import SMALLEST_SIDE, Recipe

FIRST_TILE, SMALLEST_TILE = 32, 8  # in codes
_MOST_BATCHES = 64  # a recipe has no more

Lighter = tuple[
    Recipe, str
]  # a recipe that needs less at once, and a sentence that says what changed


@contextlib.contextmanager
def memory_guard(recipe: Recipe) -> Iterator[None]:
    """Turn torch's running out of memory into OutOfMemory with what to try."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(_advice(recipe)) from None  # the trace back would keep tensors alive


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says by this error that a device has too little memory."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def lightened(recipe: Recipe, device: torch.device, *, drawing: bool) -> Recipe | None:
    """The same recipe with less at once in a step: twice as many batches of cutouts; when each cutout is by
    itself, a decoder that keeps nothing for the way back; at last half precision, where the device has
    it. None if all of that is done already.

    Args:
        drawing: whether memory ran out while drawing, where batches of cutouts do not help.
    """
    if not drawing and (batched := _batched(recipe)) is not None:
        return batched
    if recipe.drawer == "vqgan" and not recipe.engine.checkpoint:
        return _with(recipe, checkpoint=True, compiled=False)  # what is compiled decides by itself
    half = half_precision(device)
    if recipe.precision == "float32" and half is not None:
        return recipe.model_copy(update={"precision": half})
    return None


def lightened_look(recipe: Recipe, device: torch.device, *, drawing: bool) -> Recipe | None:
    """The same recipe with less at once where a picture is only drawn and looked at: more batches of
    cutouts, or while drawing smaller and smaller tiles. None if all of that is done already."""
    if not drawing:
        return _batched(recipe)
    tile = recipe.engine.tile // 2 or FIRST_TILE
    if recipe.drawer != "vqgan" or tile < SMALLEST_TILE:
        return None
    return _with(recipe, tile=tile)


def what_changed(before: Recipe, after: Recipe) -> str:
    """What was done because memory was short, in sentences; nothing if nothing was."""
    found = []
    if after.cutouts.batches != before.cutouts.batches:
        found.append(
            f"the cutouts are looked at in {after.cutouts.batches} batches, which is slower"
        )
    if after.engine.checkpoint != before.engine.checkpoint:
        found.append("the decoder's inner pictures are made twice, which is slower")
    if after.precision != before.precision:
        found.append(f"the arithmetic is in half precision ({after.precision})")
    if after.engine.tile != before.engine.tile:
        found.append(
            f"the finished picture was drawn in tiles of {after.engine.tile} codes, so its contrast may "
            "differ a little from that of the pictures before it"
        )
    return f"Memory was short: now {', and '.join(found)}." if found else ""


def free(device: torch.device) -> None:
    """Give back what no tensor uses."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _batched(recipe: Recipe) -> Recipe | None:
    cutouts = recipe.cutouts
    batches = min(2 * cutouts.batches, cutouts.count, _MOST_BATCHES)
    if batches <= cutouts.batches:
        return None
    lighter = cutouts.model_copy(update={"batches": batches})
    return recipe.model_copy(update={"cutouts": lighter})


def _with(recipe: Recipe, **switches: bool | int) -> Recipe:
    return recipe.model_copy(update={"engine": recipe.engine.model_copy(update=switches)})


def _advice(recipe: Recipe) -> str:
    wishes = []
    if recipe.cutouts.count > 4:
        wishes.append(f"fewer cutouts than {recipe.cutouts.count}")
    smaller = [max(SMALLEST_SIDE, side * 3 // 64 * 16) for side in (recipe.width, recipe.height)]
    size = f"a smaller size than {recipe.width}×{recipe.height}"
    if smaller != [recipe.width, recipe.height]:
        size += f", such as {smaller[0]}×{smaller[1]}"
    wishes.append(size)
    return f"There is too little memory for this picture: try {', or '.join(wishes)}."

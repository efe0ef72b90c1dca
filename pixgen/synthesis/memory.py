"""Too little memory: what still helps, and else an error that says what to do."""

import contextlib
import gc
from collections.abc import Iterator

import torch

from pixgen.errors import OutOfMemory
from pixgen.recipe import Recipe


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


def lightened(recipe: Recipe) -> tuple[Recipe, str] | None:
    """The same recipe with twice as many batches of cutouts, so with less at once, and a sentence that
    says so; None if each cutout is by itself already."""
    cutouts = recipe.cutouts
    batches = min(2 * cutouts.batches, cutouts.count, 64)
    if batches <= cutouts.batches:
        return None
    lighter = cutouts.model_copy(update={"batches": batches})
    said = f"Memory was short: the cutouts are now looked at in {batches} batches, which is slower."
    return recipe.model_copy(update={"cutouts": lighter}), said


def free(device: torch.device) -> None:
    """Give back what no tensor uses."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _advice(recipe: Recipe) -> str:
    wishes = []
    if recipe.cutouts.batches < recipe.cutouts.count:
        wishes.append(f"more batches of cutouts than {recipe.cutouts.batches}")
    if recipe.cutouts.count > 4:
        wishes.append(f"fewer cutouts than {recipe.cutouts.count}")
    wishes.append(f"a smaller size than {recipe.width}×{recipe.height}")
    return f"There is too little memory for this picture: try {', or '.join(wishes)}."

"""Too little memory as an error that says what to do."""

import contextlib
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
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(
            error
        ):
            raise
        raise OutOfMemory(_advice(recipe)) from None  # the trace back would keep tensors alive


def _advice(recipe: Recipe) -> str:
    wishes = []
    if recipe.cutouts.batches < recipe.cutouts.count:
        wishes.append(f"more batches of cutouts than {recipe.cutouts.batches}")
    if recipe.cutouts.count > 4:
        wishes.append(f"fewer cutouts than {recipe.cutouts.count}")
    wishes.append(f"a smaller size than {recipe.width}×{recipe.height}")
    return f"There is too little memory for this picture: try {', or '.join(wishes)}."

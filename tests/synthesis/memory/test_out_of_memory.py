"""Too little memory in the middle: less at once, and on from where it was."""

import numpy as np
import pytest
import torch

from pixgen.errors import OutOfMemory
from pixgen.models import load_perceptor, load_vqgan
from pixgen.models.runtime import current_engine, supported_half_precision
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.memory.out_of_memory import free_cache, lower_memory, memory_guard

CPU = torch.device("cpu")
needs_half = pytest.mark.skipif(
    supported_half_precision(CPU) is None, reason="this processor has no arithmetic in half precision"
)


class Short(torch.nn.Module):
    """A perceptor that has room for a few cutouts at once, from its second look on."""

    def __init__(self, perceptor, *, room: int) -> None:
        super().__init__()
        self.perceptor, self.room, self.looks = perceptor, room, 0
        self.size, self.embed_texts = perceptor.size, perceptor.embed_texts

    def embed_images(self, pictures):
        self.looks += 1
        if self.looks > 1 and len(pictures) > self.room:
            raise torch.OutOfMemoryError("out of memory (injected)")
        return self.perceptor.embed_images(pictures)


class Cramped:
    """A drawer that has room for what ``enough`` allows only, from its second drawing on."""

    def __init__(self, drawer, enough) -> None:
        self.drawer, self.enough, self.drawings = drawer, enough, 0

    def __getattr__(self, name):
        return getattr(self.drawer, name)

    def draw(self, *latent):
        self.drawings += 1
        if self.drawings > 1 and not self.enough():
            raise torch.OutOfMemoryError("out of memory (injected)")
        return self.drawer.draw(*latent)


def furthest(frames, others) -> int:
    """The largest difference between two runs' pictures, of 255."""
    return max(
        np.abs(frame.picture.astype(int) - other.picture.astype(int)).max()
        for frame, other in zip(frames, others, strict=True)
    )


@pytest.fixture
def wanted():
    return make_recipe(
        {"prompts": "a red fox", "width": 32, "height": 32, "steps": 3, "seed": 3},
        {"cutouts": {"kind": "crowson", "count": 6}},  # no chance but the places
    )


def test_smaller_batches_of_cutouts_paint_the_same_picture(wanted, tiny_vqgan, tiny_perceptor):
    whole = list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))
    short = Optimization(wanted, make_drawer(wanted, tiny_vqgan), Short(tiny_perceptor, room=2))
    frames = list(short)
    assert [frame.step for frame in frames] == [0, 1, 2, 3]
    assert [frame.notice != "" for frame in frames] == [False, True, False, False]
    assert "4 batches" in frames[1].notice
    assert short.recipe.cutouts.batches == 4
    assert furthest(frames, whole) <= 2


def test_a_decoder_without_memory_is_checkpointed(wanted, tiny_vqgan, tiny_perceptor):
    whole = list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))
    drawer = Cramped(
        make_drawer(wanted, tiny_vqgan),
        lambda: current_engine().checkpoint or not torch.is_grad_enabled(),
    )
    short = Optimization(wanted, drawer, tiny_perceptor)
    frames = list(short)
    assert short.recipe.engine.checkpoint
    assert short.recipe.cutouts.batches == 1  # cutouts had nothing to do with it
    assert "computed twice" in frames[1].notice
    assert furthest(frames, whole) == 0  # the same arithmetic, done twice


@needs_half
def test_half_precision_is_the_last_resort(wanted, tiny_vqgan, tiny_perceptor):
    whole = list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))
    drawer = Cramped(make_drawer(wanted, tiny_vqgan), lambda: short.recipe.precision != "float32")
    short = Optimization(wanted, drawer, tiny_perceptor)
    frames = list(short)
    assert (short.recipe.precision, short.recipe.engine.checkpoint) == ("bfloat16", True)
    assert "computed twice" in frames[1].notice
    assert "half precision is used (bfloat16)" in frames[1].notice
    assert np.abs(frames[1].picture.astype(int) - whole[1].picture.astype(int)).mean() < 2


def test_a_finished_picture_that_does_not_fit_is_drawn_in_tiles(tiny_vqgan, tiny_perceptor):
    wanted = make_recipe({"prompts": "a red fox", "width": 160, "height": 64, "steps": 1, "seed": 3})
    whole = list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))
    drawer = Cramped(
        make_drawer(wanted, tiny_vqgan), lambda: current_engine().tile or torch.is_grad_enabled()
    )
    short = Optimization(wanted, drawer, tiny_perceptor)
    frames = list(short)
    assert short.recipe.engine.tile == 32
    assert "tiles of 32 codes" in frames[-1].notice
    assert frames[-1].picture.shape == (64, 160, 3)
    assert np.abs(frames[-1].picture.astype(int) - whole[-1].picture.astype(int)).mean() < 6


def test_every_reduction_is_tried_before_giving_up(wanted):
    rungs, recipe = [], wanted
    while (lighter := lower_memory(recipe, CPU, "looking")) is not None:
        rungs.append((lighter.cutouts.batches, lighter.engine.checkpoint))
        recipe = lighter
    assert rungs[:4] == [(2, False), (4, False), (6, False), (6, True)]
    assert len(rungs) == (4 if supported_half_precision(CPU) is None else 5)
    alone = wanted.model_copy(update={"drawer": "pixels", "precision": "bfloat16"})
    assert lower_memory(alone, CPU, "drawing") is None


def test_a_run_with_reduced_memory_keeps_it_when_resumed(wanted, tiny_vqgan, tiny_perceptor):
    drawer = Cramped(make_drawer(wanted, tiny_vqgan), lambda: current_engine().checkpoint)
    short = Optimization(wanted, drawer, tiny_perceptor)
    next(short), next(short)
    resumed = Optimization(short.recipe, make_drawer(wanted, tiny_vqgan), tiny_perceptor)
    resumed.restore(short.state())
    assert np.array_equal(next(resumed).picture, next(short).picture)


def test_out_of_memory_raises_with_advice_and_the_next_run_works(wanted, tiny_vqgan, tiny_perceptor):
    stuck = Optimization(wanted, make_drawer(wanted, tiny_vqgan), Short(tiny_perceptor, room=0))
    next(stuck)
    with pytest.raises(OutOfMemory, match="try fewer cutouts than 6, or a smaller size than 32×32"):
        next(stuck)
    with (
        pytest.raises(OutOfMemory, match="than 512×256, such as 384×192"),
        memory_guard(wanted.model_copy(update={"width": 512, "height": 256})),
    ):
        raise torch.OutOfMemoryError("out of memory (injected)")
    assert len(list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))) == 4


@pytest.mark.gpu
def test_a_gpu_that_may_use_less_goes_on_with_less():
    wanted = make_recipe(
        {"prompts": "a red fox", "width": 256, "height": 256, "steps": 3, "seed": 3},
        {"cutouts": {"count": 24}},
    )
    vqgan, perceptor = load_vqgan("pocket", "cuda"), load_perceptor(["pocket"], "cuda")

    def painted():
        free_cache(torch.device("cuda"))
        torch.cuda.reset_peak_memory_stats()
        painting = Optimization(wanted, make_drawer(wanted, vqgan), perceptor)
        return [frame.step for frame in painting], painting.recipe

    steps, recipe = painted()
    assert recipe == wanted
    peak, whole = torch.cuda.max_memory_allocated(), torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction(0.75 * peak / whole)
    try:
        fewer, lighter = painted()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert fewer == steps
    assert lighter != wanted
    assert torch.cuda.max_memory_allocated() <= 0.75 * peak

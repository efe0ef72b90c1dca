"""Estimate the memory that a recipe needs: a step is traced with tensors that have only shapes.

Source of the method: torch's own FakeTensorMode, and its tracker of storages in
``torch.distributed._tools.mem_tracker``.
"""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import torch
import torch.nn as nn
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixgen.losses import Losses
from pixgen.models.architectures import (
    key_value_cache_bytes,
    random_perceptor,
    random_vqgan,
    sketcher_weight_bytes,
)
from pixgen.models.catalog import get_entry
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.recipe.cutouts import Cutouts
from pixgen.recipe.init import Init
from pixgen.recipe.journey import Journey
from pixgen.recipe.kornia_classes import Kornia
from pixgen.recipe.prompts import Prompt
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.settings import Growth
from pixgen.recipe.story import Story
from pixgen.synthesis.cutouts.augmentations import is_fused_change
from pixgen.synthesis.cutouts.cutouts import CutoutBatch, plan_cutouts
from pixgen.synthesis.cutouts.kornia_pipeline import is_fused
from pixgen.synthesis.cutouts.sampler import make_sampler
from pixgen.synthesis.drawers import make_drawer
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.objective import spherical_dist_loss
from pixgen.synthesis.precision import arithmetic, resolve_precision


class AllocationTrace(TorchDispatchMode):
    """Counts the bytes of the tensors that are alive while it is entered, and their peak."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._alive: dict[int, weakref.ref] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.add(tensor)
        return made

    def add(self, tensor: torch.Tensor) -> None:
        """Count a tensor that existed before, such as a model's weight."""
        storage = tensor.untyped_storage()
        number = storage._cdata
        if number in self._alive:
            return
        size = storage.nbytes()

        def gone(_: weakref.ref) -> None:
            self._alive.pop(number, None)
            self.held -= size

        self._alive[number] = weakref.ref(storage, gone)
        self.held += size
        self.peak = max(self.peak, self.held)

    def begin_peak(self) -> None:
        """Start a new peak from what is alive now."""
        self.peak = self.held


@contextmanager
def trace_shapes() -> Iterator[AllocationTrace]:
    """Inside, new tensors have a shape but no content, and take no memory; yields the trace that counts
    them."""
    with FakeTensorMode(allow_non_fake_inputs=True), AllocationTrace() as trace:
        yield trace


M = TypeVar("M", bound=nn.Module)


def materialise(module: M, device: str) -> M:
    """Give a module that was made on the meta device weights on ``device``, in place; inside ``trace_shapes``
    these have no content either."""
    for part in module.modules():
        stores: tuple[dict[str, Any], ...] = (part._parameters, part._buffers)
        for tensors in stores:
            for name, tensor in tensors.items():
                if tensor is not None:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
                    tensors[name] = (
                        nn.Parameter(empty, requires_grad=False)
                        if isinstance(tensor, nn.Parameter)
                        else empty
                    )
    return module


# On a CPU, what torch's libraries take for themselves, and what the allocator wastes; fitted once to
# what `bench memory` measures with the bundled pair and with an ImageNet VQGAN and ViT-B/32.
_CPU_LIBRARIES, _CPU_WASTE = 45_000_000, 1.15
# On a GPU, beside tensors: cuBLAS's workspace (32 MiB on Hopper, 8.1 MiB before, by torch's documentation of
# CUBLAS_WORKSPACE_CONFIG), and as much again for cuDNN's. Its context (some 300 to 500 MB) is no part of what the
# driver calls free. Not measured yet: `pixgen bench gpu` does.
CUDA_WORKSPACES = 2 * 32 * 2**20
# A captured pass keeps its input and output, and the memory that it works in, for itself.
_CUDA_WASTE = 1.1


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of the models' weights, and the peak that a step needs beside them."""

    weights: int
    step: int

    @property
    def total(self) -> int:
        """Bytes that must be free before the models are loaded."""
        return self.weights + self.step


def estimate_memory(recipe: Recipe, *, device: str = "cpu") -> MemoryEstimate:
    """Estimate the memory that a recipe needs on a device, models included, without loading or computing
    anything.

    Raises ModelError if the architecture of a model is not known before it is downloaded.
    """
    # Only the fields that matter are kept, so that another prompt finds the estimate in the cache.
    alike = recipe.model_copy(
        update={
            "prompts": ((Prompt(text="-"),),),
            "translations": (),
            "earlier_steps": (),
            "story": Story(),
            "journey": Journey(),
            "cutouts": _traceable(recipe),
            "engine": recipe.engine.model_copy(update={"augmentations": "fused"}),
            "seed": 0,
            "steps": 1,
            "preset": "",
            "changes": (),
            "losses": Losses(),
            "init": Init(),
            "grow": Growth(),  # the whole canvas, as at the end
        }
    )
    found = _trace_recipe(resolve_precision(alike, torch.device(device)))
    weights, step = found.weights, found.step
    if recipe.needs_sketcher:
        sketch = recipe.init.sketch
        weights += sketcher_weight_bytes(sketch.model, device) + _sketch_vqgan_bytes(recipe)
        # The sketch is done before the first step is made.
        step = max(step, key_value_cache_bytes(sketch.model, device, count=sketch.candidates))
    if device == "cpu":
        step = round(step * _CPU_WASTE) + _CPU_LIBRARIES
    else:
        step = round(step * _CUDA_WASTE) + CUDA_WORKSPACES
    return MemoryEstimate(weights, step)


def _traceable(recipe: Recipe) -> Cutouts:
    """The recipe's cutouts without the augmentations that kornia itself applies: kornia reads values, which
    shapes alone do not have. Next to CLIP's activations, its copies of the cutouts are small."""
    cutouts = recipe.cutouts.set_of(recipe.version)
    kept = tuple(
        each
        for each in cutouts.augmentations
        if not isinstance(each, Kornia) or is_fused(each) or is_fused_change(each)
    )
    if kept == cutouts.augmentations:
        return recipe.cutouts
    own = cutouts.model_copy(update={"augmentations": kept})
    return recipe.cutouts.model_copy(update={"own": own})


def _sketch_vqgan_bytes(recipe: Recipe) -> int:
    """Bytes of the sketch model's VQGAN, where the drawer does not use the same one."""
    name = get_entry(recipe.init.sketch.model, "sketcher").vqgan
    if not name or (recipe.drawer_kind.needs_vqgan and recipe.model == name):
        return 0
    return sum(part.numel() * part.itemsize for part in random_vqgan(name, "meta").parameters())


@lru_cache(maxsize=64)
def _trace_recipe(recipe: Recipe) -> MemoryEstimate:
    needs_vqgan = recipe.drawer_kind.needs_vqgan
    vqgan = random_vqgan(recipe.model, "meta", recipe.config) if needs_vqgan else None
    perceptor = random_perceptor(recipe.clip_names, "meta")
    drawer = None if needs_vqgan else make_drawer(recipe)
    generator = torch.Generator().manual_seed(0)
    cutouts, side = recipe.cutouts, perceptor.size
    sampler = make_sampler(recipe, size=side, generator=generator, noise=generator)
    placed = sampler.warp(sampler.place(cutouts.count, aspect=recipe.width / recipe.height), step=0)
    batches = list(
        plan_cutouts(
            sampler,
            placed,
            torch.ones(cutouts.count, 1),
            step=0,
            batches=cutouts.batches,
            size=side,
            height=recipe.height,
            width=recipe.width,
            device=generator.device,
        )
    )
    with trace_shapes() as trace:
        materialise(perceptor, "cpu")
        if drawer is None:
            drawer = make_drawer(recipe, vqgan and materialise(vqgan, "cpu"))
        weights = trace.held
        trace.begin_peak()
        with arithmetic(recipe, torch.device("cpu")), torch.enable_grad():
            _step(drawer, perceptor, batches)
        return MemoryEstimate(weights, trace.peak - weights)


def _step(drawer: Drawer, perceptor: Perceptor | Perceptors, batches: list[CutoutBatch]) -> None:
    """A step of ``Optimization``, reduced to what takes memory."""
    moments = [torch.zeros_like(drawer.latent) for _ in range(2)]
    drawn = drawer.draw()
    picture = drawn.detach().requires_grad_()
    for batch in batches:
        seen = batch.see(picture)
        vectors = perceptor.embed_images(seen).float()
        target = torch.zeros(1, vectors.shape[1])
        spherical_dist_loss(vectors, target).mean().backward()
        del seen, vectors
    drawn.backward(picture.grad)
    moments.clear()

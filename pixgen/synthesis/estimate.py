"""How much memory a recipe takes, found from shapes alone: nothing is computed, no weight is read."""

from dataclasses import dataclass
from functools import lru_cache

import torch

from pixgen.growing import Growth
from pixgen.losses import Losses
from pixgen.models.catalog import find
from pixgen.models.published import (
    random_perceptor,
    random_vqgan,
    sketcher_bytes,
    sketching_bytes,
)
from pixgen.prompts import Prompt
from pixgen.recipe import Recipe
from pixgen.start import Start
from pixgen.synthesis.cutout_plan import CutoutBatch, plan_cutouts
from pixgen.synthesis.cutouts import place
from pixgen.synthesis.drawers import Drawer
from pixgen.synthesis.losses import spherical_dist_loss
from pixgen.synthesis.making import make_drawer
from pixgen.synthesis.precision import arithmetic
from pixgen.synthesis.tracing import filled, shapes_alone

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
class Estimate:
    """Bytes: of the models' weights, and of the most that a step needs beside them."""

    weights: int
    step: int

    @property
    def total(self) -> int:
        """What must be free before models are loaded."""
        return self.weights + self.step


def estimate(recipe: Recipe, *, device: str = "cpu") -> Estimate:
    """What a recipe takes on a device, models and all, without loading or computing anything.

    Raises ModelError if the form of a model is not known before it is fetched.
    """
    # Only what matters is kept, so that the next prompt finds the answer ready.
    alike = recipe.model_copy(
        update={
            "prompts": ((Prompt(text="-"),),), "seed": 0, "steps": 1, "preset": "", "changes": (),
            "losses": Losses(), "start": Start(), "grow": Growth(),  # the whole canvas, as at the end
        }
    )  # fmt: skip
    found = _traced(alike)
    weights, step = found.weights, found.step
    if recipe.sketched:
        sketch = recipe.start.sketch
        weights += sketcher_bytes(sketch.model, device) + _own_vqgan(recipe)
        # The sketch is done before the first step is made.
        step = max(step, sketching_bytes(sketch.model, device, count=sketch.candidates))
    if device == "cpu":
        step = round(step * _CPU_WASTE) + _CPU_LIBRARIES
    else:
        step = round(step * _CUDA_WASTE) + CUDA_WORKSPACES
    return Estimate(weights, step)


def _own_vqgan(recipe: Recipe) -> int:
    """What the weights of the VQGAN take whose codes a sketcher writes, where another one draws."""
    name = find(recipe.start.sketch.model, "sketcher").vqgan
    if not name or (recipe.drawn_by.needs_vqgan and recipe.model == name):
        return 0
    return sum(part.numel() * part.itemsize for part in random_vqgan(name, "meta").parameters())


@lru_cache(maxsize=64)
def _traced(recipe: Recipe) -> Estimate:
    drawn_by_vqgan = recipe.drawn_by.needs_vqgan
    vqgan = random_vqgan(recipe.model, "meta", recipe.config) if drawn_by_vqgan else None
    perceptor = random_perceptor(recipe.clip_names, "meta")
    drawer = None if drawn_by_vqgan else make_drawer(recipe)
    generator = torch.Generator().manual_seed(0)
    cutouts, side = recipe.cutouts, perceptor.size
    fused = recipe.engine.augmentations == "fused"
    placed = place(
        cutouts.set, cutouts.count, aspect=recipe.width / recipe.height, generator=generator,
        size=side, fused=fused,
    )  # fmt: skip
    batches = list(plan_cutouts(
        cutouts.set, placed, torch.ones(cutouts.count, 1), batches=cutouts.batches, size=side,
        height=recipe.height, width=recipe.width, generator=generator, device_generator=generator,
        fused=fused,
    ))  # fmt: skip
    with shapes_alone() as trace:
        filled(perceptor, "cpu")
        if drawn_by_vqgan:
            drawer = make_drawer(recipe, filled(vqgan, "cpu"))
        weights = trace.held
        trace.begin_peak()
        with arithmetic(recipe, torch.device("cpu")), torch.enable_grad():
            _step(drawer, perceptor, batches)
        return Estimate(weights, trace.peak - weights)


def _step(drawer: Drawer, perceptor, batches: list[CutoutBatch]) -> None:
    """What ``Optimization`` does in a step, as far as it takes memory."""
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

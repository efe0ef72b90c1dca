"""Inputs of the benchmarks: a recipe's models, with random weights where none are downloaded, and pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch.nn as nn
from PIL import Image

from pixgen.models import Perceptor, Vqgan, load_perceptor, load_vqgan
from pixgen.models.architectures import build_clip, random_perceptor, random_vqgan
from pixgen.models.catalog import Kind, find_entry
from pixgen.models.checkpoints.safetensors import load_weights
from pixgen.models.clip.perceptor import Perceptors
from pixgen.models.registry import state_of
from pixgen.recipe.recipe import Recipe

SIDE = 128  # pixels


def save_pictures(folder: Path, count: int) -> None:
    """Write small PNG files with random shapes."""
    chance = np.random.default_rng(1)
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    for number in range(count):
        picture = np.empty((SIDE, SIDE, 3), np.uint8)
        picture[:] = chance.integers(0, 256, 3)
        for _ in range(4):
            row, column, reach = chance.integers(0, SIDE, 3)
            picture[(rows - row) ** 2 + (columns - column) ** 2 < reach**2 / 4] = chance.integers(0, 256, 3)
        Image.fromarray(picture).save(folder / f"{number}.png")


@dataclass(frozen=True)
class BenchModels:
    """A recipe's models, and the names of those whose weights are random."""

    vqgan: Vqgan
    perceptor: Perceptor | Perceptors
    random: tuple[str, ...]

    def bytes(self) -> int:
        """Bytes of their weights."""
        weights = [*self.vqgan.parameters(), *self.perceptor.parameters()]
        return sum(weight.nbytes for weight in weights)


def load_bench_models(recipe: Recipe, device: str) -> BenchModels:
    """A recipe's models on a device; nothing is fetched. Raises ModelError."""
    random = []
    if _is_available(recipe.model, "vqgan"):
        vqgan = load_vqgan(recipe.model, device)
    else:
        vqgan = random_vqgan(recipe.model, device)
        random.append(recipe.model)
    absent = [name for name in recipe.clip_names if not _is_available(name, "clip")]
    load = random_perceptor if absent else load_perceptor
    return BenchModels(vqgan, load(recipe.clip_names, device), (*random, *absent))


def _is_available(name: str, kind: Kind) -> bool:
    entry = find_entry(name, kind)
    return entry is not None and state_of(entry) != "to fetch"


def open_clip_tower(name: str, clip: Perceptor) -> nn.Module:
    """A CLIP's image tower as open_clip builds it, without pixgen's optimizations."""
    entry = find_entry(name, "clip")
    if entry is None or not entry.bundled:
        return clip.model.visual
    model, _ = build_clip(name)
    load_weights(model, entry.weights)
    return model.visual.eval().requires_grad_(False).to(clip.device)

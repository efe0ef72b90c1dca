"""What all trainings share: model sizes, checkpoints that resume, a learning-rate schedule, averages and a log.

The bundled models are built like the full-size ones, small enough to be bundled.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Protocol

import torch
import torch.nn as nn
from rich.console import Console

from pixgen.models.runtime import supported_half_precision

console = Console()


VOCABULARY_SIZE = 4096
TEXT = {"context_length": 40, "vocab_size": VOCABULARY_SIZE, "width": 192, "heads": 3, "layers": 2}

# taming's decoder with few channels, and therefore fewer groups: with its 32, each of 32 channels is
# normalised alone, the picture's own colours are lost, and a bright spot in a corner must carry them.
# Padding the coarse levels with zeros would show them where such a corner is.
# The low width of the codes keeps all of them in use (arXiv 2110.04627).
VQGAN = {
    "target": "taming.models.vqgan.VQModel",
    "params": {
        "embed_dim": 32,
        "n_embed": 4096,
        "norm_groups": 8,
        "replicate_from_level": 2,
        "ddconfig": {
            "double_z": False, "z_channels": 64, "resolution": 128, "in_channels": 3, "out_ch": 3,
            "ch": 32, "ch_mult": [1, 1, 2, 4], "num_res_blocks": 1, "attn_resolutions": [],
            "dropout": 0.0,
        },
    },
}  # fmt: skip

# CLIP's own convolutional tower, in small: anti-aliased strides give smooth gradients.
CLIP = {
    "embed_dim": 256,
    "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 2], "width": 32, "head_width": 64},
    "text_cfg": TEXT,
}

# Predicts four codes per pass. Texts are encoded by the CLIP's text tower.
SKETCHER = {
    "vqgan": "pocket", "clip": "pocket", "grid": 16, "codes": VQGAN["params"]["n_embed"], "code_width": VQGAN["params"]["embed_dim"],
    "width": 256, "depth": 8, "heads": 4, "places": 20,
    "text_width": TEXT["width"], "vector_width": CLIP["embed_dim"],
    "vocabulary": VOCABULARY_SIZE, "memory": 12,
}  # fmt: skip

# Doubles what the VQGAN has decoded.
ENLARGER = {"width": 40, "depth": 6}

# The evaluator shares neither tower nor seed with the models that it measures.
JUDGE = {
    "embed_dim": 192,
    "vision_cfg": {
        "image_size": 64,
        "timm_model_name": "regnetx_004_tv",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
    "text_cfg": {**TEXT, "width": 128, "heads": 2},
}


class Checkpoint:
    """Saves the state of a training to one file at intervals, so that it can resume."""

    def __init__(self, path: Path, *, every_seconds: float = 120) -> None:
        self.path, self.every_seconds, self._saved = path, every_seconds, time.monotonic()

    def load(self) -> dict | None:
        """The saved state, or None if there is none."""
        if not self.path.exists():
            return None
        return torch.load(self.path, map_location="cpu", weights_only=True)

    def save(self, state: Callable[[], dict], *, now: bool = False) -> None:
        """Save if the interval has passed; an interrupted write never replaces a complete file."""
        if not now and time.monotonic() - self._saved < self.every_seconds:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        torch.save(state(), part)
        part.replace(self.path)
        self._saved = time.monotonic()


class Log:
    """Prints the mean metrics every few steps and appends them to a JSON-lines file."""

    def __init__(self, path: Path, *, every: int = 50) -> None:
        self.path, self.every = path, every
        self._sums: dict[str, float] = {}
        self._count, self._start = 0, time.monotonic()

    def add(self, step: int, steps: int, figures: dict[str, float]) -> None:
        """Add one step's metrics; each line has their means."""
        self._count += 1
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)
        if step % self.every == 0 and self._count:
            means = {name: value / self._count for name, value in self._sums.items()}
            seconds = (time.monotonic() - self._start) / self._count
            self.write({"step": step, "steps": steps, **means, "seconds_a_step": seconds})
            self._sums, self._count, self._start = {}, 0, time.monotonic()

    def write(self, figures: dict) -> None:
        """Print and append one line."""
        rounded = {
            name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()
        }
        console.print(" ".join(f"{name} {value}" for name, value in rounded.items()), highlight=False)
        with self.path.open("a") as file:
            file.write(json.dumps(rounded) + "\n")


class Resumable(Protocol):
    """The state of a training that can be loaded from a checkpoint."""

    step: int

    def load(self, saved: dict) -> None:
        """Load the state of a checkpoint."""


def open_checkpoint(state: Resumable, folder: Path) -> tuple[Checkpoint, Log]:
    """The checkpoint and the log of a training in ``folder``; a saved state is loaded into ``state``."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, log = Checkpoint(folder / "checkpoint.pt"), Log(folder / "log.jsonl")
    if saved := checkpoint.load():
        state.load(saved)
    return checkpoint, log


def half_autocast(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 where the hardware supports it; a CPU without it would be some 200 times slower."""
    return torch.autocast(device.type, torch.bfloat16, enabled=supported_half_precision(device) is not None)


class Schedule(Protocol):
    """The number of steps and the highest learning rate of a training."""

    @property
    def steps(self) -> int: ...

    @property
    def learning_rate(self) -> float: ...


class TrainingState:
    """The state of a training, as checkpoints keep it: model, moving average, optimizer, step and config."""

    PARTS: ClassVar[tuple[str, ...]] = ("model", "average", "optimizer")
    model: nn.Module
    average: nn.Module  # of the model's weights
    optimizer: torch.optim.Optimizer
    training: Schedule
    config: dict
    step: int

    def set_rate(self, *, warm_up: int = 200) -> float:
        """Set the learning rate of this step, and return it."""
        steps = self.training.steps
        rate = self.training.learning_rate * cosine_schedule(self.step, steps, warm_up=warm_up)
        set_rate(self.optimizer, rate)
        return rate

    def optimizer_step(self, learned: Iterable[nn.Parameter] | None = None) -> None:
        """Clip the gradients to length 1, step the optimizer, and update the average.

        Args:
            learned: the parameters with gradients; by default all of the model.
        """
        parameters = self.model.parameters() if learned is None else learned
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        update_average(self.average, self.model, self.step)
        self.step += 1

    def checkpoint_state(self) -> dict:
        """The state to save in a checkpoint."""
        parts = {name: getattr(self, name).state_dict() for name in self.PARTS}
        return {**parts, "step": self.step, "config": json.dumps(self.config)}

    def load(self, saved: dict) -> None:
        """Load the state of a checkpoint."""
        for name in self.PARTS:
            getattr(self, name).load_state_dict(saved[name])
        self.step = saved["step"]


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int) -> None:
    """Move an average's weights towards the model's: fast in the first steps, then by a thousandth. Integer
    buffers are copied."""
    keep = min(0.999, (step + 1) / (step + 20))
    both = zip(average.state_dict().values(), model.state_dict().values(), strict=True)
    for ours, theirs in both:
        if ours.dtype.is_floating_point:
            ours.lerp_(theirs, 1 - keep)
        else:
            ours.copy_(theirs)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate from here on; a group's ``speed`` multiplies it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("speed", 1.0)


def adamw(
    model: nn.Module,
    *,
    learning_rate: float,
    weight_decay: float,
    betas: tuple[float, float],
    quick: Mapping[str, float] = MappingProxyType({}),
) -> torch.optim.AdamW:
    """AdamW with weight decay for matrices, but not for biases, norms or scales.

    Args:
        quick: parameters of which each example moves a few rows only, and how many times as fast as
            the rest they learn; a group's ``speed``. They do not decay.
    """
    groups = [
        {"params": [model.get_parameter(name)], "weight_decay": 0.0, "speed": speed}
        for name, speed in quick.items()
    ]
    others = [each for name, each in model.named_parameters() if name not in quick]
    decayed = [each for each in others if each.ndim > 1]
    rest = [each for each in others if each.ndim <= 1]
    groups += [
        {"params": decayed, "weight_decay": weight_decay, "speed": 1.0},
        {"params": rest, "weight_decay": 0.0, "speed": 1.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, fused=True)


def cosine_schedule(step: int, steps: int, *, warm_up: int = 200, floor: float = 0.02) -> float:
    """The learning rate's factor: a linear warm-up, then half a cosine down to ``floor``."""
    if step < warm_up:
        return (step + 1) / warm_up
    part = min(1.0, (step - warm_up) / max(1, steps - warm_up))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * part))

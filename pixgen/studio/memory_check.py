"""Compares the memory that a recipe needs with the free memory, before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixgen.errors import ModelError
from pixgen.models.catalog import code_family
from pixgen.recipe.recipe import Recipe

Verdict = Literal["fits", "tight", "too much", "unknown"]
_COMFORTABLE = 0.8  # of the free memory: estimates may be a fifth off
_SMALL_PIXELS, _SMALL_CUTOUTS, _SMALL_BYTES = 256 * 256, 64, 2_000_000_000
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryCheck:
    """The bytes that a run needs, models included, and the bytes that are free; None if unknown."""

    needed: int
    free: int | None

    @property
    def verdict(self) -> Verdict:
        """Whether the run fits."""
        if self.free is None:
            return "unknown"
        if self.needed <= _COMFORTABLE * self.free:
            return "fits"
        return "tight" if self.needed <= self.free else "too much"


def check_memory(recipe: Recipe, device: str) -> MemoryCheck | None:
    """Estimate a recipe's memory; None if a model's architecture is unknown before its download.

    The first call takes about a second.
    """
    from pixgen.synthesis.memory.estimate import estimate_memory  # here: it loads torch

    try:
        return MemoryCheck(estimate_memory(recipe, device=device).total, free_bytes(device))
    except ModelError:
        return None


def memory_warning(recipe: Recipe, device: str) -> str:
    """A sentence if memory may not suffice, else empty. Small recipes skip the estimate."""
    free = free_bytes(device)
    if free is None or (_is_small(recipe) and free > _SMALL_BYTES):
        return ""
    found = check_memory(recipe, device)
    if found is None or found.free is None or found.verdict not in ("tight", "too much"):
        return ""
    said = "barely" if found.verdict == "tight" else "not"
    return (
        f"This takes about {format_bytes(found.needed)} of memory, and {format_bytes(found.free)} are free: it will "
        f"{said} fit. Less is done at once if need be."
    )


def needed_bytes(recipe: Recipe, device: str) -> int:
    """The bytes that a recipe needs on a device; 0 if that is unknown, or too little to matter."""
    if _is_small(recipe):
        return 0
    from pixgen.synthesis.memory.estimate import estimate_memory  # here: it loads torch

    try:
        return estimate_memory(recipe, device=device).total
    except ModelError:
        return 0


def _is_small(recipe: Recipe) -> bool:
    """Whether a recipe fits nearly anywhere: the bundled models and a small picture."""
    pocket = code_family(recipe.model) == "pocket" and not (
        recipe.needs_sketcher and recipe.init.sketch.model != "pocket"
    )
    bundled = pocket and set(recipe.clip_names) == {"pocket"}
    return (
        bundled and recipe.width * recipe.height <= _SMALL_PIXELS and recipe.cutouts.count <= _SMALL_CUTOUTS
    )


def free_bytes(device: str) -> int | None:
    """The free memory of a device for this process, in bytes; None if unknown."""
    if device.startswith("cuda"):
        import torch

        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):  # not Linux
        return None
    return min(free, _of_container(free))


def format_bytes(count: int) -> str:
    """Bytes in MB or GB, such as ``1.4 GB``."""
    if count < 995_000_000:
        return f"{round(count / 1e6, -1):.0f} MB"
    return f"{count / 1e9:.1f} GB"


def _of_container(otherwise: int) -> int:
    """The bytes that a container's limit leaves, or ``otherwise`` without a limit."""
    try:
        most = (_CGROUP / "memory.max").read_text().strip()
        if most == "max":
            return otherwise
        taken = int((_CGROUP / "memory.current").read_text())
        stat = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        return int(most) - taken + int(stat.get("inactive_file", 0))  # cached files can be dropped
    except (OSError, ValueError):
        return otherwise

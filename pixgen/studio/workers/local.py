"""A worker on a device of this process, and the devices that ``--devices`` names."""

import contextlib
import gc
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL import Image

from pixgen.errors import DeviceError, OutOfMemory
from pixgen.models.progress import DownloadProgress, listen_to_downloads
from pixgen.recipe.recipe import Recipe
from pixgen.studio.memory_check import free_bytes
from pixgen.studio.model_cache import ModelCache, resolve_device
from pixgen.studio.scheduler import FairLock

if TYPE_CHECKING:
    from pixgen.synthesis import Frame, Optimization

Painter = Callable[[Recipe, Mapping[str, Image.Image], str, ModelCache], "Optimization"]
MOST_WORKERS = 64  # on the CPU of one machine


def paint(
    recipe: Recipe, pictures: Mapping[str, Image.Image], device: str, models: ModelCache
) -> "Optimization":
    """The Optimization of a recipe, with the models that it names; the default ``painter`` of a studio."""
    from pixgen.synthesis import Optimization, make_drawer  # here: it loads torch

    vqgan, perceptor, book = _load_models(recipe, models)
    drawer = make_drawer(recipe, vqgan, pictures=pictures, device=device)
    return Optimization(recipe, drawer, perceptor, pictures=pictures, sketch_model=book)


def _load_models(recipe: Recipe, models: ModelCache) -> tuple:
    """A recipe's VQGAN, perceptor and sketch model; if memory runs out, unload all others and try again."""
    from pixgen.models import weight_members
    from pixgen.synthesis.memory.out_of_memory import memory_guard

    def load() -> tuple:
        with memory_guard(recipe):
            return (
                models.vqgan(recipe.model, recipe.config) if recipe.drawer_kind.needs_vqgan else None,
                weight_members(models.perceptor(recipe.clip_names), recipe.clip_weights, recipe.clip_shares),
                models.sketch_model(recipe.init.sketch.model, model=recipe.model)
                if recipe.needs_sketcher
                else None,
            )

    with contextlib.suppress(OutOfMemory):
        return load()
    models.clear()
    free_device_memory()
    return load()


def parse_devices(text: str) -> tuple[str, ...]:
    """The devices that a text names, one for each worker: ``cuda:0,cuda:1`` are two GPUs, ``cpu:2`` is the CPU
    twice, with half of its cores each. Nothing is loaded to check that they exist. Raises DeviceError."""
    devices: list[str] = []
    for part in text.split(","):
        name = part.strip()
        if found := re.fullmatch(r"cpu:(\d{1,4})", name):
            count = int(found[1])
            if not 1 <= count <= MOST_WORKERS:
                raise DeviceError(
                    "“{name}” is not possible: the CPU can have from 1 to {limit} workers.",
                    name=name,
                    limit=MOST_WORKERS,
                )
            devices += ["cpu"] * count
        else:
            devices.append(name)
    unknown = [name for name in devices if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name)]
    if unknown:
        raise DeviceError(
            "There is no device “{name}”: write for example cuda:0,cuda:1 or cpu:2.", name=unknown[0][:40]
        )
    cuda = [name for name in devices if name != "cpu"]
    if len(set(cuda)) < len(cuda) or ("auto" in cuda and len(devices) > 1):
        raise DeviceError(
            "Each GPU can be named once, and auto only alone: write for example cuda:0,cuda:1 or cpu:2."
        )
    return tuple(devices)


def make_local_workers(devices: Sequence[str], *, painter: Painter = paint) -> list["LocalWorker"]:
    """One worker for each device. Those on the CPU share its cores and their models.

    Raises DeviceError if a device is not available.
    """
    names = [name if name == "auto" else resolve_device(name) for name in devices]
    shares = names.count("cpu")
    threads = max(1, (os.cpu_count() or 1) // shares) if shares > 1 else None
    models = ModelCache(lambda: "cpu") if shares > 1 else None
    workers = []
    for index, name in enumerate(names):
        if name == "cpu" and shares > 1:
            number = names[: index + 1].count("cpu")
            workers.append(
                LocalWorker(name, painter=painter, name=f"cpu {number}", models=models, threads=threads)
            )
        else:
            workers.append(LocalWorker(name, painter=painter))
    return workers


class LocalWorker:
    """Paints on one device of this process.

    Args:
        device: as for ``resolve_device``; found on first use.
        painter: builds the optimization that yields the frames.
        name: by default the device.
        models: the loaded models, which workers on one device may share.
        threads: how many threads one operation uses on the CPU; by default torch's own number.
    """

    def __init__(
        self,
        device: str,
        *,
        painter: Painter = paint,
        name: str = "",
        models: ModelCache | None = None,
        threads: int | None = None,
    ) -> None:
        self._device_name, self._name, self._painter, self._threads = device, name, painter, threads
        self.models = models or ModelCache(lambda: self.device)
        self.lock = FairLock()  # of the device, held for one step at a time

    @cached_property
    def device(self) -> str:
        """The device that holds the models and paints, such as ``cpu`` or ``cuda:0``."""
        return resolve_device(self._device_name)

    @property
    def name(self) -> str:
        """The name for people."""
        return self._name or self.device

    @cached_property
    def memory(self) -> int | None:
        """The bytes that were free on a GPU at first; None on the CPU, which every recipe may try."""
        return None if self.device == "cpu" else free_bytes(self.device)

    def prepare(self) -> None:
        """Set the number of threads for the operations of the calling thread."""
        if self._threads is not None:
            import torch  # here: it takes two seconds

            torch.set_num_threads(self._threads)

    def paint(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Any],
        *,
        state: dict[str, Any] | None,
        save_every: float,
        report: Callable[[DownloadProgress], None],
    ) -> "LocalPainting":
        """As ``Worker.paint``."""
        with listen_to_downloads(report):
            optimization = self._painter(recipe, pictures, self.device, self.models)
        if state is not None:
            optimization.restore(state)
        return LocalPainting(optimization, lock=self.lock, save_every=save_every)

    def free_memory(self) -> None:
        """Drop the loaded models, after memory ran out."""
        self.models.clear()
        free_device_memory()

    def replace(self) -> bool:
        """A device of this process is never lost alone."""
        return True

    def close(self) -> None:
        """Drop the loaded models."""
        self.models.clear()


class LocalPainting(Iterator["Frame"]):
    """An optimization on a local device, which holds the device's lock for one step at a time."""

    def __init__(self, optimization: "Optimization", *, lock: FairLock, save_every: float) -> None:
        self._optimization, self._lock, self._save_every = optimization, lock, save_every
        self._halted, self._saved = False, time.monotonic()

    @property
    def recipe(self) -> Recipe:
        """The recipe with the changes made so far."""
        return self._optimization.recipe

    def __next__(self) -> "Frame":
        if self._halted:
            raise StopIteration
        with self._lock:
            return next(self._optimization)

    def change(self, **changes: Any) -> None:
        """As ``Optimization.change``."""
        self._optimization.change(**changes)

    def watch_cutouts(self, watch: bool) -> None:
        """As ``Optimization.watch_cutouts``."""
        if set_watch := getattr(self._optimization, "watch_cutouts", None):
            set_watch(watch)

    def checkpoint(self) -> dict[str, Any] | None:
        """The state after the newest frame, if it is time to save it."""
        if time.monotonic() - self._saved < self._save_every:
            return None
        self._saved = time.monotonic()
        return self._optimization.state()

    def halt(self) -> None:
        """Begin no further step."""
        self._halted = True

    def resume(self) -> None:
        """Begin steps again after ``halt``."""
        self._halted = False

    def state(self) -> dict[str, Any]:
        """The state after the newest frame."""
        return self._optimization.state()

    def close(self) -> None:
        """Do nothing: the optimization's memory is freed with it."""


def free_device_memory() -> None:
    """Give memory that nothing uses any more back to the device."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()

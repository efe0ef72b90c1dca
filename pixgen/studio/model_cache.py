"""The loaded models of a studio: each is loaded once and shared, and the least recently used ones are dropped.

A model that may have to be downloaded can be loaded on a background thread, with progress and cancellation; or it is
downloaded alone, before it is used.
"""

import logging
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pixgen.errors import DeviceError, ModelError, PixgenError
from pixgen.models.catalog import Entry, Kind, code_family, get_entry
from pixgen.models.progress import DownloadProgress, listen_to_downloads
from pixgen.models.registry import fetch
from pixgen.recipe.recipe import Recipe
from pixgen.studio.jobs import StopRequested
from pixgen.studio.policy import Policy

if TYPE_CHECKING:
    from pixgen.models import Perceptor, Vqgan
    from pixgen.synthesis import SketchModel, UnClipModel


_SECONDS_BETWEEN = 0.1


def resolve_device(name: str) -> str:
    """The device by its name; ``auto`` is a CUDA device where there is one, else the CPU.

    Raises DeviceError, which lists what there is.
    """
    if name == "cpu":
        return name
    if name != "auto" and not re.fullmatch(r"cuda(:\d+)?", name):
        raise DeviceError("There is no device “{name}”: choose auto, cpu, cuda or cuda:NUMBER.", name=name)
    import torch  # here: two seconds, which naming the CPU need not wait for

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if count else "cpu"
    if int(name.partition(":")[2] or 0) >= count:
        there = ", ".join(["auto", "cpu", *(f"cuda:{index}" for index in range(count))])
        raise DeviceError("The device “{name}” is not available: choose {there}.", name=name, there=there)
    return name


log = logging.getLogger(__name__)
MAX_DOWNLOADS = 2  # at once, of those that people ask for
_RECENT = 300.0  # seconds for which it is shown how a download has ended
MAX_MODELS = 4  # a VQGAN, its perceptor, its sketcher, and one for another tab


class ModelCache:
    """Loads models by name onto one device. Any thread may call it; a loaded model is returned at once.

    Args:
        device: returns the device; called when the first model is loaded.
        load_vqgan, load_perceptor, load_sketcher: take a name (or names) and a device; pixgen.models' by default.
    """

    def __init__(
        self,
        device: Callable[[], str],
        *,
        load_vqgan: Callable[[str, str], Any] | None = None,
        load_perceptor: Callable[[tuple[str, ...], str], Any] | None = None,
        load_sketcher: Callable[[str, str], Any] | None = None,
    ) -> None:
        self._device = device
        self._loaders = {
            "load_vqgan": load_vqgan,
            "load_perceptor": load_perceptor,
            "load_sketcher": load_sketcher,
        }
        self._lock = threading.Lock()  # of the two tables, held for moments
        self._loaded: OrderedDict[tuple, Any] = OrderedDict()  # the latest used one last
        self._loading: dict[tuple, threading.Lock] = {}

    def vqgan(self, name: str, config: str = "") -> "Vqgan":
        """The VQGAN of that name, or of that checkpoint with its config. Raises ModelError, OutOfMemory."""
        return self._get("load_vqgan", name, *([config] if config else []))

    def perceptor(self, names: tuple[str, ...]) -> "Perceptor":
        """The CLIPs of those names as one perceptor. Raises ModelError, OutOfMemory."""
        return self._get("load_perceptor", tuple(names))

    def sketch_model(self, name: str, *, model: str = "") -> "SketchModel | UnClipModel":
        """The sketcher of that name, with the models that it works with. Raises ModelError,
        OutOfMemory.

        Args:
            model: the VQGAN of the recipe, which decodes the sketches if it shares the sketcher's codes.
        """
        from pixgen.models.sketchers.unclip import UnClip  # here: it loads torch
        from pixgen.synthesis import SketchModel, UnClipModel

        sketcher = self._get("load_sketcher", name)
        if isinstance(sketcher, UnClip):
            return UnClipModel(sketcher)
        clip = sketcher.clip_name
        reader = self.perceptor((clip,)) if clip else None
        shared = code_family(model) == sketcher.vqgan_name
        return SketchModel(sketcher, self.vqgan(model if shared else sketcher.vqgan_name), reader)

    def preload(self, recipe: Recipe) -> None:
        """Load a recipe's models. Errors are only logged: the first job reports them."""
        try:
            import pixgen.synthesis  # noqa: F401  it is needed next, and loads slowly

            self.vqgan(recipe.model, recipe.config)
            self.perceptor(recipe.clip_names)
            if recipe.init.needs_sketcher:
                self.sketch_model(recipe.init.sketch.model, model=recipe.model)
        except PixgenError as error:
            log.info("not loaded ahead: %s", error)

    def clear(self) -> None:
        """Drop every model; one in use stays in memory until it is released."""
        with self._lock:
            self._loaded.clear()

    def _get(self, loader: str, name: Any, *more: str) -> Any:
        key = (loader, name, *more)
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
                return self._loaded[key]
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:  # two threads that ask for the same model load it once
            with self._lock:
                if key in self._loaded:
                    return self._loaded[key]
            model = self._load(loader, name, *more)
            with self._lock:
                self._loaded[key] = model
                self._loading.pop(key, None)
                while len(self._loaded) > MAX_MODELS:
                    self._loaded.popitem(last=False)
            return model

    def _load(self, loader: str, name: Any, *more: str) -> Any:
        load = self._loaders[loader]
        if load is None:
            import pixgen.models  # here: it loads torch

            load = getattr(pixgen.models, loader)
        return load(name, self._device(), *more)


def load_in_background(
    load: Callable[[], object], *, stopped: Callable[[], object] = lambda: False
) -> Iterator[DownloadProgress | None]:
    """Call ``load`` on a thread; until it returns, yield the progress of its download ten times a second.

    Yields None while nothing is downloaded. Ends early once ``stopped()`` is true: the download stops
    too, and continues from there next time. Raises what ``load`` raises.
    """
    loading: Future[None] = Future()
    left, newest = threading.Event(), None

    def hear(fetching: DownloadProgress) -> None:
        nonlocal newest
        if left.is_set():
            raise StopRequested
        whole = fetching.total is not None and fetching.done >= fetching.total
        newest = None if whole else fetching

    def work() -> None:
        try:
            with listen_to_downloads(hear):
                load()
        except BaseException as error:
            loading.set_exception(error)
        else:
            loading.set_result(None)

    threading.Thread(target=work, name="loader", daemon=True).start()
    try:
        while not stopped():
            if wait([loading], timeout=_SECONDS_BETWEEN).done:
                loading.result()
                return
            yield newest
    finally:
        left.set()


class ModelDownload:
    """A model's download in the background: nobody has to wait for it.

    Args:
        owners: names of those who began it; more may join while it runs.
    """

    def __init__(self, entry: Entry, *, owners: Collection[str] = ()) -> None:
        self.entry, self.owners = entry, set(owners)
        self.progress: DownloadProgress | None = None  # None before the first byte, and while it is converted
        self.state: Literal["running", "done", "failed", "cancelled"] = "running"
        self.error: PixgenError | None = None
        self.ended_at = math.inf  # by time.monotonic()
        self._cancelled = threading.Event()
        threading.Thread(target=self._run, name="model download", daemon=True).start()

    def cancel(self) -> None:
        """Stop the download. What has arrived stays, and the next download continues from there."""
        self._cancelled.set()

    def _run(self) -> None:
        state: Literal["done", "failed", "cancelled"] = "failed"
        try:
            for progress in load_in_background(partial(fetch, self.entry), stopped=self._cancelled.is_set):
                self.progress = progress
            state = "cancelled" if self._cancelled.is_set() else "done"
        except PixgenError as error:
            self.error = error
        except Exception:
            log.exception("the download of %s failed", self.entry.name)
            self.error = ModelError("An unexpected error occurred; the log has the details.")
        self.state, self.ended_at = state, time.monotonic()


class ModelDownloads:
    """The downloads that people have asked for, besides those that a job begins. Any thread may call any method.

    Args:
        policy: says which models may be used: no others are downloaded.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._downloads: dict[tuple[Kind, str], ModelDownload] = {}

    def start(self, name: str, kind: Kind, *, owners: Collection[str] = ()) -> None:
        """Download a model of the catalog, unless it is being downloaded.

        Args:
            owners: the names under which ``current`` lists it for the person who asks.

        Raises ModelError if there is no such model or too many are being downloaded, RecipeError if the policy
        does not allow it.
        """
        self._policy.check_model(name)
        entry = get_entry(name, kind)
        with self._lock:
            running = [key for key, each in self._downloads.items() if each.state == "running"]
            if (kind, name) in running:
                self._downloads[kind, name].owners.update(owners)
                return
            if len(running) >= MAX_DOWNLOADS:
                raise ModelError(
                    "{count} models are being downloaded: wait for one of them, or cancel it.",
                    count=len(running),
                )
            self._downloads[kind, name] = ModelDownload(entry, owners=owners)

    def cancel(self, name: str, kind: Kind) -> None:
        """Stop a model's download, if there is one."""
        if (download := self._downloads.get((kind, name))) is not None:
            download.cancel()

    def cancel_all(self) -> None:
        """Stop every download."""
        for download in list(self._downloads.values()):
            download.cancel()

    def current(self, owners: Collection[str] | None = None) -> list[ModelDownload]:
        """Those that are running, and those that have ended in the last minutes; the newest last.

        Args:
            owners: leaves out those that have ended and were begun by nobody of these names.
        """
        since = time.monotonic() - _RECENT
        recent = [each for each in list(self._downloads.values()) if each.ended_at > since]
        if owners is None:
            return recent
        return [each for each in recent if each.state == "running" or not each.owners.isdisjoint(owners)]

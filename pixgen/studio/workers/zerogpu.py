"""A worker on Hugging Face's ZeroGPU: a Space has a GPU only inside functions that are decorated with ``spaces.GPU``.

Such a function runs in a forked process; its arguments and what it yields are pickled. ``paint_on_gpu`` paints a part of
a recipe there, as many steps as fit into a short loan, and yields frames whose pictures are on the CPU. With some of
them comes the state, from which the next loan continues, so edits, Stop and checkpoints are exact.
``embed_on_gpu`` embeds pictures for classification and search. torch.compile is not available there.

Errors lose their class on the way out of the process, so PixgenErrors are yielded.
"""

import importlib
import os
import pickle
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from pixgen.errors import DeviceError, OutOfMemory, PixgenError, RecipeError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe
from pixgen.studio.model_cache import ModelCache, resolve_device
from pixgen.studio.status import FinalFrame
from pixgen.studio.timing import work_of
from pixgen.studio.workers.base import WorkerLost, pack_state, unpack_state, without_traceback
from pixgen.studio.workers.local import paint

if TYPE_CHECKING:
    import torch

    from pixgen.models import Perceptor, Perceptors

_LOAN_SECONDS = 45.0  # of painting in one loan: a shorter one is granted sooner
_START_SECONDS = 12.0  # to load models and sketch, at the beginning of a loan
_UNIT_SECONDS = 0.01  # a unit of ``work_of``, before there is a measurement
_STATE_EVERY = 0.5  # seconds between two states
_MOST_PICTURES = 256  # that one loan embeds
_FEWEST_PICTURES = 16  # fewer are embedded on the CPU sooner than a GPU is granted


def has_zero_gpu() -> bool:
    """Whether this is a ZeroGPU Space."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def on_loan(duration: Callable[..., int]) -> Callable[[Callable], Callable]:
    """Decorate a function with ``spaces.GPU`` on a ZeroGPU Space; elsewhere, leave it as it is.

    Args:
        duration: the seconds that a call takes, from the same arguments.
    """
    if not has_zero_gpu():
        return lambda function: function
    return importlib.import_module("spaces").GPU(duration=duration)


class Sent(NamedTuple):
    """A frame as it leaves the process of the GPU: with the state after it and the recipe, now and then and at the end of
    a loan. The state is bytes, as tensors would be passed in shared memory, which ends with the loan."""

    frame: FinalFrame
    state: bytes | None = None
    recipe: Recipe | None = None


def painting_seconds(
    recipe: Recipe, pictures: Mapping[str, Any], state: bytes | None, changes: Sequence[dict], steps: int
) -> int:
    """The seconds for which ``paint_on_gpu`` needs the GPU, with the same arguments."""
    return round(_START_SECONDS + steps * _step_seconds(recipe)) + 3


def embedding_seconds(names: tuple[str, ...], pictures: np.ndarray) -> int:
    """The seconds for which ``embed_on_gpu`` needs the GPU."""
    return round(_START_SECONDS + 0.05 * len(pictures))


@on_loan(painting_seconds)
def paint_on_gpu(
    recipe: Recipe, pictures: Mapping[str, Any], state: bytes | None, changes: Sequence[dict], steps: int
) -> Iterator[Sent | PixgenError]:
    """Paint so many steps of a recipe on the GPU, from its beginning or a state.

    Args:
        changes: arguments of ``Optimization.change``, made before the first of these steps.
    """
    try:
        yield from _paint_steps(recipe, pictures, state, changes, steps)
    except PixgenError as error:
        yield without_traceback(error)
    except MemoryError:
        yield OutOfMemory("There is not enough memory for this picture: try a smaller size.")


@on_loan(embedding_seconds)
def embed_on_gpu(names: tuple[str, ...], pictures: np.ndarray) -> np.ndarray | PixgenError:
    """The unit vectors ``(N, D)`` float32 of pictures ``(N, 3, H, W)`` in [0, 1], by these CLIPs."""
    import torch

    try:
        perceptor = _models().perceptor(names)
        with torch.no_grad():
            return perceptor.embed_images(torch.from_numpy(pictures).to(perceptor.device)).cpu().numpy()
    except PixgenError as error:
        return without_traceback(error)


class ZeroGpuWorker:
    """Paints recipes in loans of a ZeroGPU, each of some seconds."""

    name = "ZeroGPU"
    device = "cuda"
    memory = None  # unknown until there is a loan

    def prepare(self) -> None:
        """Nothing: the GPU comes with each loan."""

    def paint(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Any],
        *,
        state: dict[str, Any] | None,
        save_every: float,
        report: Callable[[DownloadProgress], None],
    ) -> "ZeroGpuPainting":
        """As ``Worker.paint``. Raises RecipeError for what cannot leave this process."""
        if not all(isinstance(picture, Image.Image) for picture in pictures.values()):
            raise RecipeError("Videos cannot be restyled on ZeroGPU: use a Space with its own GPU.")
        return ZeroGpuPainting(
            recipe, pictures, state=None if state is None else pack_state(state), save_every=save_every
        )

    def free_memory(self) -> None:
        """Nothing: the memory belongs to the loan."""

    def replace(self) -> bool:
        """The next loan is another process."""
        return True

    def close(self) -> None:
        """Nothing: a loan ends by itself."""


class ZeroGpuPainting(Iterator[FinalFrame]):
    """A recipe that is painted in loans of a ZeroGPU."""

    def __init__(
        self, recipe: Recipe, pictures: Mapping[str, Any], *, state: bytes | None, save_every: float
    ) -> None:
        self.recipe, self._pictures, self._state = recipe, pictures, state
        self._save_every, self._saved = save_every, time.monotonic()
        self._loan: Iterator[Sent | PixgenError] | None = None
        self._changes: list[dict[str, Any]] = []
        self._halted = self._done = self._at_state = False
        self._began, self._count = 0.0, 0  # of the loan's steps that were timed

    def __next__(self) -> FinalFrame:
        while not self._done:
            if self._loan is None:
                if self._halted:
                    break
                self._begin()
            sent = self._next_of_loan()
            if sent is None:  # the loan is over
                self._loan = None
                continue
            return self._take(sent)
        raise StopIteration

    def change(self, **changes: Any) -> None:
        """As ``Optimization.change``, from the next state on."""
        self._changes.append(changes)

    def watch_cutouts(self, watch: bool) -> None:
        """Nothing: cutouts stay on the GPU."""

    def checkpoint(self) -> dict[str, Any] | None:
        """The state after the newest frame, if it is time to save it and the frame came with one."""
        if not self._at_state or time.monotonic() - self._saved < self._save_every:
            return None
        self._saved = time.monotonic()
        return self.state()

    def halt(self) -> None:
        """Begin no further loan, and end this one with the next state."""
        self._halted = True
        if self._at_state:
            self._end_loan()

    def resume(self) -> None:
        """Begin loans again after ``halt``."""
        self._halted = False

    def state(self) -> dict[str, Any]:
        """The state after the newest frame, once the iteration has ended."""
        return {"step": 0, "beginning": True} if self._state is None else unpack_state(self._state)

    def close(self) -> None:
        """End the loan."""
        self._end_loan()
        self._done = True

    def _begin(self) -> None:
        changes, self._changes = self._changes, []
        steps = max(1, int((_LOAN_SECONDS - _START_SECONDS) / _step_seconds(self.recipe)))
        self._loan = iter(paint_on_gpu(self.recipe, self._pictures, self._state, changes, steps))
        self._count = 0

    def _next_of_loan(self) -> Sent | None:
        assert self._loan is not None
        try:
            sent = next(self._loan, None)
        except PixgenError:
            raise
        except pickle.PicklingError as error:
            raise RecipeError("This recipe cannot be painted on ZeroGPU: leave its pictures out.") from error
        except Exception as error:
            self._loan = None
            raise _loan_error(error) from error
        if isinstance(sent, PixgenError):
            self._end_loan()
            raise sent
        if sent is None and self._count == 0:  # the next loan would end in the same way, without an end
            raise WorkerLost("The GPU was lost before its first step.")
        return sent

    def _take(self, sent: Sent) -> FinalFrame:
        frame, self._at_state = sent.frame, sent.state is not None
        now = time.monotonic()
        if frame.step > 0 and self._count:
            _measure_step(self.recipe, now - self._began)
        self._began, self._count = now, self._count + 1
        if sent.recipe is not None:
            self.recipe = sent.recipe
        if sent.state is not None:
            self._state = sent.state
            if self._halted or self._changes:
                self._end_loan()
        self._done = frame.step >= frame.steps
        return frame

    def _end_loan(self) -> None:
        loan, self._loan = self._loan, None
        if loan is not None and hasattr(loan, "close"):
            loan.close()


class ZeroGpuPerceptor:
    """CLIPs on the CPU that have many pictures embedded on the GPU."""

    def __init__(self, names: tuple[str, ...], perceptor: "Perceptor | Perceptors") -> None:
        self._names, self._perceptor = names, perceptor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._perceptor, name)

    def embed_images(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """As ``Perceptor.embed_images``. Raises DeviceError if no GPU is granted."""
        import torch

        if len(pictures) < _FEWEST_PICTURES or pictures.requires_grad:
            return self._perceptor.embed_images(pictures)
        parts = []
        for begin in range(0, len(pictures), _MOST_PICTURES):
            part = pictures[begin : begin + _MOST_PICTURES].cpu().numpy()
            try:
                vectors = embed_on_gpu(self._names, part)
            except Exception as error:
                raise _loan_error(error) from error
            if isinstance(vectors, PixgenError):
                raise vectors
            parts.append(torch.from_numpy(vectors))
        return torch.cat(parts)


def zero_gpu_models() -> ModelCache:
    """The models of the Space's own process, on the CPU; its perceptors send many pictures to the GPU."""

    def load(names: tuple[str, ...], device: str) -> ZeroGpuPerceptor:
        from pixgen.models import load_perceptor

        return ZeroGpuPerceptor(names, load_perceptor(names, device))

    return ModelCache(lambda: "cpu", load_perceptor=load)


@cache
def _models() -> ModelCache:
    """The models of the forked process, which serves several loans."""
    return ModelCache(lambda: resolve_device("auto"))


def _paint_steps(
    recipe: Recipe, pictures: Mapping[str, Any], state: bytes | None, changes: Sequence[dict], steps: int
) -> Iterator[Sent]:
    optimization = paint(recipe, pictures, resolve_device("auto"), _models())
    if state is not None:
        optimization.restore(unpack_state(state))
    notice = ""
    for change in changes:
        try:
            optimization.change(**change)
        except PixgenError as error:  # as a running picture does: it goes on, and says so
            notice = error.message
    sent, count = float("-inf"), 0
    for frame in optimization:
        count += frame.step > 0  # a start that is being sketched is sampled again after a loan
        last = count >= steps or frame.step >= frame.steps
        if not (last or time.monotonic() - sent >= _STATE_EVERY):
            yield Sent(FinalFrame.of(frame))
            continue
        sent = time.monotonic()
        yield Sent(FinalFrame.of(frame, notice=notice), pack_state(optimization.state()), optimization.recipe)
        notice = ""
        if last:
            return


_measured: dict[tuple[str, tuple[str, ...]], float] = {}  # seconds a unit of work


def _step_seconds(recipe: Recipe) -> float:
    return _measured.get((recipe.model, recipe.clip_names), _UNIT_SECONDS) * _work_of_step(recipe)


def _measure_step(recipe: Recipe, seconds: float) -> None:
    key, unit = (recipe.model, recipe.clip_names), seconds / _work_of_step(recipe)
    _measured[key] = unit if key not in _measured else 0.9 * _measured[key] + 0.1 * unit


def _work_of_step(recipe: Recipe) -> float:
    return max(1e-6, work_of(recipe)) / (recipe.steps + 1)


def _loan_error(error: Exception) -> PixgenError:
    """What to say about an error of ``spaces``, which are gradio's: a lost process, or a GPU that is not granted."""
    said = re.sub(r"<[^>]*>", "", str(getattr(error, "message", "") or error)).strip()
    if "aborted" in said or not said:
        return WorkerLost("The GPU was taken away in the middle of a loan.")
    return DeviceError(
        "No GPU was granted ({reason}): try again later, or sign in to Hugging Face for more time.",
        reason=said[:300],
    )

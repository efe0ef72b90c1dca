"""The interface of a worker: a device that paints recipes, in this process or on another machine.

Also what a painting's state and errors become before they leave its process."""

import io
import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pixgen.errors import DeviceError, OutOfMemory, PixgenError, StudioError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pixgen.synthesis import Frame

log = logging.getLogger(__name__)


class WorkerLost(StudioError):  # noqa: N818 - an event that the studio answers, seldom an error that a person sees
    """A worker ended or no longer answers. Its job continues from the last saved state on another one."""


class Painting(Protocol):
    """A recipe on a worker, while it is painted: an iterator of frames, used by one thread at a time.

    Every method may raise WorkerLost.
    """

    @property
    def recipe(self) -> Recipe:
        """The recipe with the changes made so far."""

    def __next__(self) -> "Frame":
        """The next frame. Raises StopIteration after the last one, and soon after ``halt``."""

    def change(self, **changes: Any) -> None:
        """Change the recipe from the next step on, as ``Optimization.change`` does. Raises RecipeError."""

    def watch_cutouts(self, watch: bool) -> None:
        """Whether the next frames bring the cutouts that CLIP saw."""

    def checkpoint(self) -> dict[str, Any] | None:
        """The state after the newest frame, if it is time to save it."""

    def halt(self) -> None:
        """Begin no further step. Frames under way still come."""

    def resume(self) -> None:
        """Begin steps again after ``halt``."""

    def state(self) -> dict[str, Any]:
        """The state after the newest frame, once the iteration has ended."""

    def close(self) -> None:
        """Drop the painting and its memory on the device."""


class Worker(Protocol):
    """A device that paints one recipe at a time; its models stay loaded between recipes."""

    @property
    def name(self) -> str:
        """The name for people, such as ``cuda:0``."""

    @property
    def device(self) -> str:
        """The device on its machine: ``cpu``, ``cuda`` or ``cuda:NUMBER``."""

    @property
    def memory(self) -> int | None:
        """The bytes that a recipe can have on it, its models included; None if unknown."""

    def prepare(self) -> None:
        """Set up the thread that drives this worker; called once on it. Raises WorkerLost."""

    def paint(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Any],
        *,
        state: dict[str, Any] | None,
        save_every: float,
        report: "Callable[[DownloadProgress], None]",
    ) -> Painting:
        """Load a recipe's models and begin to paint it, or continue it from a state.

        Args:
            pictures: every path that the recipe names, with its opened picture.
            save_every: seconds between two checkpoints.
            report: called with the progress of a model's download; what it raises ends the loading.

        Raises PixgenError, WorkerLost.
        """

    def free_memory(self) -> None:
        """Drop the loaded models, after memory ran out."""

    def replace(self) -> bool:
        """Try to work again after WorkerLost; returns whether the worker can paint."""

    def close(self) -> None:
        """Drop all models and end the worker, also while another thread prepares or replaces it."""


def has_memory(worker: Worker, needed: int) -> bool:
    """Whether a worker has so many bytes for a recipe; also if that is not known yet."""
    return not needed or (memory := worker.memory) is None or needed <= memory


def pack_state(state: dict[str, Any]) -> bytes:
    """A painting's state as bytes, whatever device its tensors are on."""
    import torch  # here: it takes two seconds

    data = io.BytesIO()
    torch.save(state, data)
    return data.getvalue()


def unpack_state(data: bytes) -> dict[str, Any]:
    """The state from its bytes, on the CPU. Loads tensors and plain values only."""
    import torch

    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def painting_error(error: Exception) -> PixgenError:
    """What a person is told about an error of a painting. One that nobody expected is logged with the id that the
    person sees."""
    if isinstance(error, PixgenError):
        return without_traceback(error)
    if isinstance(error, MemoryError):
        return OutOfMemory("There is not enough memory for this picture: try a smaller size.")
    number = secrets.token_hex(3)
    log.error("a painting failed: error %s", number, exc_info=error)
    # As after a fault of the device's hardware or driver.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "AcceleratorError" in kinds or ("RuntimeError" in kinds and "CUDA error" in str(error)):
        return DeviceError(
            "The device stopped working in the middle of a step. What was painted is saved: restart pixgen, then "
            "continue the picture. The log has the details under {number}.",
            number=number,
        )
    return StudioError("An unexpected error occurred; the log has the details under {number}.", number=number)


def without_traceback(error: PixgenError) -> PixgenError:
    """The error without its traceback and cause, which would keep the painter and its device memory alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)

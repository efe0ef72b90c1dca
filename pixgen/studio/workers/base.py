"""The interface of a worker: a device that paints recipes, in this process or on another machine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pixgen.errors import StudioError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pixgen.synthesis import Frame


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
        """Drop all models and end the worker."""


def has_memory(worker: Worker, needed: int) -> bool:
    """Whether a worker has so many bytes for a recipe; also if that is not known yet."""
    return not needed or (memory := worker.memory) is None or needed <= memory

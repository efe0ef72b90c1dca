"""The actor: a process on a node of the cluster that holds one device and its models, and paints on it.

One thread paints and puts messages into a queue; another one hands them to the studio, which asks for them again and
again. So a step never waits for the network, and an answer that does not come tells the studio that the actor is
frozen. Ray's streaming generators do not do this through Ray Client (``ray://``).
"""

import io
import os
import platform
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import ray
from PIL import Image

from pixgen.errors import PixgenError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe
from pixgen.studio.jobs import StopRequested
from pixgen.studio.memory_check import free_bytes
from pixgen.studio.video.recording import is_video_step
from pixgen.studio.video.source import SourceVideo
from pixgen.studio.workers.base import pack_state, painting_error, unpack_state
from pixgen.studio.workers.local import LocalPainting, LocalWorker, Painter, paint

if TYPE_CHECKING:
    import torch

    from pixgen.models import Perceptor, Perceptors
    from pixgen.synthesis import Frame
    from pixgen.synthesis.frames import Candidate

group: Any = ray.method  # its type knows calls of few arguments
MOST_QUEUED = 64  # messages; painting waits for a studio that is slower
PREVIEWS_A_SECOND = 8.0
JPEG_QUALITY = 90
GROUPS = {"paint": 1, "frames": 2, "control": 1, "embed": 1}  # threads for each kind of call


@dataclass(frozen=True)
class Loaded:
    """The models are loaded; the recipe is as the device paints it."""

    recipe: Recipe


@dataclass(frozen=True, kw_only=True)
class FrameMessage:
    """The frame of a step.

    Args:
        picture: ``(H, W, 3)`` uint8, for steps that are in the video or saved.
        preview: else the same as a JPEG, at most ``PREVIEWS_A_SECOND``.
        cutouts: the sheet of the cutouts ``(H, W, 3)`` uint8, while it is asked for.
        candidates: the sketches, with the first frame that has them.
        recipe: if it has changed since the last frame.
        state: at a checkpoint, as ``pack_state`` writes it.
    """

    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    losses: dict[str, float]
    seconds: float
    notice: str = ""
    picture: np.ndarray | None = None
    preview: bytes | None = None
    cutouts: np.ndarray | None = None
    candidates: "tuple[Candidate, ...]" = ()
    recipe: Recipe | None = None
    state: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Halted:
    """No further frame follows: the last one came, or the painting was halted.

    Args:
        state: after the newest frame.
        picture: that of the newest frame ``(H, W, 3)`` uint8; None if there was no frame.
    """

    recipe: Recipe
    state: bytes
    picture: np.ndarray | None


@dataclass(frozen=True)
class Failed:
    """The painting ended with an error."""

    error: PixgenError


ActorMessage = DownloadProgress | Loaded | FrameMessage | Halted | Failed


class PaintingActor:
    """Paints on one device. Its calls are made by ``RayWorker`` and ``RemotePainting``.

    Args:
        device: as for ``resolve_device``.
        threads: how many threads one operation uses on the CPU.
        painter: builds the optimization that yields the frames.
    """

    def __init__(self, device: str, *, threads: int | None, painter: Painter | None = None) -> None:
        self._worker = LocalWorker(device, painter=painter or paint, threads=threads)
        self._paintings: dict[str, _ActorPainting] = {}

    @group(concurrency_group="control")
    def describe(self) -> dict[str, Any]:
        """Where the actor is, and what its device has: process, host, device, and bytes of free memory."""
        return {
            "process": os.getpid(),
            "node": ray.get_runtime_context().get_node_id(),
            "host": platform.node(),
            "device": self._worker.device,
            "free": free_bytes(self._worker.device),
        }

    @group(concurrency_group="paint")
    def paint(
        self,
        key: str,
        recipe: Recipe,
        pictures: Mapping[str, Any],
        *,
        state: bytes | None,
        save_every: float,
    ) -> None:
        """Load a recipe's models and paint it, until it is done or halted. The messages are for ``take``."""
        self._worker.prepare()
        painting = self._paintings[key] = _ActorPainting()
        painting.paint(lambda: painting.load(self._worker, recipe, pictures, state, save_every))

    @group(concurrency_group="paint")
    def resume(self, key: str) -> None:
        """Go on with a painting that was halted."""
        painting = self._paintings[key]
        painting.paint(painting.resume)

    @group(concurrency_group="frames")
    def take(self, key: str, seconds: float) -> list[ActorMessage]:
        """The messages since the last call; waits for the first one, at most so long."""
        painting = self._paintings.get(key)
        if painting is None:  # its call of ``paint`` has not begun
            time.sleep(min(seconds, 0.02))
            return []
        return painting.take(seconds)

    @group(concurrency_group="control")
    def change(self, key: str, changes: Mapping[str, Any], pictures: Mapping[str, Any]) -> Recipe:
        """Change a recipe from the next step on; returns it. Raises RecipeError."""
        return self._paintings[key].change(changes, pictures)

    @group(concurrency_group="control")
    def halt(self, key: str) -> None:
        """Begin no further step."""
        if (painting := self._paintings.get(key)) is not None:
            painting.halt()

    @group(concurrency_group="control")
    def watch_cutouts(self, key: str, watch: bool) -> None:
        """Whether the next frames bring their cutouts."""
        if (painting := self._paintings.get(key)) is not None:
            painting.watch_cutouts = watch

    @group(concurrency_group="control")
    def close(self, key: str) -> None:
        """Drop a painting."""
        if (painting := self._paintings.pop(key, None)) is not None:
            painting.halt()

    @group(concurrency_group="embed")
    def describe_perceptor(self, names: tuple[str, ...]) -> dict[str, Any]:
        """What is known of CLIPs without embedding anything; they are loaded. Raises ModelError."""
        perceptor = self._worker.models.perceptor(names)
        return {name: getattr(perceptor, name) for name in ("size", "logit_scale", "logit_bias")}

    @group(concurrency_group="embed")
    def embed_texts(self, names: tuple[str, ...], texts: list[str]) -> np.ndarray:
        """The unit vectors ``(N, D)`` float32 of texts, by these CLIPs."""
        return self._embed(names, lambda perceptor: perceptor.embed_texts(texts))

    @group(concurrency_group="embed")
    def embed_images(self, names: tuple[str, ...], pictures: np.ndarray) -> np.ndarray:
        """The unit vectors ``(N, D)`` float32 of pictures ``(N, 3, H, W)`` uint8."""
        import torch

        def embed(perceptor: "Perceptor | Perceptors") -> "torch.Tensor":
            pixels = torch.from_numpy(np.array(pictures)).to(perceptor.device)  # Ray's own array is read-only
            return perceptor.embed_images(pixels.float() / 255)

        return self._embed(names, embed)

    def _embed(
        self, names: tuple[str, ...], embed: "Callable[[Perceptor | Perceptors], torch.Tensor]"
    ) -> np.ndarray:
        """Embed between two steps of what is painted."""
        import torch

        self._worker.prepare()  # this thread
        perceptor = self._worker.models.perceptor(names)
        with self._worker.lock, torch.no_grad():
            return embed(perceptor).cpu().numpy()

    @group(concurrency_group="control")
    def free_memory(self) -> None:
        """Drop the loaded models."""
        self._worker.free_memory()


class _ActorPainting:
    """A painting and the messages about it that were not taken yet."""

    def __init__(self) -> None:
        self.watch_cutouts = False
        self._messages: deque[ActorMessage] = deque()
        self._changed = threading.Condition()
        self._halted = threading.Event()
        self._painting: LocalPainting | None = None
        self._lock: Any = None  # of the device
        self._pictures: dict[str, Any] = {}
        self._folder: tempfile.TemporaryDirectory | None = None  # of a source video
        self._sent_recipe: Recipe | None = None
        self._candidates_sent = False
        self._preview_due = 0.0

    def load(
        self,
        worker: LocalWorker,
        recipe: Recipe,
        pictures: Mapping[str, Any],
        state: bytes | None,
        save_every: float,
    ) -> None:
        """Load the models, and have a painting."""
        self._lock = worker.lock
        self._pictures = {path: self._open(each) for path, each in pictures.items()}
        self._painting = worker.paint(
            recipe,
            self._pictures,
            state=None if state is None else unpack_state(state),
            save_every=save_every,
            report=self._report,
        )
        self._sent_recipe = self._painting.recipe
        self._put(Loaded(self._painting.recipe))

    def resume(self) -> None:
        """Begin steps again after ``halt``."""
        assert self._painting is not None
        self._halted.clear()
        self._painting.resume()

    def paint(self, begin: Callable[[], None]) -> None:
        """Begin by ``load`` or ``resume``, and paint until the last frame or ``halt``; errors become a message."""
        try:
            begin()
            self._take_steps()
        except StopRequested:
            pass
        except Exception as error:
            self._put(Failed(painting_error(error)))

    def take(self, seconds: float) -> list[ActorMessage]:
        with self._changed:
            self._changed.wait_for(lambda: self._messages, timeout=seconds)
            taken = list(self._messages)
            self._messages.clear()
            self._changed.notify_all()
            return taken

    def change(self, changes: Mapping[str, Any], pictures: Mapping[str, Any]) -> Recipe:
        assert self._painting is not None
        self._pictures.update(pictures)
        with self._lock:  # between two steps
            self._painting.change(**changes)
            return self._painting.recipe

    def halt(self) -> None:
        self._halted.set()
        with self._changed:
            self._changed.notify_all()

    def _take_steps(self) -> None:
        painting, newest = self._painting, None
        assert painting is not None
        late: tuple[Frame, dict[str, Any] | None, Recipe] | None = None
        while not self._halted.is_set():
            painting.watch_cutouts(self.watch_cutouts)
            frame = next(painting, None)
            if late is not None:  # on a GPU: its copy ends while the next step is computed
                self._send(*late)
                late = None
            if frame is None:
                break
            newest = frame
            late = frame, painting.checkpoint(), painting.recipe
            if getattr(frame, "copied", None) is None:
                self._send(*late)
                late = None
            if frame.step >= frame.steps:
                break
        if late is not None:
            self._send(*late)
        picture = None if newest is None else newest.picture
        self._put(Halted(recipe=painting.recipe, state=pack_state(painting.state()), picture=picture))

    def _send(self, frame: "Frame", state: dict[str, Any] | None, recipe: Recipe) -> None:
        exact = state is not None or frame.step >= frame.steps or is_video_step(frame.step, recipe)
        preview = None
        if exact or time.monotonic() >= self._preview_due:
            self._preview_due = time.monotonic() + 1 / PREVIEWS_A_SECOND
            preview = None if exact else _encode_preview(frame.picture)
        candidates = () if self._candidates_sent else frame.candidates
        self._candidates_sent = self._candidates_sent or bool(candidates)
        changed, self._sent_recipe = recipe != self._sent_recipe, recipe
        sheet = getattr(frame, "cutouts", None) if self.watch_cutouts else None
        self._put(
            FrameMessage(
                step=frame.step,
                steps=frame.steps,
                similarities=frame.similarities,
                losses=dict(frame.losses),
                seconds=frame.seconds,
                notice=frame.notice,
                picture=frame.picture if exact else None,
                preview=preview,
                cutouts=None if sheet is None else sheet(),
                candidates=candidates,
                recipe=recipe if changed else None,
                state=None if state is None else pack_state(state),
            )
        )

    def _put(self, message: ActorMessage) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._messages) < MOST_QUEUED or self._halted.is_set())
            self._messages.append(message)
            self._changed.notify_all()

    def _report(self, fetching: DownloadProgress) -> None:
        if self._halted.is_set():
            raise StopRequested
        with self._changed:
            if self._messages and isinstance(self._messages[-1], DownloadProgress):
                self._messages.pop()  # the newest one is enough
            self._messages.append(fetching)
            self._changed.notify_all()

    def _open(self, picture: Any) -> Any:
        """A picture as it came, or the source video that was sent as a file."""
        if not isinstance(picture, tuple):
            return picture
        name, data, fps = picture
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="pixgen-")
        path = Path(self._folder.name) / name
        path.write_bytes(data)
        return SourceVideo(path, fps=fps)


def _encode_preview(picture: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=JPEG_QUALITY)
    return data.getvalue()

"""A worker on a cluster: an actor that paints, driven by a thread of the studio as if it were a local device."""

import io
import logging
import os
import secrets
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
from PIL import Image
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pixgen.cluster.actor import (
    GROUPS,
    ActorMessage,
    Failed,
    FrameMessage,
    Halted,
    Loaded,
    PaintingActor,
)
from pixgen.errors import PixgenError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe
from pixgen.studio.video.source import SourceVideo
from pixgen.studio.workers.base import Painting, WorkerLost, pack_state, unpack_state
from pixgen.studio.workers.local import Painter

log = logging.getLogger(__name__)
_POLL = 1.0  # seconds that an actor waits for a message before it answers that there is none
# What Ray raises if an actor, a node or the connection is gone; SystemExit comes from calls that wait while another
# thread ends the connection.
_LOST = (RayError, ConnectionError, RuntimeError, SystemExit)
_ENDING = 3.0  # seconds to wait for the end of an actor
_EMBEDDING = 120.0  # seconds for an actor to load CLIPs, and to embed a batch
_START = 120.0  # seconds for a new actor to start: it loads torch, and Ray may have to make room for it


@dataclass(frozen=True)
class Place:
    """Where a worker is: a device of a node, or a part of one.

    Args:
        node: Ray's id of the node.
        device: ``cpu``, or ``cuda`` for the GPU that Ray chooses.
        cpus, gpus: what the worker reserves.
        share: of the device's memory.
        threads: how many threads one operation uses on the CPU; None on a GPU, for torch's own number.
        number: counts the workers of one node.
    """

    node: str
    host: str
    device: str
    cpus: float
    gpus: float
    share: float
    threads: int | None
    number: int

    @property
    def name(self) -> str:
        """The name for people."""
        return f"{self.host} {self.device} {self.number}"


class RayWorker:
    """Paints on one device of a cluster.

    Args:
        place: the node and the device.
        painter: builds the optimization that yields the frames, on the node.
        patience: seconds without an answer after which the actor counts as frozen and is replaced.
    """

    def __init__(self, place: Place, *, painter: Painter | None = None, patience: float = 15.0) -> None:
        self.place = place
        self._painter, self.patience = painter, patience
        self.open: set[str] = set()  # the keys of its paintings
        self._actor: Any = None
        self._closed = False
        self._about: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The node's address and the device, such as ``10.0.0.7 cuda:0``."""
        return self.place.name

    @property
    def device(self) -> str:
        """The device on its node."""
        return self.place.device

    @property
    def memory(self) -> int | None:
        """This worker's share of the bytes that were free on its device at first; None until it has started."""
        free = self._about.get("free")
        return None if free is None else int(free * self.place.share)

    @property
    def painting(self) -> bool:
        """Whether a recipe is painted here, or paused."""
        return bool(self.open)

    def prepare(self) -> None:
        """Start the actor, and wait until it answers. Raises WorkerLost."""
        self._about = {}
        try:
            self._actor = self._start()
        except _LOST as error:
            raise self._lost(error) from None
        if self._closed:  # in the meantime
            self._kill()
        self._about = self.ask(self._actor, "describe", patience=_START)

    def _start(self) -> Any:
        remote: Any = ray.remote  # its type knows no groups
        options = {
            "num_cpus": self.place.cpus,
            "num_gpus": self.place.gpus,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(self.place.node, soft=False),
            "runtime_env": {"env_vars": {"OMP_WAIT_POLICY": "PASSIVE"}},
        }
        actor = remote(concurrency_groups=GROUPS)(PaintingActor).options(**options)
        return actor.remote(self.place.device, threads=self.place.threads, painter=self._painter)

    def paint(
        self,
        recipe: Recipe,
        pictures: Mapping[str, Any],
        *,
        state: dict[str, Any] | None,
        save_every: float,
        report: Callable[[DownloadProgress], None],
    ) -> Painting:
        """As ``Worker.paint``."""
        painting = RemotePainting(self, self._actor, pictures)
        painting.begin(recipe, state=state, save_every=save_every, report=report)
        return painting

    def embed(self, method: str, names: tuple[str, ...], *data: Any) -> Any:
        """The answer of the actor's ``describe_perceptor``, ``embed_texts`` or ``embed_images``, for the CLIPs of these
        names. Raises PixgenError, WorkerLost; an actor that takes too long is left alone, as it may be painting."""
        if not self._about:  # it may wait for a free device
            raise WorkerLost("The worker {name} has not started yet.", name=self.name)
        return self._answer(self._actor, method, names, *data, patience=_EMBEDDING, end_frozen=False)

    def free_memory(self) -> None:
        """Drop the loaded models on the node."""
        with suppress(WorkerLost):
            self.ask(self._actor, "free_memory")

    def replace(self) -> bool:
        """Try to work again after a loss, with the same actor if it still answers, else with a new one."""
        try:
            self.ask(self._actor, "describe")
            return True
        except WorkerLost:
            pass
        try:
            self.prepare()
            return True
        except WorkerLost as lost:
            log.info("%s", lost)
            return False

    def close(self) -> None:
        """End the actor, and so every wait for its answers; takes a few seconds at most."""
        self._closed = True
        self._kill()

    def reopen(self) -> None:
        """Let another studio use the worker, with a new actor, after one has closed it."""
        self._closed = False

    def _kill(self) -> None:
        actor = self._actor
        if actor is None or not ray.is_initialized():
            return

        def kill() -> None:
            with suppress(Exception):  # the cluster may be gone
                ray.kill(actor, no_restart=True)

        ending = threading.Thread(target=kill, name="ending an actor", daemon=True)
        ending.start()  # Ray waits for the head without an end
        ending.join(_ENDING)

    def tell(self, actor: Any, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of an actor without waiting; returns Ray's reference to the answer. Raises WorkerLost."""
        try:
            return getattr(actor, method).remote(*arguments, **named)
        except _LOST as error:
            raise self._lost(error) from None

    def ask(self, actor: Any, method: str, *arguments: Any, patience: float | None = None) -> Any:
        """The answer of an actor. Raises what the actor raised, and WorkerLost if none comes in time; an actor that
        is frozen is ended."""
        limit = self.patience if patience is None else patience
        return self._answer(actor, method, *arguments, patience=limit, end_frozen=True)

    def _answer(self, actor: Any, method: str, *arguments: Any, patience: float, end_frozen: bool) -> Any:
        answer = self.tell(actor, method, *arguments)
        try:
            return ray.get(answer, timeout=patience)
        except GetTimeoutError:
            if end_frozen:
                self._end_frozen()
            raise WorkerLost(
                "The worker {name} did not answer for {seconds:g} seconds.", name=self.name, seconds=patience
            ) from None
        except RayTaskError as error:
            if isinstance(error.cause, PixgenError):
                raise error.cause from None
            raise
        except _LOST as error:
            raise self._lost(error) from None

    def _lost(self, error: BaseException) -> WorkerLost:
        log.warning("%s: %s", self.name, error)  # such as a pixgen that is not installed on the node
        return WorkerLost(
            "The worker {name} is gone ({reason}).", name=self.name, reason=type(error).__name__
        )

    def _end_frozen(self) -> None:
        """End an actor that does not answer: as a frozen process hears nothing, by a signal on its node too."""
        self._kill()
        if self._about:
            _kill_process(self._about["node"], self._about["process"])


class RemoteFrame:
    """A frame as it came from an actor, with the fields of a ``Frame``. Until its exact picture comes, ``picture``
    is the newest preview."""

    copied = None  # nothing is on its way from a device

    def __init__(self, message: FrameMessage, *, candidates: tuple, shown: "np.ndarray | bytes") -> None:
        self.step, self.steps = message.step, message.steps
        self.similarities, self.losses = message.similarities, message.losses
        self.seconds, self.notice = message.seconds, message.notice
        self.candidates = candidates
        self.exact = message.picture
        self._shown = shown
        sheet = message.cutouts
        self.cutouts = None if sheet is None else lambda: sheet

    @property
    def picture(self) -> np.ndarray:
        """The picture ``(H, W, 3)`` uint8."""
        if self.exact is not None:
            return self.exact
        if isinstance(self._shown, bytes):
            self._shown = np.asarray(Image.open(io.BytesIO(self._shown)).convert("RGB"))
        return self._shown


class RemotePainting(Iterator[Any]):
    """A painting on an actor. Its frames come a moment after they were painted; the actor does not wait for them."""

    def __init__(self, worker: RayWorker, actor: Any, pictures: Mapping[str, Any]) -> None:
        self._worker, self._actor = worker, actor
        self._key = secrets.token_hex(8)
        self._pictures = pictures  # a change may add some
        self._sent: set[str] = set()
        self._messages: deque[ActorMessage] = deque()
        self._recipe: Recipe | None = None
        self._frame: RemoteFrame | None = None
        self._candidates: tuple = ()
        self._shown: np.ndarray | bytes = b""  # the newest picture or preview
        self._checkpoint: bytes | None = None
        self._end: Halted | None = None
        self._watching = False

    def begin(
        self,
        recipe: Recipe,
        *,
        state: dict[str, Any] | None,
        save_every: float,
        report: Callable[[DownloadProgress], None],
    ) -> None:
        """Have the actor load the models and paint; returns when they are loaded."""
        self._worker.open.add(self._key)
        self._tell(
            "paint",
            self._key,
            recipe,
            self._new_pictures(),
            state=None if state is None else pack_state(state),
            save_every=save_every,
        )
        try:
            while not isinstance(message := self._next_message(), Loaded):
                if isinstance(message, DownloadProgress):
                    report(message)
        except BaseException:
            self.close()
            raise
        self._recipe = message.recipe

    @property
    def recipe(self) -> Recipe:
        """The recipe with the changes made so far."""
        assert self._recipe is not None, "it has begun"
        return self._recipe

    def __next__(self) -> Any:
        """The next frame, a ``RemoteFrame``."""
        self._checkpoint = None
        if self._end is not None:
            raise StopIteration
        message = self._next_message()
        if isinstance(message, FrameMessage):
            return self._receive(message)
        raise StopIteration

    def change(self, **changes: Any) -> None:
        """As ``Optimization.change``; the recipe says from which step on."""
        self._recipe = self._worker.ask(self._actor, "change", self._key, changes, self._new_pictures())

    def watch_cutouts(self, watch: bool) -> None:
        """Whether the next frames bring the cutouts that CLIP saw."""
        if watch != self._watching:
            self._watching = watch
            self._tell("watch_cutouts", self._key, watch)

    def checkpoint(self) -> dict[str, Any] | None:
        """The state that came with the newest frame, if it was time."""
        return None if self._checkpoint is None else unpack_state(self._checkpoint)

    def halt(self) -> None:
        """Begin no further step. Frames under way still come."""
        self._tell("halt", self._key)

    def resume(self) -> None:
        """Begin steps again after ``halt``."""
        self.state()  # all that came before is taken
        self._end = None
        self._tell("resume", self._key)

    def state(self) -> dict[str, Any]:
        """The state after the newest frame, once the iteration has ended."""
        while self._end is None:
            self._next_message()
        return unpack_state(self._end.state)

    def close(self) -> None:
        """Drop the painting on the actor."""
        self._worker.open.discard(self._key)
        with suppress(WorkerLost):
            self._tell("close", self._key)

    def _tell(self, method: str, *arguments: Any, **named: Any) -> None:
        self._worker.tell(self._actor, method, *arguments, **named)

    def _next_message(self) -> ActorMessage:
        """The next message; ``Halted`` is also kept. Raises the error of a painting that has failed."""
        while not self._messages:
            limit = self._worker.patience + _POLL
            self._messages.extend(self._worker.ask(self._actor, "take", self._key, _POLL, patience=limit))
        message = self._messages.popleft()
        if isinstance(message, Failed):
            raise message.error
        if isinstance(message, Halted):
            self._end, self._recipe = message, message.recipe
            if self._frame is not None and message.picture is not None:
                self._frame.exact = message.picture
        return message

    def _receive(self, message: FrameMessage) -> RemoteFrame:
        self._recipe = message.recipe or self._recipe
        self._candidates = message.candidates or self._candidates
        if message.picture is not None:
            self._shown = message.picture
        elif message.preview is not None:
            self._shown = message.preview
        self._checkpoint = message.state
        self._frame = RemoteFrame(message, candidates=self._candidates, shown=self._shown)
        return self._frame

    def _new_pictures(self) -> dict[str, Any]:
        """The pictures that the actor does not have yet; a source video as its file."""
        found = {path: each for path, each in self._pictures.items() if path not in self._sent}
        self._sent |= found.keys()
        return {
            path: each.as_file() if isinstance(each, SourceVideo) else each for path, each in found.items()
        }


def _kill_process(node: str, process: int) -> None:
    """End a process on a node by a signal, also one that is frozen. Does not wait for it."""
    task = ray.remote(num_cpus=0, max_retries=0)(_kill)
    with suppress(Exception):  # the node may be gone
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(process)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)

"""The connection to a cluster: its devices, machines that join and leave, and what happens when its head is lost."""

import logging
import os
import signal
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import ray

from pixgen.cluster.worker import Place, RayWorker
from pixgen.errors import DeviceError
from pixgen.messages import _
from pixgen.studio.workers.local import Painter

if TYPE_CHECKING:
    from pixgen.studio import Studio
    from pixgen.studio.model_cache import ModelCache

log = logging.getLogger(__name__)
_LOOK_EVERY = 5.0  # seconds between two looks at the cluster's nodes
_SAVING = 60.0  # seconds for jobs to be saved, after the head is lost
LOCAL_STORE = 256 * 1024**2  # bytes of the object store of ``--cluster local``


class Cluster:
    """A connection to a cluster, as a context manager. One process has at most one at a time.

    Args:
        address: ``local`` starts Ray on this machine, ``auto`` finds the cluster that it is part of, and
            ``ray://HOST:10001`` is the head of another.
        per_device: how many workers share each device.
        share: of each device, for these workers; the rest is for other pages on the same cluster.
        painter: builds the optimization that yields the frames, on the node.
        patience: seconds without an answer after which an actor, or the head, counts as lost.

    Raises DeviceError if there is no cluster.
    """

    def __init__(
        self,
        address: str,
        *,
        per_device: int = 1,
        share: float = 1.0,
        painter: Painter | None = None,
        patience: float = 15.0,
    ) -> None:
        self.address = address
        self._per_device, self._share = per_device, share
        self._painter, self._patience = painter, patience
        self._workers: dict[Place, RayWorker] = {}
        self._closed = threading.Event()
        self._following: threading.Thread | None = None
        self._context = connect(address)
        self._head = _head_address(address)
        try:
            self._add_workers(self.places())
        except BaseException:
            ray.shutdown()
            raise

    @property
    def workers(self) -> list[RayWorker]:
        """One for each place."""
        return list(self._workers.values())

    def models(self, device: str) -> "ModelCache":
        """The models for a studio on ``device``, whose classification and search embed on the workers."""
        from pixgen.cluster.perceptor import cluster_models  # here: it loads torch

        return cluster_models(lambda: self.workers, device=device)

    def places(self) -> list[Place]:
        """The places for workers on the nodes that are alive: every GPU, or the CPU of nodes without one."""
        found = []
        for node in ray.nodes():
            if not node["Alive"]:
                continue
            cpus, gpus = node["Resources"].get("CPU", 0.0), int(node["Resources"].get("GPU", 0))
            count = (gpus or (1 if cpus >= 1 else 0)) * self._per_device
            for number in range(1, count + 1):
                share = cpus * self._share / count
                found.append(
                    Place(
                        node=node["NodeID"],
                        host=node["NodeManagerHostname"],
                        device="cuda" if gpus else "cpu",
                        cpus=int(share) or share,
                        gpus=gpus * self._share / count,
                        share=max(1, gpus) * self._share / count,
                        threads=None if gpus else max(1, int(share)),
                        number=number,
                    )
                )
        return found

    def nodes(self) -> list[dict[str, Any]]:
        """What each node has, as plain values: address, whether it is alive, cores, GPUs, and bytes of memory and
        of the object store."""
        return [
            {
                "node": node["NodeManagerHostname"],
                "address": node["NodeManagerAddress"],
                "alive": node["Alive"],
                "cpus": node["Resources"].get("CPU", 0.0),
                "gpus": node["Resources"].get("GPU", 0.0),
                "memory": int(node["Resources"].get("memory", 0)),
                "store": int(node["Resources"].get("object_store_memory", 0)),
            }
            for node in ray.nodes()
        ]

    @property
    def dashboard(self) -> str:
        """The address of Ray's own page about the cluster; empty if it has none."""
        url = getattr(self._context, "dashboard_url", "") or ""
        return url if not url or "://" in url else f"http://{url}"

    def follow(self, studio: "Studio") -> None:
        """From now on, let machines that join paint for a studio, and go on without those that leave. If the head
        is lost, stop every job, so that all can be resumed, and connect again when it is back."""
        studio.pool.start()  # an actor takes some seconds
        self._following = threading.Thread(target=self._follow, args=(studio,), name="cluster", daemon=True)
        self._following.start()

    def close(self) -> None:
        """End the workers and the connection."""
        self._closed.set()
        if self._following is not None:
            self._following.join(self._patience)
        for worker in self.workers:
            worker.close()
        ray.shutdown()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_workers(self, places: list[Place]) -> list[RayWorker]:
        new = [place for place in places if place not in self._workers]
        for place in new:
            self._workers[place] = RayWorker(place, painter=self._painter, patience=self._patience)
        return [self._workers[place] for place in new]

    def _follow(self, studio: "Studio") -> None:
        while not self._closed.wait(_LOOK_EVERY):
            places = self._look()
            if places is None:
                self._leave(studio)
                while not self._closed.wait(_LOOK_EVERY) and not self._is_back():
                    pass
                continue
            for place in self._workers.keys() - set(places):
                log.warning("%s has left the cluster", place.name)
                studio.pool.remove(self._workers.pop(place))
            for worker in self._add_workers(places):
                log.info("%s has joined the cluster", worker.name)
                studio.pool.add(worker)

    def _look(self) -> list[Place] | None:
        """The places at this moment; None if the head does not answer."""
        # First by its port: Ray's own calls would wait for it, and in the end exit the process.
        if not _listens(self._head, seconds=self._patience):
            log.warning("the head of the cluster is gone")
            return None
        answer: Future[list[Place]] = Future()

        def ask() -> None:
            try:
                answer.set_result(self.places())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=ask, name="cluster nodes", daemon=True).start()
        try:
            return answer.result(self._patience)
        except Exception as error:
            log.warning("the head of the cluster does not answer: %s", type(error).__name__)
            return None

    def _leave(self, studio: "Studio") -> None:
        """Stop every job, have them saved, and end the connection."""
        studio.stop_jobs(_("Stopped because the cluster is not reachable: resume it when it is back."))
        deadline = time.monotonic() + _SAVING
        while studio.queue() and time.monotonic() < deadline:
            self._closed.wait(0.1)
        for worker in self.workers:
            studio.pool.remove(worker)
        self._workers.clear()
        with suppress(Exception):
            ray.shutdown()

    def _is_back(self) -> bool:
        if self.address != "local" and not _listens(self._head, seconds=self._patience):
            return False
        try:
            self._context = connect(self.address)
            self._head = _head_address(self.address)
        except DeviceError:
            return False
        return True


def connect(address: str) -> Any:
    """Connect this process to a cluster; returns Ray's context. Raises DeviceError."""
    # A driver ends its whole process when the head is lost for longer than this; pixgen stops its jobs before.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "3600")
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "namespace": "pixgen"}
    if address == "local":
        options |= {"address": "local", "object_store_memory": LOCAL_STORE}
    else:
        options["address"] = address
    try:
        if address not in ("local", "auto") and not _listens(address, seconds=10.0):
            raise ConnectionError("nothing listens there")  # at once; Ray would try for half a minute
        with _own_signals():
            return ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
        log.info("no cluster: %s", error)
        if "Unauthenticated" in str(error) or "AuthenticationError" in str(error):
            raise DeviceError(
                "The cluster at “{address}” asks for a token: set RAY_AUTH_MODE=token, with the token in "
                "~/.ray/auth_token or RAY_AUTH_TOKEN.",
                address=address[:80],
            ) from error
        raise DeviceError(
            "There is no cluster at “{address}”: start one with `ray start --head`, or choose auto, local or "
            "ray://HOST:10001.",
            address=address[:80],
        ) from error


def _listens(address: str, *, seconds: float) -> bool:
    """Whether anything answers at ``HOST:PORT`` or ``ray://HOST:PORT``."""
    host, _separator, port = address.removeprefix("ray://").partition("/")[0].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
    except (OSError, ValueError):
        return False
    return True


def _head_address(address: str) -> str:
    """The host and the port by which the head of the connected cluster is reached."""
    if address.startswith("ray://"):
        return address
    return ray.get_runtime_context().gcs_address


@contextmanager
def _own_signals() -> Any:
    """Keep the process's own handlers of signals, which ``ray.init`` replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

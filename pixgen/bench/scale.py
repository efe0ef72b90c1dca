"""Measure painting on several workers: pictures a minute, and what a cluster costs.

The cluster is a real one on this machine, with a node of one core for each worker.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pixgen.errors import StudioError
from pixgen.recipe.recipe import Recipe
from pixgen.studio import Job, Studio
from pixgen.studio.workers.base import Worker
from pixgen.studio.workers.local import LocalWorker

if TYPE_CHECKING:
    from pixgen.cluster.connection import Cluster

_STORE = 100 * 1024**2  # bytes of a node's object store
_WARM_UP = 5  # steps at the start of a run, which are slower
_ROUNDS = 3
_PATIENCE = 600.0  # seconds for one run


def scale(recipe: Recipe, *, workers: Sequence[int], pictures: int, save_every: float) -> dict[str, Any]:
    """Pictures a minute on so many workers with one core each, and their efficiency against the first number;
    seconds from Stop to stopped; the overhead of a step through Ray against one in this process; and the seconds
    that a run loses when its node is killed.

    Args:
        pictures: how many each worker paints in each of three rounds.
        save_every: seconds between two checkpoints, of the run whose node is killed.

    Raises PixgenError.
    """
    with _cluster(max(workers)) as (nodes, connection):
        rates = _rates(recipe, connection.workers, counts=workers, pictures=pictures)
        found = {
            "stop_seconds": round(_seconds_to_stop(recipe, connection.workers), 3),
            "overhead_percent": round(_overhead(recipe, connection.workers[0]), 1),
            "save_every_seconds": save_every,
        }
        if max(workers) > 1:
            lost = _seconds_lost(recipe, nodes, connection, save_every)
            found["seconds_lost_by_a_killed_node"] = round(lost, 2)
    return {
        "preset": recipe.preset,
        "size": f"{recipe.width}x{recipe.height}",
        "steps": recipe.steps,
        "workers": efficiencies(rates),
        **found,
    }


def efficiencies(rates: Mapping[int, Sequence[float]]) -> list[dict[str, Any]]:
    """The figures of numbers of workers from their pictures a minute in each round. The efficiency is compared
    within a round, because a shared machine is faster in one minute than in the next."""
    first = next(iter(rates))
    return [
        {
            "workers": count,
            "pictures_a_minute": round(median(measured), 3),
            "efficiency_percent": round(
                100
                * median(
                    rate * first / (count * one) for rate, one in zip(measured, rates[first], strict=True)
                ),
                1,
            ),
        }
        for count, measured in rates.items()
    ]


def read_counts(text: str) -> list[int]:
    """Numbers of workers from a text such as ``1,2``. Raises StudioError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[1-9]\d?", part) for part in parts):
        raise StudioError("--workers needs numbers from 1 to 99, for example 1,2.")
    return [int(part) for part in parts]


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``scale`` as text."""
    lines = [f"{figures['preset']} · {figures['size']} · {figures['steps']} steps"]
    lines += [
        f"{each['workers']:3d} workers {each['pictures_a_minute']:8.2f} pictures/min, "
        f"efficiency {each['efficiency_percent']:.0f} %"
        for each in figures["workers"]
    ]
    lines.append(f"from Stop to stopped {figures['stop_seconds']:.2f} s")
    lines.append(f"a step through Ray takes {figures['overhead_percent']:+.1f} %")
    if "seconds_lost_by_a_killed_node" in figures:
        lines.append(
            f"a killed node costs {figures['seconds_lost_by_a_killed_node']:.1f} s, with a checkpoint every "
            f"{figures['save_every_seconds']:g} s"
        )
    return "\n".join(lines)


@contextmanager
def _cluster(count: int) -> Iterator[tuple[Any, "Cluster"]]:
    """Ray's nodes on this machine with one core each, and a connection to them."""
    from ray.cluster_utils import Cluster as Nodes

    from pixgen.cluster.connection import Cluster

    head = {"num_cpus": 0, "object_store_memory": _STORE, "include_dashboard": False}
    nodes = Nodes(initialize_head=True, head_node_args=head)
    try:
        for _ in range(count):
            nodes.add_node(num_cpus=1, object_store_memory=_STORE)
        with Cluster(nodes.address, patience=10) as connection:
            yield nodes, connection
    finally:
        nodes.shutdown()


@contextmanager
def _studio(workers: Sequence[Worker], *, save_every: float = 60.0) -> Iterator[Studio]:
    from pixgen.cluster.worker import RayWorker  # here: it needs Ray

    for worker in workers:
        if isinstance(worker, RayWorker):
            worker.reopen()  # the studio before has closed it
    with (
        TemporaryDirectory(prefix="pixgen-bench-") as folder,
        Studio(Path(folder), device="cpu", workers=workers, save_every=save_every) as studio,
    ):
        yield studio


def _finish(*jobs: Job) -> None:
    for job in jobs:
        if not job.wait(_PATIENCE):
            raise StudioError("The run {run} took too long to be measured.", run=job.id)
        if job.error is not None:
            raise job.error


def _await_step(job: Job, step: int) -> None:
    for status in job.watch(rate=100):
        if status.frame is not None and status.frame.step >= step:
            return
    _finish(job)
    raise StudioError("Give more steps: the run ended before it was measured.")


def _warm(studio: Studio, recipe: Recipe, count: int) -> None:
    """Load the models of every worker."""
    short = recipe.model_copy(update={"steps": 1})
    _finish(*[studio.submit(short) for _ in range(2 * count)])


def _rates(
    recipe: Recipe, workers: Sequence[Worker], *, counts: Sequence[int], pictures: int
) -> dict[int, list[float]]:
    """The pictures a minute of so many of the workers, in rounds in which the numbers of workers take turns."""
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(_ROUNDS):
        for count in counts:
            rates[count].append(_pictures_a_minute(recipe, workers[:count], count * pictures))
    return rates


def _pictures_a_minute(recipe: Recipe, workers: Sequence[Worker], pictures: int) -> float:
    with _studio(workers) as studio:
        _warm(studio, recipe, len(workers))
        began = time.monotonic()
        _finish(*[studio.submit(recipe) for _ in range(pictures)])
        return 60 * pictures / (time.monotonic() - began)


def _seconds_to_stop(recipe: Recipe, workers: Sequence[Worker]) -> float:
    """The median of three stops."""
    seconds = []
    with _studio(workers) as studio:
        for _ in range(3):
            job = studio.submit(recipe)
            _await_step(job, _WARM_UP)
            began = time.monotonic()
            job.stop()
            _finish(job)
            seconds.append(time.monotonic() - began)
    return median(seconds)


def _overhead(recipe: Recipe, remote: Worker) -> float:
    """By how many percent a step through Ray takes longer than one in this process: the median of three pairs,
    which take turns, with one thread each."""
    local = LocalWorker("cpu", threads=1)
    with _studio([local]) as here, _studio([remote]) as there:
        _warm(here, recipe, 1)
        _warm(there, recipe, 1)
        ratios = []
        for _ in range(3):
            near = _seconds_a_step(here, recipe)
            ratios.append(_seconds_a_step(there, recipe) / near)
    return 100 * (median(ratios) - 1)


def _seconds_a_step(studio: Studio, recipe: Recipe) -> float:
    job = studio.submit(recipe)
    _await_step(job, _WARM_UP)
    first, began = _newest(job), time.monotonic()
    _await_step(job, recipe.steps - 1)
    seconds = (time.monotonic() - began) / max(1, recipe.steps - 1 - first)
    _finish(job)
    return seconds


def _newest(job: Job) -> int:
    return 0 if job.frame is None else job.frame.step


def _seconds_lost(recipe: Recipe, nodes: Any, connection: "Cluster", save_every: float) -> float:
    """From the death of a run's node until the run is again at the step that it had then."""
    with _studio(connection.workers, save_every=save_every) as studio:
        connection.follow(studio)
        _warm(studio, recipe, len(connection.workers))
        job = studio.submit(recipe)
        _await_step(job, recipe.steps // 2)
        busy = next(worker for worker in connection.workers if worker.painting)
        step, began = _newest(job), time.monotonic()
        node = next(each for each in nodes.worker_nodes if each.node_id == busy.place.node)
        nodes.remove_node(node, allow_graceful=False)
        _wait_for(lambda: job.notice or job.ended)  # it says that a worker was lost
        _await_step(job, step)
        lost = time.monotonic() - began
        _finish(job)
    return lost


def _wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise StudioError("The loss of a node was not noticed in time.")
        time.sleep(0.01)

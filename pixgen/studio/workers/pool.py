"""The threads of a studio: one for each worker, one that ends jobs that were stopped while they waited, and one for
what follows a job's end. None of them is made for a job, so hundreds of jobs take no more memory than one."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from pixgen.recipe.recipe import Recipe
from pixgen.studio.jobs import Job
from pixgen.studio.memory_check import needed_bytes
from pixgen.studio.runs.run import RunLock
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.workers.base import Worker, WorkerLost, has_memory
from pixgen.studio.workers.local import LocalWorker
from pixgen.studio.workers.session import End, JobSession, SessionTools

log = logging.getLogger(__name__)
_RETRY_EVERY = 5.0  # seconds between two attempts to replace a lost worker


class WorkerPool:
    """Paints the jobs of a queue on workers. Its threads start with the first job. Any thread may call it.

    Args:
        on_end: called with every job that has ended, one after another on one thread.
    """

    def __init__(
        self, workers: Sequence[Worker], tools: SessionTools, *, on_end: Callable[[Job], object]
    ) -> None:
        self._tools, self._on_end = tools, on_end
        self._queue: JobQueue[Job] = tools.queue
        self._lock = threading.RLock()  # guards the fields below
        self._workers: list[Worker] = list(workers)
        self._threads: dict[str, threading.Thread] = {}
        self._sessions: dict[str, JobSession] = {}
        self._closed = threading.Event()
        self._ended: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._starting: set[int] = set()  # the ids of workers that are being prepared
        self._lost: set[int] = set()  # and of those that are being replaced
        self._count_workers()

    @property
    def workers(self) -> list[Worker]:
        """The workers, also those that are being replaced."""
        return list(self._workers)  # without the lock: the list itself never changes

    def fits(self, worker: Worker, job: Job) -> bool:
        """Whether a worker is to take a job: it has the memory, or none has it and it has the most, so that the
        session can say how much that is."""
        if has_memory(worker, job.memory):
            return True
        sizes = [each.memory or 0 for each in self._workers if not has_memory(each, job.memory)]
        return len(sizes) == len(self._workers) and worker.memory == max(sizes)

    def needed_memory(self, recipe: Recipe) -> int:
        """The bytes that a recipe needs, where there is a choice of devices; else 0: it may try."""
        workers = self._workers
        alone = len(workers) == 1 and (isinstance(workers[0], LocalWorker) or workers[0].memory is None)
        if alone or all(each.device == "cpu" and each.memory is None for each in workers):
            return 0
        return needed_bytes(recipe, next((each.device for each in workers if each.device != "cpu"), "cpu"))

    def submit(self, job: Job, *, run_lock: RunLock) -> None:
        """Add a job to the queue. Raises RuntimeError if the system is out of threads; then the job is not in
        the queue, and the lock is still held."""
        with self._lock:
            self._start_threads()
            self._sessions[job.id] = JobSession(job, self._tools, run_lock=run_lock)
            self._queue.join(job)

    def start(self) -> None:
        """Start the threads, and so the workers, before there is a job."""
        with self._lock:
            self._start_threads()

    def add(self, worker: Worker) -> None:
        """Let another worker take jobs, such as one on a machine that has joined."""
        with self._lock:
            self._workers = [*self._workers, worker]
            self._count_workers()
            if self._threads:
                self._start_threads()

    def remove(self, worker: Worker) -> None:
        """Let a worker take no more jobs, such as one on a machine that has left."""
        with self._lock:
            self._workers = [each for each in self._workers if each is not worker]
            self._count_workers()

    def close(self) -> None:
        """Let the threads end when every job in the queue has ended. The jobs are stopped before."""
        self._closed.set()
        self._queue.notify()
        for worker in self._workers:  # nobody waits any longer for those that cannot paint yet
            if id(worker) in self._starting | self._lost:
                worker.close()

    def join(self, timeout: float | None) -> None:
        """Wait until the threads have ended, after ``close``."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            threads = dict(self._threads)
        following = threads.pop("after jobs", None)
        for thread in threads.values():
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        if following is not None:
            self._ended.put(None)
            following.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _start_threads(self) -> None:
        """Start the threads that are missing."""
        self._start("after jobs", self._follow)
        self._start("stopped jobs", self._end_stopped)
        for worker in self._workers:
            self._start(f"worker {id(worker)}", partial(self._serve, worker))

    def _start(self, name: str, target: Callable[[], None]) -> None:
        if name not in self._threads:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads[name] = thread

    def _serve(self, worker: Worker) -> None:
        """Paint one job after another on a worker, until the pool is closed or the worker has left."""
        own = threading.current_thread()
        ready = self._prepare(worker)
        while ready and (job := self._queue.take(worker, until=lambda: self._is_over(worker))) is not None:
            own.name = f"job {job.id}"
            end = self._run(job, worker)
            own.name = f"worker {worker.name}"
            if end == "lost":
                ready = self._replace(worker)
        with self._lock:
            self._threads.pop(f"worker {id(worker)}", None)

    def _prepare(self, worker: Worker) -> bool:
        """Wait until a worker can paint; false if it never will."""
        self._starting.add(id(worker))
        try:
            if self._is_over(worker):
                return False
            worker.prepare()
            return True
        except WorkerLost as lost:
            log.warning("%s", lost)
        finally:
            self._starting.discard(id(worker))
        return self._replace(worker)

    def _replace(self, worker: Worker) -> bool:
        """Wait until a lost worker works again; false if it never will."""
        self._lost.add(id(worker))
        self._count_workers()
        try:
            while not self._is_over(worker):
                if worker.replace():
                    return True
                self._closed.wait(_RETRY_EVERY)
            return False
        finally:
            self._lost.discard(id(worker))
            self._count_workers()

    def _count_workers(self) -> None:
        with self._lock:
            self._queue.workers = max(1, sum(id(each) not in self._lost for each in self._workers))

    def _is_over(self, worker: Worker) -> bool:
        """Whether a worker takes no more jobs. Called under the queue's lock, so it waits for no other."""
        return self._closed.is_set() or not any(each is worker for each in self._workers)

    def _end_stopped(self) -> None:
        """End jobs that were stopped while they waited, until the pool is closed and every job has ended."""

        def over() -> bool:
            return self._closed.is_set() and not self._queue.members()

        while (job := self._queue.take_stopped(until=over)) is not None:
            self._run(job, None)

    def _run(self, job: Job, worker: Worker | None) -> End:
        end = self._sessions[job.id].run(worker)
        if end == "ended":
            del self._sessions[job.id]
            self._ended.put(job)
        else:
            self._queue.yield_turn(job)
        for each in self._queue.members():  # their positions have changed
            each.notify_watchers()
        return end

    def _follow(self) -> None:
        """Do what follows the end of jobs, until the pool is closed."""
        while (job := self._ended.get()) is not None:
            self._on_end(job)

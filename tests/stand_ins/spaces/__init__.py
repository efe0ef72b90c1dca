"""A stand-in for Hugging Face's ``spaces`` package: its decorator forks a process, and pickles what goes in and out.

As there, the process is kept for the next call, runs the function on a thread, and an exception of the function comes out
without its class. Put ``tests/stand_ins`` on ``PYTHONPATH`` and set ``SPACES_ZERO_GPU=1``.
"""

import inspect
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import wraps
from typing import Any

request: ContextVar[str] = ContextVar("request", default="")  # as gradio's LocalContext.request
calls: list[tuple[str, int, str]] = []  # the function, its seconds, and whose request it was
refusal = ""  # why no GPU is granted; empty if one is
forked = False
_fork = multiprocessing.get_context("fork")


class Error(Exception):
    """As gradio's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def GPU(task: Callable | None = None, *, duration: Any = None, size: str | None = None) -> Callable:  # noqa: N802
    """Decorate a function or a generator that needs the GPU."""
    if task is None:
        return lambda function: GPU(function, duration=duration, size=size)
    workers: list[Worker] = []

    def call(args: tuple, kwargs: dict) -> Iterator[Any]:
        seconds = duration(*args, **kwargs) if callable(duration) else duration
        calls.append((task.__name__, seconds, request.get()))
        if refusal:
            raise Error(refusal)
        worker = workers.pop() if workers else Worker(task)
        yield from worker.run(args, kwargs)
        workers.append(worker)

    if inspect.isgeneratorfunction(task):

        @wraps(task)
        def generate(*args: Any, **kwargs: Any) -> Iterator[Any]:
            yield from call(args, kwargs)

        return generate

    @wraps(task)
    def handle(*args: Any, **kwargs: Any) -> Any:
        (value,) = call(args, kwargs)
        return value

    return handle


class Worker:
    """A forked process that runs one function, call after call."""

    def __init__(self, task: Callable) -> None:
        self._here, there = _fork.Pipe()
        self._stop = _fork.Event()
        self.process = _fork.Process(target=_serve, args=(task, there, self._here, self._stop), daemon=True)
        self.process.start()
        there.close()

    def run(self, args: tuple, kwargs: dict) -> Iterator[Any]:
        """What the function returns or yields."""
        self._stop.clear()
        self._here.send_bytes(pickle.dumps((args, kwargs)))
        try:
            while True:
                try:
                    kind, value = pickle.loads(self._here.recv_bytes())
                except (EOFError, OSError):
                    raise Error("GPU task aborted") from None
                if kind == "end":
                    return
                if kind == "error":
                    raise Error(value)
                yield value
        except GeneratorExit:
            self._stop.set()
            raise


def _serve(task: Callable, there: Any, here: Any, stop: threading.Event) -> None:
    global forked
    forked = True
    here.close()
    while True:
        try:
            args, kwargs = pickle.loads(there.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        with ThreadPoolExecutor(1) as executor:
            executor.submit(_call, task, args, kwargs, there, stop).result()
        there.send_bytes(pickle.dumps(("end", None)))


def _call(task: Callable, args: tuple, kwargs: dict, there: Any, stop: threading.Event) -> None:
    try:
        values = task(*args, **kwargs)
        for value in values if inspect.isgeneratorfunction(task) else [values]:
            if stop.is_set():
                values.close()
                return
            there.send_bytes(pickle.dumps(("value", value)))
    except Exception as error:
        there.send_bytes(pickle.dumps(("error", type(error).__name__)))

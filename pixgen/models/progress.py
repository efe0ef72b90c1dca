"""Report download progress to a listener in the context, so that no function has to pass it on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class DownloadProgress:
    """Progress of a model's download: bytes ``done`` of ``total``, if that is known; ``waiting`` while another
    process downloads it."""

    model: str
    done: int = 0
    total: int | None = None
    waiting: bool = False


Listener = Callable[[DownloadProgress], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listen_to_downloads(listener: Listener) -> Iterator[None]:
    """Call ``listener`` with the ``DownloadProgress`` of every model loaded inside, on this thread.

    An exception from the listener stops the download, which resumes next time."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report_download(fetching: DownloadProgress) -> None:
    """Pass a download's progress to the listener, if there is one."""
    if (listener := _listener.get()) is not None:
        listener(fetching)

"""How far a download is, told to whoever loads the model; no argument has to carry it there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class DownloadProgress:
    """A model on its way: bytes that are here, of how many if that is known; ``waiting`` while another
    process fetches it."""

    model: str
    done: int = 0
    total: int | None = None
    waiting: bool = False


Listener = Callable[[DownloadProgress], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listen_to_downloads(listener: Listener) -> Iterator[None]:
    """Call ``listener`` with every ``DownloadProgress`` of what is loaded within, on this thread. What it raises
    ends the download, which goes on from there next time."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report_download(fetching: DownloadProgress) -> None:
    """Say how far a download is."""
    if (listener := _listener.get()) is not None:
        listener(fetching)

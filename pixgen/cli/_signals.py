"""SIGTERM and a lost terminal (SIGHUP) end a command as Ctrl-C does: what was painted is saved first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDINGS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


class Terminated(KeyboardInterrupt):
    """The system asked the process to end; whatever handles Ctrl-C handles it too."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number  # as shells report it


def exit_status(error: KeyboardInterrupt) -> int:
    """The exit status after an interruption: 130 for Ctrl-C."""
    return error.status if isinstance(error, Terminated) else 128 + signal.SIGINT


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Raise ``Terminated`` in the main thread at the first SIGTERM or SIGHUP; further ones change nothing.

    A signal that is ignored stays so: ``nohup`` ignores SIGHUP. Outside the main thread, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ended = False

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        if not ended:
            ended = True
            raise Terminated(number)

    before = {}
    for number in _ENDINGS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

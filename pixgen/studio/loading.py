"""Loads a model on a background thread, with download progress and cancellation."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait

from pixgen.models.progress import DownloadProgress, listen_to_downloads
from pixgen.studio.jobs import StopRequested

_SECONDS_BETWEEN = 0.1


def load_in_background(
    load: Callable[[], object], *, stopped: Callable[[], object] = lambda: False
) -> Iterator[DownloadProgress | None]:
    """Call ``load`` on a thread; until it returns, yield the progress of its download ten times a second.

    Yields None while nothing is downloaded. Ends early once ``stopped()`` is true: the download stops
    too, and continues from there next time. Raises what ``load`` raises.
    """
    loading: Future[None] = Future()
    left, newest = threading.Event(), None

    def hear(fetching: DownloadProgress) -> None:
        nonlocal newest
        if left.is_set():
            raise StopRequested
        whole = fetching.total is not None and fetching.done >= fetching.total
        newest = None if whole else fetching

    def work() -> None:
        try:
            with listen_to_downloads(hear):
                load()
        except BaseException as error:
            loading.set_exception(error)
        else:
            loading.set_result(None)

    threading.Thread(target=work, name="loader", daemon=True).start()
    try:
        while not stopped():
            if wait([loading], timeout=_SECONDS_BETWEEN).done:
                loading.result()
                return
            yield newest
    finally:
        left.set()

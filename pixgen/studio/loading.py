"""Loading a model that may have to be fetched first: whoever waits hears how far it is, and can leave."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait

from pixgen.models.progress import DownloadProgress, listen_to_downloads
from pixgen.studio.jobs import Stopped

_SECONDS_BETWEEN = 0.1


def while_loading(
    load: Callable[[], object], *, stopped: Callable[[], object] = lambda: False
) -> Iterator[DownloadProgress | None]:
    """Call ``load`` on a thread beside; until it is through, a few times a second, how far its download
    is, or None while nothing is fetched.

    It ends early once ``stopped`` says so. The download then ends too, and goes on from there next
    time. Raises what ``load`` raises.
    """
    loading: Future[None] = Future()
    left, newest = threading.Event(), None

    def hear(fetching: DownloadProgress) -> None:
        nonlocal newest
        if left.is_set():
            raise Stopped
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

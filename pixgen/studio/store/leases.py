"""Leases: which page paints a run. A page has one object that it writes again and again while it holds a lease; a lease
is an object of the run that names its page, and ends with it.

They are in the store, not in the catalogue, because pages without a shared database need them, and because the store is
what a lease protects. Only the store's clock counts.
"""

import logging
import secrets
import threading
from contextlib import suppress

from pixgen.errors import StorageError
from pixgen.studio.runs.run import being_painted_error
from pixgen.studio.store.objects import Listed, ObjectStore

log = logging.getLogger(__name__)
SECONDS = 60.0  # without a heartbeat, after which a page counts as gone
_BEATS = 4  # in that time
_FORGOTTEN = 86_400.0  # seconds after which the heartbeat of a page that has gone is deleted
_PAGES = "pages"


class Leases:
    """The leases of one page. Any thread may call any method; each raises StorageError if the store does not answer."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.page = secrets.token_hex(8)
        self._lock = threading.RLock()  # guards the fields below
        self._held: dict[str, str] = {}  # the object of each lease, by run id
        self._holders: dict[str, str] = {}  # the page of each lease that was read, by object
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def heartbeat(self) -> str:
        """The name of the object that says that this page is alive."""
        return f"leases/{_PAGES}/{self.page}"

    def holds(self, run_id: str) -> bool:
        """Whether this page has the lease of a run."""
        with self._lock:
            return run_id in self._held

    def acquire(self, run_id: str) -> None:
        """Take the lease of a run, or keep it. Raises StudioError if another page has it."""
        with self._lock:
            if run_id in self._held:
                return
            self._objects.write(self.heartbeat, b"")
            leases = self._of_run(self._read(f"leases/{run_id}", f"{run_id}/"))
            alive = self._alive(self._objects.list(f"leases/{_PAGES}"))
            if any(page in alive and page != self.page for page in leases.values()):
                raise being_painted_error(run_id)
            name = f"leases/{run_id}/{max(leases, default=0) + 1:06}"
            if not self._objects.create(name, self.page.encode()):
                raise being_painted_error(run_id)
            # A store that ignores the condition would have let two pages create it: the later one has it.
            self._holders.pop(name, None)
            after = self._of_run(self._read(f"leases/{run_id}", f"{run_id}/"))
            if after.get(max(after, default=0)) != self.page:
                self._objects.remove([name])
                raise being_painted_error(run_id)
            self._held[run_id] = name
            self._objects.remove(f"leases/{run_id}/{number:06}" for number in leases)
            self._start()

    def release(self, run_id: str) -> None:
        """Give up the lease of a run; without one, does nothing."""
        with self._lock:
            name = self._held.get(run_id)
            if name is not None:
                self._objects.remove([name])
                self._held.pop(run_id)

    def others(self) -> dict[str, float]:
        """The runs that other pages hold, with the seconds until their leases end without another heartbeat."""
        listed = self._objects.list("leases")
        pages = {
            name.removeprefix(f"{_PAGES}/"): each
            for name, each in listed.items()
            if name.startswith(f"{_PAGES}/")
        }
        alive = self._alive(pages)
        for page, each in pages.items():
            if self._objects.now() - each.modified > _FORGOTTEN and page != self.page:
                self._objects.remove([f"leases/{_PAGES}/{page}"])
        with self._lock:
            found: dict[str, dict[int, str]] = {}
            for name, page in self._read_holders([each for each in listed if each.count("/") == 1]).items():
                run_id, _, number = name.partition("/")
                if run_id != _PAGES and number.isdigit():
                    found.setdefault(run_id, {})[int(number)] = page
        holders = {run_id: leases[max(leases)] for run_id, leases in found.items()}
        return {
            run_id: alive[page] for run_id, page in holders.items() if page in alive and page != self.page
        }

    def close(self) -> None:
        """End the heartbeats; leases that are still held end a while later."""
        self._closing.set()
        with suppress(StorageError):
            self._objects.remove([self.heartbeat])

    def _alive(self, pages: dict[str, Listed]) -> dict[str, float]:
        """The pages whose heartbeat is fresh, with the seconds until it no longer is."""
        left = {page: each.modified + SECONDS - self._objects.now() for page, each in pages.items()}
        return {page: seconds for page, seconds in left.items() if seconds > 0}

    def _read(self, folder: str, before: str) -> dict[str, str]:
        return self._read_holders([f"{before}{name}" for name in self._objects.list(folder)])

    def _read_holders(self, names: list[str]) -> dict[str, str]:
        """The page of each lease, by its name below ``leases``; each object is read once, as it never changes."""
        unread = [f"leases/{name}" for name in names if f"leases/{name}" not in self._holders]
        unread = [name for name in unread if not name.startswith(f"leases/{_PAGES}/")]
        read = self._objects.read_many(unread)
        self._holders |= {name: data.decode("ascii", "replace") for name, data in read.items()}
        kept = {f"leases/{name}" for name in names}
        return {name.removeprefix("leases/"): page for name, page in self._holders.items() if name in kept}

    @staticmethod
    def _of_run(leases: dict[str, str]) -> dict[int, str]:
        numbers = {name.partition("/")[2]: page for name, page in leases.items()}
        return {int(number): page for number, page in numbers.items() if number.isdigit()}

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="storage leases", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        while not self._closing.wait(SECONDS / _BEATS):
            with self._lock:
                holding = bool(self._held)
            if holding:
                with suppress(StorageError):  # the copies say so
                    self._objects.write(self.heartbeat, b"")

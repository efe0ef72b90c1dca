"""A grid that is painted whoever looks: on a thread of its own, as a job is."""

import contextlib
import logging
import threading
from collections.abc import Iterator

from pixgen.errors import PixgenError, StudioError
from pixgen.studio.grids import Grid
from pixgen.studio.jobs import Job

log = logging.getLogger(__name__)
HEARTBEAT = 1.0  # seconds between two looks at most


class GridJob:
    """Paints what is missing of a grid, from now on. Any thread may call any method."""

    def __init__(self, grid: Grid, *, owner: str = "") -> None:
        self.grid, self.owner = grid, owner
        self.error: PixgenError | None = None
        self._changed = threading.Condition()
        self._job: Job | None = None  # of the cell at hand
        self._cell: int | None = None
        self._ended = False
        threading.Thread(target=self._work, name=f"grid {grid.id}", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether nothing more is painted: all is done, or it was stopped, or failed."""
        return self._ended

    @property
    def at_hand(self) -> tuple[int, Job] | None:
        """The index and the job of the cell that is painted or waits; None between two."""
        with self._changed:
            if self._job is None or self._cell is None or self._job.ended:
                return None
            return self._cell, self._job

    def stop(self) -> None:
        """Stop after the step at hand; the cells that are done stay."""
        self.grid.stop()

    def watch(self, *, rate: float = 2.0) -> Iterator[None]:
        """At once, then at most ``rate`` times a second and at least once, and when it has ended."""
        while not self._ended:
            yield
            with self._changed:
                self._changed.wait_for(lambda: self._ended, timeout=min(HEARTBEAT, 1 / rate))
        yield

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most so many seconds; whether it has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ended, timeout)

    def _work(self) -> None:
        try:
            with contextlib.closing(self.grid.paint(owner=self.owner)) as painting:
                for cell, job in painting:
                    with self._changed:
                        self._cell, self._job = cell, job
        except PixgenError as error:
            self.error = error
        except Exception:
            log.exception("the grid %s failed", self.grid.id)
            self.error = StudioError("Something broke that should not have; the log tells more.")
        finally:
            with self._changed:
                self._ended, self._job = True, None
                self._changed.notify_all()

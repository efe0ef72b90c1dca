"""Which film is meant, and how its export is followed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pixgen.errors import VideoError


def film_of(run: str | Path, folder: Path | str | None = None) -> Path:
    """The film of a run, by its name in ``folder`` (as ``Studio`` chooses it by default) or by its own
    folder; a film's own path is itself. Raises VideoError if there is none, StudioError."""
    path = Path(run)
    if path.is_file():
        return path
    from pixgen.studio.runs import read_run

    if path.name != str(run) and path.is_dir():  # a folder's name also says where runs are kept
        folder, run = path.parent, path.name
    home = Path(folder or os.environ.get("PIXGEN_OUTPUT_DIR") or "outputs")
    found = read_run(home.absolute(), str(run)).film
    if not found.is_file():
        raise VideoError(f"The run {run} has no film yet: let it paint first.")
    return found


@contextmanager
def exporting(*, shown: bool = True) -> Iterator[Callable[[int, int], object]]:
    """What an export tells how many pictures of how many are encoded: a bar with the time left, on
    stderr, if that is a terminal."""
    columns = (
        TextColumn("writing"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed}/{task.total}"),
    )
    bar = Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not shown,
    )
    with bar:
        task = bar.add_task("writing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

"""Which film is meant, and how its export is followed."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pixgen.errors import VideoError
from pixgen.paths import output_folder


def film_of(run: str | Path, folder: Path | str | None = None) -> Path:
    """The film of a run, by its name in ``folder`` (as ``Studio`` chooses it by default) or by its own
    folder; a film's own path is itself. Raises VideoError if there is none, StudioError."""
    path = Path(run)
    if path.is_file():
        return path
    from pixgen.studio.runs import read_run

    if path.name != str(run) and path.is_dir():  # a folder's name also says where runs are kept
        folder, run = path.parent, path.name
    home = output_folder(folder)
    found = read_run(home, str(run)).film
    if not found.is_file():
        raise VideoError("The run {run} has no film yet: let it paint first.", run=run)
    return found


def followed(export: Iterator[tuple[int, int]], *, shown: bool = True) -> None:
    """Go through an export, which tells how many pictures of how many are encoded: with a bar and the
    time left on stderr, if that is a terminal."""
    columns = (
        TextColumn("writing"), BarColumn(bar_width=30), TextColumn("{task.completed}/{task.total}")
    )  # fmt: skip
    console = Console(stderr=True)
    bar = Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True,
        disable=not (shown and console.is_terminal),
    )  # fmt: skip
    with bar:
        task = bar.add_task("writing", total=None)
        for done, total in export:
            bar.update(task, completed=done, total=total)

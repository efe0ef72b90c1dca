"""What commands write: lines and tables on every terminal, pipe and file, and the files of ``--out`` and ``--video``.

Printing never ends the work: a Windows pipe knows 256 letters, ``| head`` closes early, ``>&-`` leaves no stream
at all. Files are checked before painting and written after it.
"""

import codecs
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pixgen.errors import PixgenError, StorageError

if TYPE_CHECKING:
    from pixgen.studio import Job


_HANDLER = "pixgen-escapes"
_ENDLESS = 1_000_000  # columns: more than any row has


def prepare_streams() -> None:
    """Make stdout and stderr safe to print any text to.

    A letter that the encoding does not have is printed as ``\\u72d0``, which JSON reads as the letter itself.
    What is printed to a closed stream is lost.
    """
    codecs.register_error(_HANDLER, _escape)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def print_line(text: str, *, err: bool = False) -> None:
    """Print a line; a closed pipe or a full disk does not end the work."""
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):  # a broken pipe, a full disk behind ``>``, a closed file
        close_quietly(stream)


def close_quietly(stream: TextIO) -> None:
    """Point a broken stream to the null device, so that flushing it later does not fail."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class PipeSafeConsole(Console):
    """A rich console that stops printing on a broken pipe, where rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        """Print no more."""
        self.quiet = True
        close_quietly(self.file)  # type: ignore[arg-type]


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


def printable(text: str) -> str:
    """The text without control characters, which a terminal would execute: a file's name may contain
    anything."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns: wrapped to the width of a terminal, elsewhere one row per line."""
    printed = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        printed.add_column(head, overflow="fold", no_wrap=head == "run")  # a name is copied whole
    for row in rows:
        printed.add_row(*(Text(str(cell)) for cell in row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _ENDLESS)
    with console.capture() as captured:
        console.print(printed)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def follow_export(export: Iterator[tuple[int, int]], *, shown: bool = True) -> None:
    """Run a video export to its end, with a progress bar on stderr if that is a terminal.

    Args:
        export: yields how many frames are encoded, and how many there are.
    """
    columns = (TextColumn("writing"), BarColumn(bar_width=30), TextColumn("{task.completed}/{task.total}"))
    console = Console(stderr=True)
    bar = Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )
    with bar:
        task = bar.add_task("writing", total=None)
        for done, total in export:
            bar.update(task, completed=done, total=total)


VIDEO_SUFFIXES = (".mp4", ".webm", ".gif", ".webp")


@dataclass(frozen=True, kw_only=True)
class SavedFiles:
    """The paths of a run's picture and video; None if there is none yet."""

    picture: Path | None
    video: Path | None


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The files that ``--out`` and ``--video`` name."""

    picture: Path | None = None
    video: Path | None = None
    overwrite: bool = False

    def check(self) -> None:
        """Raise StorageError before painting if a file could not be written."""
        if self.picture is not None:
            check_target(self.picture, "--out", suffixes=(".png",), overwrite=self.overwrite)
        if self.video is not None:
            check_target(self.video, "--video", suffixes=VIDEO_SUFFIXES, overwrite=self.overwrite)

    def save(self, job: "Job") -> SavedFiles:
        """Copy the picture and the video of a run, and return where they are. Raises PixgenError."""
        picture, video = _if_exists(job.run.picture), _if_exists(job.run.video)
        if self.picture is not None and picture is not None:
            picture = self._copy(picture, self.picture)
        if self.video is not None and video is not None:
            video = self._save_video(video, self.video)
        return SavedFiles(picture=picture, video=video)

    def sound_notice(self, job: "Job") -> str:
        """Why the copy of the video has no sound although the run's video has; empty if it does."""
        from pixgen.studio.video.export import explain_lost_sound

        if self.video is None or not job.run.video.exists():
            return ""
        return explain_lost_sound(job.run.video, self.video)

    def rescue(self, job: "Job") -> PixgenError:
        """Save the newest picture of a failed job, and return the error with a sentence that says where."""
        if job.frame is None:
            return job.error
        if self.picture is None and not isinstance(job.error, StorageError):
            kept = _if_exists(job.run.picture)
        else:
            kept = _save_newest_frame(job, self.picture or Path(tempfile.gettempdir()) / f"{job.id}.png")
        if kept is None:
            return job.error
        return type(job.error)(
            "{error} The picture so far is kept as {kept}.", error=job.error.message, kept=kept
        )

    def _copy(self, source: Path, target: Path) -> Path:
        from pixgen.studio.storage import atomic_write

        try:
            with atomic_write(target) as temporary:
                shutil.copyfile(source, temporary)
        except StorageError as error:
            raise StorageError(
                "{reason} It is kept as {source}.", reason=str(error), source=source
            ) from error
        return target

    def _save_video(self, source: Path, target: Path) -> Path:
        if target.suffix.lower() == source.suffix:
            return self._copy(source, target)
        from pixgen.studio.video.export import export

        export(source, target)
        return target


def check_target(path: Path, option: str, *, suffixes: tuple[str, ...], overwrite: bool) -> None:
    """Raise StorageError if the file of an option could not be written; its folder is created."""
    if path.suffix.lower() not in suffixes:
        raise StorageError(
            "{option} “{path}” must end in {suffixes}.",
            option=option,
            path=path,
            suffixes=" or ".join(suffixes),
        )
    if path.is_dir():
        raise StorageError("{option} “{path}” is a folder: name a file in it.", option=option, path=path)
    if path.exists() and not overwrite:
        raise StorageError(
            "{option} “{path}” exists already: choose another name, or add --overwrite.",
            option=option,
            path=path,
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path) from error
    if not os.access(path.parent, os.W_OK):
        raise _unwritable(path)


def _save_newest_frame(job: "Job", path: Path) -> Path | None:
    """Save the newest frame of a job; None if that fails too."""
    from pixgen.studio.metadata.picture_info import save_png

    try:
        save_png(job.frame.picture, path, job.recipe if job.run.metadata else None)
    except StorageError:
        return None
    return path


def _if_exists(path: Path) -> Path | None:
    return path if path.exists() else None


def _unwritable(path: Path) -> StorageError:
    return StorageError(
        "The folder “{folder}” cannot be written: choose another for “{name}”.",
        folder=path.parent,
        name=path.name,
    )

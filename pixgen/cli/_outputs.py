"""Which film is meant, and how its export is followed."""

# MERGED pixgen.commands.outputs: Copies of the picture and the film, where a person wants them.
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pixgen.errors import PixgenError, StorageError

if TYPE_CHECKING:
    from pixgen.studio import Job


def follow_export(export: Iterator[tuple[int, int]], *, shown: bool = True) -> None:
    """Go through an export, which tells how many pictures of how many are encoded: with a bar and the
    time left on stderr, if that is a terminal."""
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


FILMS = (".mp4", ".webm", ".gif", ".webp")


@dataclass(frozen=True, kw_only=True)
class SavedFiles:
    """Where the picture and the film of a run are; None if there is none yet."""

    picture: Path | None
    film: Path | None


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The files that were asked for with ``--out`` and ``--video``."""

    picture: Path | None = None
    film: Path | None = None
    overwrite: bool = False

    def check(self) -> None:
        """Raise StorageError now, not after minutes of painting, if a file could not be written."""
        if self.picture is not None:
            check_target(self.picture, "--out", suffixes=(".png",), overwrite=self.overwrite)
        if self.film is not None:
            check_target(self.film, "--video", suffixes=FILMS, overwrite=self.overwrite)

    def keep(self, job: "Job") -> SavedFiles:
        """Copy what the run has; where the picture and the film are. Raises PixgenError."""
        picture, film = _existing(job.run.picture), _existing(job.run.film)
        if self.picture is not None and picture is not None:
            picture = self._copy(picture, self.picture)
        if self.film is not None and film is not None:
            film = self._film(film, self.film)
        return SavedFiles(picture=picture, film=film)

    def lost_sound(self, job: "Job") -> str:
        """Why the film that was asked for has no sound though the run's has; else empty."""
        from pixgen.studio.video.export import find_lost_sound

        if self.film is None or not job.run.film.exists():
            return ""
        return find_lost_sound(job.run.film, self.film)

    def rescue(self, job: "Job") -> PixgenError:
        """Keep the newest picture of a job that failed; the error, which then says where it is."""
        if job.frame is None:
            return job.error
        if self.picture is None and not isinstance(job.error, StorageError):
            kept = _existing(job.run.picture)
        else:
            kept = _save_newest(job, self.picture or Path(tempfile.gettempdir()) / f"{job.id}.png")
        if kept is None:
            return job.error
        return type(job.error)(
            "{error} The picture so far is kept as {kept}.", error=job.error.message, kept=kept
        )

    def _copy(self, source: Path, target: Path) -> Path:
        from pixgen.studio.storage import writing

        try:
            with writing(target) as temporary:
                shutil.copyfile(source, temporary)
        except StorageError as error:
            raise StorageError(
                "{reason} It is kept as {source}.", reason=str(error), source=source
            ) from error
        return target

    def _film(self, source: Path, target: Path) -> Path:
        if target.suffix.lower() == source.suffix:
            return self._copy(source, target)
        from pixgen.studio.video.export import export

        export(source, target)
        return target


def check_target(path: Path, option: str, *, suffixes: tuple[str, ...], overwrite: bool) -> None:
    """Raise StorageError if a file that an option names could not be written; its folder is made."""
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


def _save_newest(job: "Job", path: Path) -> Path | None:
    """Save the newest picture of a job there; None if that fails too."""
    from pixgen.studio.metadata.metadata import save_png

    try:
        save_png(job.frame.picture, path, job.recipe if job.run.metadata else None)
    except StorageError:
        return None
    return path


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def _unwritable(path: Path) -> StorageError:
    return StorageError(
        "The folder “{folder}” cannot be written: choose another for “{name}”.",
        folder=path.parent,
        name=path.name,
    )

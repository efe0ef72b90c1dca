"""Progress of model downloads on the command line, for people or programs; and the folder of the user's own
models."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pixgen.models.catalog import Entry
    from pixgen.models.progress import DownloadProgress


def use_models_dir(folder: Path | None) -> None:
    """Set the folder of the user's own models, for this process and those it starts."""
    if folder is not None:
        os.environ["PIXGEN_MODELS_DIR"] = str(folder.absolute())


def download_facts(download: "DownloadProgress") -> dict[str, Any]:
    """The progress of a download as plain values, for JSON."""
    return {
        "model": download.model,
        "done_bytes": download.done,
        "total_bytes": download.total,
        "waiting": download.waiting,
    }


def describe_download(download: "DownloadProgress") -> str:
    """The progress of a download as text."""
    from pixgen.models.cache import format_bytes

    if download.waiting:
        return f"{download.model}: another pixgen is downloading it"
    of = f" of {format_bytes(download.total)}" if download.total else ""
    return f"downloading {download.model}: {format_bytes(download.done)}{of}"


class StderrProgress:
    """Shows a progress bar on stderr as soon as a command downloads a model."""

    def __init__(self) -> None:
        self._bar: BarProgress | None = None

    def __enter__(self) -> "StderrProgress":
        return self

    def __exit__(self, *how: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*how)

    def show(self, download: "DownloadProgress") -> None:
        """Show the progress of the download."""
        if self._bar is None:
            self._bar = BarProgress().__enter__()
        self._bar.show(download)


class LineProgress:
    """Prints one JSON object per line."""

    def __init__(self) -> None:
        self._last_percent = -1

    def show(self, download: "DownloadProgress") -> None:
        """Print a line for each further percent."""
        percent = download.done * 100 // download.total if download.total else download.done // 10**7
        if percent != self._last_percent:
            self._last_percent = percent
            typer.echo(json.dumps(download_facts(download), ensure_ascii=False))

    def end(self, entry: "Entry", path: Path | None) -> None:
        """Report that a model is downloaded."""
        self._last_percent = -1
        facts = {
            "model": entry.name,
            "kind": entry.kind,
            "path": None if path is None else str(path),
        }
        typer.echo(json.dumps(facts, ensure_ascii=False))


class BarProgress:
    """Shows a bar on stderr, or a line per model without a terminal; prints a line to stdout for each
    downloaded model."""

    def __enter__(self) -> "BarProgress":
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._tasks: dict[str, Any] = {}
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, download: "DownloadProgress") -> None:
        """Show the progress of the download."""
        if download.model not in self._tasks:
            self._tasks[download.model] = self._bar.add_task(download.model, total=None)
            if self._bar.disable:
                typer.echo(describe_download(download), err=True)
        text = f"{download.model}: waiting for another pixgen" if download.waiting else download.model
        self._bar.update(
            self._tasks[download.model],
            description=text,
            completed=download.done,
            total=download.total,
        )

    def end(self, entry: "Entry", path: Path | None) -> None:
        """Report that a model is downloaded."""
        if (task := self._tasks.pop(entry.name, None)) is not None:
            self._bar.remove_task(task)
        self._bar.stop()
        typer.echo(f"{entry.name}: {path or 'comes with pixgen'}")
        self._bar.start()

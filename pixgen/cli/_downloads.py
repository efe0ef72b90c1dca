"""Downloads as a person or a program sees them on the command line, and where own models are looked for."""

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
    """Let own models be looked for in a folder, in this process and those it starts."""
    if folder is not None:
        os.environ["PIXGEN_MODELS_DIR"] = str(folder.absolute())


def download_facts(fetching: "DownloadProgress") -> dict[str, Any]:
    """How far a download is, as plain values."""
    return {
        "model": fetching.model,
        "done_bytes": fetching.done,
        "total_bytes": fetching.total,
        "waiting": fetching.waiting,
    }


def describe_download(fetching: "DownloadProgress") -> str:
    """How far a download is, in words."""
    from pixgen.models.cache import format_bytes

    if fetching.waiting:
        return f"{fetching.model}: another pixgen fetches it"
    of = f" of {format_bytes(fetching.total)}" if fetching.total else ""
    return f"fetching {fetching.model}: {format_bytes(fetching.done)}{of}"


class StderrProgress:
    """A command that needs a model which is not here shows its download on stderr, and nothing otherwise."""

    def __init__(self) -> None:
        self._bar: BarProgress | None = None

    def __enter__(self) -> "StderrProgress":
        return self

    def __exit__(self, *how: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*how)

    def show(self, fetching: "DownloadProgress") -> None:
        """Further on."""
        if self._bar is None:
            self._bar = BarProgress().__enter__()
        self._bar.show(fetching)


class LineProgress:
    """One JSON object a line."""

    def __init__(self) -> None:
        self._said = -1

    def show(self, fetching: "DownloadProgress") -> None:
        """Each further percent."""
        percent = fetching.done * 100 // fetching.total if fetching.total else fetching.done // 10**7
        if percent != self._said:
            self._said = percent
            typer.echo(json.dumps(download_facts(fetching), ensure_ascii=False))

    def end(self, entry: "Entry", path: Path | None) -> None:
        """It is here."""
        self._said = -1
        facts = {
            "model": entry.name,
            "kind": entry.kind,
            "path": None if path is None else str(path),
        }
        typer.echo(json.dumps(facts, ensure_ascii=False))


class BarProgress:
    """A bar on stderr, where that is no terminal a line a model; and a line on stdout for each model that
    is here."""

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

    def show(self, fetching: "DownloadProgress") -> None:
        """Further on."""
        if fetching.model not in self._tasks:
            self._tasks[fetching.model] = self._bar.add_task(fetching.model, total=None)
            if self._bar.disable:
                typer.echo(describe_download(fetching), err=True)
        said = f"{fetching.model}: waiting for another pixgen" if fetching.waiting else fetching.model
        self._bar.update(
            self._tasks[fetching.model],
            description=said,
            completed=fetching.done,
            total=fetching.total,
        )

    def end(self, entry: "Entry", path: Path | None) -> None:
        """It is here."""
        if (task := self._tasks.pop(entry.name, None)) is not None:
            self._bar.remove_task(task)
        self._bar.stop()
        typer.echo(f"{entry.name}: {path or 'comes with pixgen'}")
        self._bar.start()

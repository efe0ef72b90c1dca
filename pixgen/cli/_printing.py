"""Printing: lines and tables that reach every terminal, pipe and file, and never end the work they tell of.

A Windows pipe knows 256 letters, ``| head`` closes early, ``>&-`` leaves no stream at all.
"""

import codecs
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    """A rich console that falls silent on a broken pipe, where rich's own ends the process."""

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
    """The text without control characters, which a terminal would obey: a file's name may hold anything."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns: folded to the width of a terminal, elsewhere one row a line."""
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

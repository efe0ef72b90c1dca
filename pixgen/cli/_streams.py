"""What a command prints reaches whoever reads it, and never costs the work that it is about.

A Windows pipe knows 256 letters, ``| head`` closes early, ``>&-`` leaves no stream at all.
"""

import codecs
import os
import sys
from contextlib import suppress
from typing import TextIO

from rich.console import Console

_HANDLER = "pixgen-escapes"


def prepare_streams() -> None:
    """Let both streams print letters that their encoding does not have, as ``\\u72d0``, which JSON reads
    as the letter itself; a stream that is closed takes what is printed and loses it."""
    codecs.register_error(_HANDLER, _escaped)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def say(text: str, *, err: bool = False) -> None:
    """Print a line while there is work to go on with: a reader who has left does not end it."""
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):  # a broken pipe, a full disk behind ``>``, a closed file
        close_quietly(stream)


def close_quietly(stream: TextIO) -> None:
    """Let a stream that nobody reads end nowhere, so that nothing that is still in it fails later."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class PatientConsole(Console):
    """A console of rich's that draws no more when nobody reads, where rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        """Go on without it."""
        self.quiet = True
        close_quietly(self.file)  # type: ignore[arg-type]


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end

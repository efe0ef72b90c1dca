"""The command line: ``python -m pixgen`` and ``pixgen``.

In come arguments. Out come files, lines on stdout and stderr, and an exit status."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: as ``pixgen.cli.app.main``, imported when it is called."""
    from pixgen.cli.app import main as run

    return run(arguments)

"""The command line: ``pixgen``, or ``python -m pixgen``, one module a command in ``commands/``.

In come arguments, which become recipes and calls of the studio. Out come files, lines on stdout and stderr, and an
exit status; ``main`` runs a command.
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; ``pixgen.cli.app`` is imported when this is called."""
    from pixgen.cli.app import main as run

    return run(arguments)

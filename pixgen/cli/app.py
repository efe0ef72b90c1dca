"""The command line: its commands, and how errors reach a person or a machine.

Nothing heavy is imported here: every command imports what it needs when it runs.
"""

import json
import os
import sys
from collections.abc import Sequence

import typer

import pixgen
from pixgen.cli._arguments import WordsCommand, at_home
from pixgen.cli._downloads import StderrProgress
from pixgen.cli._listings import presets
from pixgen.cli._streams import close_quietly, prepare_streams
from pixgen.cli.commands.augment import augment
from pixgen.cli.commands.bench import bench
from pixgen.cli.commands.classify import classify
from pixgen.cli.commands.fork import change, fork
from pixgen.cli.commands.generate import generate
from pixgen.cli.commands.grid import grid, strip
from pixgen.cli.commands.info import info
from pixgen.cli.commands.models import models
from pixgen.cli.commands.queue import queue
from pixgen.cli.commands.runs import compare, runs
from pixgen.cli.commands.search import collections, index, search
from pixgen.cli.commands.settings import settings
from pixgen.cli.commands.styles import styles
from pixgen.cli.commands.upscale import upscale
from pixgen.cli.commands.video import film, journey, restyle
from pixgen.errors import PixgenError
from pixgen.models.progress import listen_to_downloads

BAD_INPUT = 2  # the exit status for anything that a person can put right

app = typer.Typer(
    name="pixgen",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    generate,
    fork,
    change,
    compare,
    grid,
    strip,
    upscale,
    augment,
    film,
    journey,
    restyle,
    classify,
    info,
    presets,
    settings,
    index,
    search,
    collections,
):
    app.command(cls=WordsCommand)(command)
app.add_typer(runs)
app.add_typer(queue)
app.add_typer(bench)
app.add_typer(models)
app.add_typer(styles, name="styles")
for group in (app, runs, queue, bench, models, styles):
    for info_of_command in group.registered_commands:
        if (function := info_of_command.callback) is not None:
            info_of_command.callback = at_home(function)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pixgen {pixgen.__version__}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def _pixgen(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Paint pictures from words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status.

    A PixgenError becomes one line on stderr, or with ``--json`` one JSON object there.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    prepare_streams()
    # Threads that wait by spinning make a step several times slower as soon as anything else runs on
    # the same cores. It is read when torch is first loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with StderrProgress() as aside, listen_to_downloads(aside.show):
            return app(arguments, prog_name="pixgen", standalone_mode=False) or 0
    except (PixgenError, _usage_error()) as error:
        _say(error, as_json="--json" in arguments)
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:  # the reader, for example ``head``, has seen enough
        close_quietly(sys.stdout)
        return 1


def _usage_error() -> type[Exception]:
    """What typer raises for a bad option: its own class, or click's in older versions."""
    return typer.BadParameter.__mro__[1]


def _say(error: Exception, *, as_json: bool) -> None:
    sentence = error.format_message() if hasattr(error, "format_message") else str(error)
    if as_json:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False), err=True)
    elif sentence:  # a bare ``pixgen`` prints its help and has no more to say
        typer.echo(f"pixgen: {sentence}", err=True)

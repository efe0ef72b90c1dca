"""The command line: its commands, and how errors are printed for people or programs.

Nothing heavy is imported here: every command imports what it needs when it runs.
"""

import json
import os
import sys
from collections.abc import Sequence

import typer

import pixgen
from pixgen.cli._downloads import StderrProgress
from pixgen.cli._options import WordsCommand, finish_commands
from pixgen.cli._outputs import close_quietly, prepare_streams
from pixgen.cli._signals import exit_status, terminate_as_interrupt
from pixgen.cli.cluster import cluster
from pixgen.cli.commands.augment import augment
from pixgen.cli.commands.bench import bench
from pixgen.cli.commands.classify import classify
from pixgen.cli.commands.fork import change, fork
from pixgen.cli.commands.generate import generate
from pixgen.cli.commands.grid import batch, grid, strip
from pixgen.cli.commands.info import info
from pixgen.cli.commands.models import models
from pixgen.cli.commands.page import open_page
from pixgen.cli.commands.presets import presets, settings, styles
from pixgen.cli.commands.queue import queue
from pixgen.cli.commands.runs import compare, runs
from pixgen.cli.commands.search import collections, index, search
from pixgen.cli.commands.upscale import svg, upscale, wall
from pixgen.cli.commands.video import export_video, journey, restyle
from pixgen.cli.doctor import doctor
from pixgen.errors import PixgenError
from pixgen.models.progress import listen_to_downloads

BAD_INPUT = 2  # the exit status for errors that the user can fix

app = typer.Typer(
    name="pixgen",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    epilog='Example: pixgen generate "a red fox on a snowy hill" --out fox.png',
)
# The panels of `pixgen --help`, in their order.
PAINT, EDIT, FIND, CHOOSE, MACHINE = (
    "Paint",
    "Runs and pictures",
    "Classify and search",
    "Presets, settings and models",
    "Benchmarks",
)
app.command("app", rich_help_panel=PAINT)(open_page)
for command in (generate, batch, grid, strip, journey, restyle):
    app.command(cls=WordsCommand, rich_help_panel=PAINT)(command)
for command in (fork, change, compare):
    app.command(cls=WordsCommand, rich_help_panel=EDIT)(command)
app.command("export-video", cls=WordsCommand, rich_help_panel=EDIT)(export_video)
app.command("film", cls=WordsCommand, hidden=True)(export_video)  # its name in earlier versions
for command in (upscale, wall, svg, augment, info):
    app.command(cls=WordsCommand, rich_help_panel=EDIT)(command)
for command in (classify, search, index, collections):
    app.command(cls=WordsCommand, rich_help_panel=FIND)(command)
for command in (presets, settings):
    app.command(cls=WordsCommand, rich_help_panel=CHOOSE)(command)
app.add_typer(styles, rich_help_panel=CHOOSE)
app.add_typer(models, rich_help_panel=CHOOSE)
app.add_typer(runs, rich_help_panel=EDIT)
app.add_typer(queue, rich_help_panel=EDIT)
app.command(cls=WordsCommand, rich_help_panel=MACHINE)(doctor)
app.add_typer(cluster, rich_help_panel=MACHINE)
app.add_typer(bench, rich_help_panel=MACHINE)
for group in (app, runs, queue, bench, cluster, models, styles):
    finish_commands(group)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pixgen {pixgen.__version__}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def _pixgen(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Paint pictures from words, with VQGAN and CLIP."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    A PixgenError becomes one line on stderr, or with ``--json`` one JSON object there.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    prepare_streams()
    # Threads that wait by spinning make a step several times slower as soon as anything else runs on
    # the same cores. It is read when torch is first loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with terminate_as_interrupt(), StderrProgress() as progress, listen_to_downloads(progress.show):
            return app(arguments, prog_name="pixgen", standalone_mode=False) or 0
    except (PixgenError, _usage_error()) as error:
        _print_error(error, as_json="--json" in arguments)
        return BAD_INPUT
    except KeyboardInterrupt as error:
        return exit_status(error)
    except typer.Abort:
        return 130
    except BrokenPipeError:  # the reader, for example ``head``, has read enough
        close_quietly(sys.stdout)
        return 1


def _usage_error() -> type[Exception]:
    """What typer raises for a bad option: its own class, or click's in older versions."""
    return typer.BadParameter.__mro__[1]


def _print_error(error: Exception, *, as_json: bool) -> None:
    sentence = error.format_message() if hasattr(error, "format_message") else str(error)
    if as_json:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False), err=True)
    elif sentence:  # a bare ``pixgen`` prints its help and nothing else
        typer.echo(f"pixgen: {sentence}", err=True)

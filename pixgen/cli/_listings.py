"""``pixgen presets``: a small listing, and how listings are printed."""

import json
import sys
from collections.abc import Iterable, Sequence

import typer

from pixgen.cli._options import AsJson

_ENDLESS = 1_000_000  # columns: more than any row has


def presets(as_json: AsJson = False) -> None:
    """List the presets: how much work each is."""
    from pixgen.recipe.presets import DEFAULT, available_presets

    found = available_presets().values()
    if as_json:
        values = [
            {
                "name": each.name,
                "title": each.title,
                "about": each.about,
                "recipe": each.recipe,
                "foretold_megabytes": each.foretold_megabytes,
                "estimated_seconds": dict(each.estimated_seconds),
                "measured": list(each.measured),
            }
            for each in found
        ]
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    table(
        ("preset", "about"),
        [(each.name + (" (default)" if each.name == DEFAULT else ""), each.about) for each in found],
    )


def printable(text: str) -> str:
    """Without what a terminal would obey: a file's name may hold anything."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below their heads, in columns; a terminal's folded to its width, elsewhere a row a line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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

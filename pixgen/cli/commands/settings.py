"""``pixgen settings``: every setting of a recipe that ``--set`` reaches, as its field declares it."""

import json
from typing import Annotated

import typer

from pixgen.cli._listings import table
from pixgen.cli._options import AsJson


def settings(
    text: Annotated[str, typer.Argument(help="Only those with this in their name.", metavar="TEXT")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table of docs/settings.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the settings of a recipe: what --set and a preset may say."""
    from pixgen.recipe.base import settings_of
    from pixgen.recipe.recipe import Recipe

    rows = [
        (
            each.path,
            each.default_text,
            each.range or ", ".join(filter(None, each.choices)),
            each.summary,
        )
        for each in settings_of(Recipe)
        if text in each.path
    ]
    heads = ("setting", "default", "values", "what it does")
    if as_json:
        values = [dict(zip(heads, row, strict=True)) for row in rows]
        typer.echo(json.dumps(values, ensure_ascii=False))
    elif markdown:
        for row in (heads, ("---",) * len(heads), *((f"`{row[0]}`", *row[1:]) for row in rows)):
            typer.echo(f"| {' | '.join(row)} |")
    else:
        table(heads, rows)

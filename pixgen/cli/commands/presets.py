"""``pixgen presets``, ``settings`` and ``styles``: what a recipe can be made of, listed.

Presets say how much work a picture takes, settings are what ``--set`` reaches, styles are words around a prompt.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from pixgen.cli._options import OUTPUT, AsJson, Device, example
from pixgen.cli._outputs import print_table

SUBJECT, SEED, SIDE = "a fox", 7, 96  # of the thumbnails, which differ only in the style

styles = typer.Typer(
    name="styles",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    epilog="Example: pixgen styles",
)


@example("pixgen presets")
def presets(as_json: AsJson = False) -> None:
    """List the presets for --preset: their quality and what they cost."""
    from pixgen.recipe.presets import DEFAULT, available_presets

    found = available_presets().values()
    if as_json:
        values = [
            {
                "name": each.name,
                "title": each.title,
                "about": each.about,
                "recipe": each.recipe,
                "estimated_megabytes": each.estimated_megabytes,
                "foretold_megabytes": each.estimated_megabytes,  # its name in 0.1.0
                "estimated_seconds": dict(each.estimated_seconds),
                "measured": list(each.measured),
            }
            for each in found
        ]
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    print_table(
        ("preset", "about"),
        [(each.name + (" (default)" if each.name == DEFAULT else ""), each.about) for each in found],
    )


@example("pixgen settings cutouts")
def settings(
    text: Annotated[str, typer.Argument(help="Only settings with this in their name.", metavar="TEXT")] = "",
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print the table of docs/settings.md.", rich_help_panel=OUTPUT),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the settings of a recipe, which --set and a preset can change."""
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
        print_table(heads, rows)


@styles.callback()
def list_styles(context: typer.Context, as_json: AsJson = False) -> None:
    """List the styles for --style, or paint their thumbnails."""
    from pixgen.recipe.styles import available_styles

    if context.invoked_subcommand is not None:
        return
    found = available_styles().values()
    if as_json:
        typer.echo(json.dumps([{"name": each.name, **each.value()} for each in found], ensure_ascii=False))
        return
    print_table(("style", "template"), [(each.name, each.template) for each in found])


@styles.command("paint")
@example("pixgen styles paint watercolour --folder thumbnails")
def paint_thumbnails(
    names: Annotated[
        list[str] | None, typer.Argument(help="Styles. Default: all of them.", metavar="NAME")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the thumbnails. Default: beside the styles.",
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    device: Device = "auto",
) -> None:
    """Paint a thumbnail of each style: the same prompt, seed and preset for all."""
    from PIL import Image

    from pixgen.recipe.options import Options, recipe_from
    from pixgen.recipe.styles import FOLDER, available_styles, load_styles
    from pixgen.studio import Studio
    from pixgen.studio.storage import atomic_write

    chosen = [load_styles(name)[0] for name in names] if names else available_styles().values()
    with TemporaryDirectory(prefix="pixgen-") as home, Studio(Path(home), device=device) as studio:
        for style in chosen:
            recipe = recipe_from(Options(prompt=SUBJECT, seed=SEED, styles=(style,)))
            job = studio.submit(recipe)
            job.wait()
            if job.error is not None:
                raise job.error
            picture = Image.fromarray(job.frame.picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            target = (folder or FOLDER) / f"{style.name}.webp"
            with atomic_write(target) as temporary:
                picture.save(temporary, "WEBP", quality=82, method=6)
            typer.echo(f"{style.name}: {recipe.prompt}")

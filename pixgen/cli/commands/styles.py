"""``pixgen styles``: list the styles, and paint their thumbnails."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from pixgen.cli._listings import table
from pixgen.cli._options import AsJson, Device

SUBJECT, SEED, SIDE = "a fox", 7, 96  # of the thumbnails, which differ in the style alone

styles = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False)


@styles.callback()
def list_styles(context: typer.Context, as_json: AsJson = False) -> None:
    """List the styles: words around yours, for --style."""
    from pixgen.recipe.styles import available_styles

    if context.invoked_subcommand is not None:
        return
    found = available_styles().values()
    if as_json:
        typer.echo(json.dumps([{"name": each.name, **each.value()} for each in found], ensure_ascii=False))
        return
    table(("style", "words"), [(each.name, each.template) for each in found])


@styles.command()
def paint(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all without.", metavar="NAME")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the thumbnails are written; else beside the styles.", metavar="FOLDER"),
    ] = None,
    device: Device = "auto",
) -> None:
    """Paint a thumbnail for every style, the same thing from the same seed, with the usual preset."""
    from PIL import Image

    from pixgen.recipe.options import Options, recipe_from
    from pixgen.recipe.styles import FOLDER, available_styles, load_styles
    from pixgen.studio import Studio
    from pixgen.studio.storage import writing

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
            with writing(target) as temporary:
                picture.save(temporary, "WEBP", quality=82, method=6)
            typer.echo(f"{style.name}: {recipe.prompt}")

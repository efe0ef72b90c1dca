"""``pixgen info``: how a picture, a film or a JSON file was made, by pixgen or by another program."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._listings import printable, table
from pixgen.cli._options import AsJson

if TYPE_CHECKING:
    from pixgen.studio.metadata.picture_info import PictureInfo


def info(
    file: Annotated[
        Path,
        typer.Argument(
            help="A PNG, MP4, WebM, GIF, WebP or JSON file that pixgen wrote, or a PNG of pixray, VQGAN-CLIP "
            "or stable-diffusion-webui.",
            metavar="FILE",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Print the recipe that a picture, a film or a JSON file carries.

    With --json it is a recipe as --recipe reads it; what else there is to know is on stderr.
    """
    from pixgen.studio.metadata.picture_info import flat, read_info
    from pixgen.studio.upscaling import read_upscaled

    found, larger = read_info(file), read_upscaled(file)
    recipe = found.recipe
    for sentence in notes(found):
        typer.echo(f"pixgen: {printable(sentence)}", err=True)
    if larger is not None:
        size = f"{larger.width}×{larger.height}"
        typer.echo(
            f"pixgen: Enlarged {larger.scale:g} times by {printable(larger.method)}, from {size}.",
            err=True,
        )
    if as_json:
        typer.echo(json.dumps(recipe.model_dump(mode="json"), ensure_ascii=False))
        return
    rows = [("prompt", recipe.prompt), ("size", f"{recipe.width}x{recipe.height}")]
    shown = ("prompts", "width", "height", "version")
    rows += [row for row in flat(recipe.model_dump(mode="json")) if row[0].split(".")[0] not in shown]
    table(("field", "value"), rows)


def notes(info: "PictureInfo") -> Iterable[str]:
    """What to know besides the recipe: who wrote it, and what it lacks."""
    if info.program != "pixgen":
        yield f"Read from {info.program}; what it does not say is the usual preset’s."
    if not info.has_seed:
        yield "Its seed is not told."
    if info.left_out:
        told = ", ".join(f"{name} ({value})" for name, value in info.left_out)
        yield f"Not mapped, as pixgen has nothing like it: {told}."
    if info.missing:
        yield f"It needs pictures that the file does not hold: {', '.join(info.missing)}."

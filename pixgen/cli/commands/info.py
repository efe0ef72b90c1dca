"""``pixgen info``: the recipe in a picture, a video or a JSON file, by pixgen or by another program."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._options import AsJson, example
from pixgen.cli._outputs import print_table, printable

if TYPE_CHECKING:
    from pixgen.studio.metadata.picture_info import PictureInfo


@example("pixgen info fox.png")
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
    """Print the recipe in a picture, a video or a JSON file.

    --json prints it as --recipe reads it. Notes go to stderr.
    """
    from pixgen.studio.metadata.picture_info import flatten, read_info
    from pixgen.studio.upscaling import read_upscale_info

    found, larger = read_info(file), read_upscale_info(file)
    recipe = found.recipe
    for sentence in info_notes(found):
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
    rows += [row for row in flatten(recipe.model_dump(mode="json")) if row[0].split(".")[0] not in shown]
    print_table(("field", "value"), rows)


def info_notes(info: "PictureInfo") -> Iterable[str]:
    """Notes beside the recipe: which program wrote it, and what is missing."""
    if info.program != "pixgen":
        yield f"Read from {info.program}; settings that it does not name are those of the default preset."
    if not info.has_seed:
        yield "It does not say which seed was used."
    if info.left_out:
        left_out = ", ".join(f"{name} ({value})" for name, value in info.left_out)
        yield f"Ignored, because pixgen has no such setting: {left_out}."
    if info.missing:
        yield f"It needs pictures that are not in the file: {', '.join(info.missing)}."

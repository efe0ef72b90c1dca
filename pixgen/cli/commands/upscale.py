"""``pixgen upscale``, ``wall`` and ``svg``: a finished picture enlarged, as a wall of tiles, or as shapes."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixgen.cli._options import (
    MODELS,
    OUTPUT,
    PICTURE,
    AsJson,
    Device,
    OutputDir,
    Overwrite,
    Run,
    example,
)
from pixgen.errors import RecipeError


@example("pixgen upscale fox.png --scale 4 --out large.png")
def upscale(
    picture: Annotated[Path, typer.Argument(help="The file of a picture.", metavar="PICTURE")],
    out: Annotated[
        Path,
        typer.Option(help="Where to write the larger picture.", metavar="FILE.png", rich_help_panel=OUTPUT),
    ],
    scale: Annotated[
        float,
        typer.Option(help="How many times as wide and high, up to 8.", metavar="N", rich_help_panel=MODELS),
    ] = 2.0,
    method: Annotated[
        str,
        typer.Option(
            help="pocket: a network trained on drawings. crisp: no network, adds no detail. auto: pocket for "
            "pictures that the bundled models painted, crisp for all others. Or the name of a safetensors file "
            "in the folder models/upscalers of the cache, which the package spandrel reads.",
            metavar="NAME",
            rich_help_panel=MODELS,
        ),
    ] = "auto",
    overwrite: Overwrite = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Enlarge a finished picture; it keeps its recipe and records how it was enlarged."""
    from pixgen.cli._outputs import check_target

    check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)

    from pixgen.studio.upscaling import save_upscaled, upscale_picture

    larger, how = upscale_picture(picture, scale=scale, method=method, device=device)
    save_upscaled(larger, out, source=picture, how=how)
    width, height = larger.size
    if as_json:
        said = {"picture": str(out), "width": width, "height": height, "method": how.method}
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        typer.echo(f"{width}×{height} pixels, by {how.method}: {out}")


@example("pixgen wall tile.png --tiles 4x3 --out wall.png")
def wall(
    picture: Annotated[Path, typer.Argument(help="The file of a picture.", metavar="PICTURE")],
    out: Annotated[
        Path,
        typer.Option(help="Where to write the wall.", metavar="FILE.png", rich_help_panel=OUTPUT),
    ],
    tiles: Annotated[
        str,
        typer.Option(help="Columns x rows, 12 each at most.", metavar="3x3", rich_help_panel=PICTURE),
    ] = "3x3",
    kind: Annotated[
        str | None,
        typer.Option(
            help="What the neighbouring tiles are: shift (the same again), across, down or both (its mirror image). "
            "Default: what it was painted for.",
            metavar="KIND",
            rich_help_panel=PICTURE,
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Lay a wall of tiles from a finished picture."""
    from pixgen.cli._outputs import check_target

    check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)

    from pixgen.studio.gallery.walls import save_wall, wall_of_file

    columns, by, rows = tiles.lower().partition("x")
    if not (columns.isdecimal() and (rows.isdecimal() or not by)):
        raise RecipeError(
            "“{tiles}” is not a number of tiles: write columns x rows, such as 4x3.", tiles=tiles[:20]
        )
    laid = wall_of_file(picture, kind=kind, columns=int(columns[:4]), rows=int((rows or columns)[:4]))
    save_wall(laid, out)
    typer.echo(f"{laid.width}×{laid.height} pixels: {out}")


@example("pixgen svg 20261129-120000-abcdef --out fox.svg")
def svg(
    run: Run,
    out: Annotated[Path, typer.Option(help="Where to write it.", metavar="FILE.svg", rich_help_panel=OUTPUT)],
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
) -> None:
    """Save the picture of a run as SVG: the strokes of lines, or the cells of pixels."""
    from pixgen.cli._outputs import check_target

    check_target(out, "--out", suffixes=(".svg",), overwrite=overwrite)

    from pixgen.studio.runs.record import save_svg
    from pixgen.studio.runs.run import find_run

    save_svg(find_run(run, output_dir), out)
    typer.echo(f"SVG: {out}")

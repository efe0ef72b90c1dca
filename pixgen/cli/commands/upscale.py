"""``pixgen upscale``: enlarge a finished picture."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixgen.cli._options import MODELS, OUTPUT, AsJson, Device, Overwrite, example


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

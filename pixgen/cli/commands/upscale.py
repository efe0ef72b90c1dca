"""``pixgen upscale``: a finished picture, larger."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixgen.cli._options import AsJson, Device, Overwrite


def upscale(
    picture: Annotated[Path, typer.Argument(help="The picture's file.", metavar="PICTURE")],
    out: Annotated[Path, typer.Option(help="Where to write it.", metavar="FILE.png")],
    scale: Annotated[float, typer.Option(help="How many times as wide and high, up to 8.")] = 2.0,
    method: Annotated[
        str,
        typer.Option(
            help="pocket, learned for drawings; crisp, which invents nothing; or the name of another learned "
            "one: a safetensors file in the folder models/upscalers of the cache, read by the package "
            "spandrel. auto is pocket for what the bundled models have painted, and crisp for the rest.",
            metavar="NAME",
        ),
    ] = "auto",
    overwrite: Overwrite = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Enlarge a finished picture. It keeps its recipe, and tells how it was enlarged."""
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

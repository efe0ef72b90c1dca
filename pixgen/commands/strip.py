"""``pixgen strip``: the pictures between two ideas, side by side."""

from pathlib import Path
from typing import Annotated

import typer


def strip(
    first: Annotated[
        str, typer.Argument(help="Where it begins: words, a picture's path, or terms “[a.png] | snow”.")
    ],
    last: Annotated[str, typer.Argument(help="Where it ends.")],
    pictures: Annotated[int, typer.Option(help="How many pictures, the ends included.")] = 7,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the strip; else beside its runs.", metavar="FILE.png"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let --out replace an existing file.")
    ] = False,
    preset: Annotated[str | None, typer.Option(help="How much work.", metavar="NAME")] = None,
    size: Annotated[
        str | None, typer.Option(help="Width x height of each picture.", metavar="128x128")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps on each sketch; else it is kept as it is.", metavar="N")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The seed of all; without it, a random one.", metavar="N")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any field of the recipe, for all.", metavar="KEY=VALUE"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.", metavar="NAME")] = "auto",
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where runs are kept; else $PIXGEN_OUTPUT_DIR, else ./outputs.", metavar="FOLDER"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines: one JSON object a picture, the strip last.")
    ] = False,
) -> None:  # fmt: skip
    """Paint what lies between two ideas: words, pictures, or sums of both.

    Every picture is a run of its own. Ctrl-C keeps what is done; pixgen grid --resume goes on.
    """
    from pixgen.commands.options import Options
    from pixgen.commands.outputs import check_target
    from pixgen.commands.strips import plan_strip

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    options = Options(
        preset=preset, size=size, steps=steps, seed=seed, assignments=assignments or ()
    )
    plan = plan_strip((first, last), options, count=pictures)

    from pixgen.commands.grid import follow
    from pixgen.studio import Studio
    from pixgen.studio.grids import Grid

    with Studio(output_dir, device=device) as studio:
        raise typer.Exit(follow(Grid.make(studio, plan), out=out, as_json=as_json))

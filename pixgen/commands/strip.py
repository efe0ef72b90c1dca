"""``pixgen strip``: the pictures between two ideas, side by side."""

from typing import Annotated

import typer

from pixgen.commands.vocabulary import (
    AsJsonLines,
    Assignments,
    Device,
    OutputDir,
    Overwrite,
    Preset,
    SeedOfAll,
    Sheet,
    Size,
    Styles,
    setting_option,
)


def strip(
    first: Annotated[
        str, typer.Argument(help="Where it begins: words, a picture's path, or terms “[a.png] | snow”.")
    ],
    last: Annotated[str, typer.Argument(help="Where it ends.")],
    pictures: Annotated[int, typer.Option(help="How many pictures, the ends included.")] = 7,
    out: Sheet = None,
    overwrite: Overwrite = False,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None, setting_option("steps", metavar="N", before="On each sketch; else it is kept as it is.")
    ] = None,
    seed: SeedOfAll = None,
    assignments: Assignments = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:  # fmt: skip
    """Paint what lies between two ideas: words, pictures, or sums of both.

    Every picture is a run of its own. Ctrl-C keeps what is done; pixgen grid --resume goes on.
    """
    from pixgen.commands.grid import paint_grid
    from pixgen.commands.options import Options
    from pixgen.commands.outputs import check_target
    from pixgen.commands.strips import plan_strip

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    options = Options.typed(
        styles=style, preset=preset, size=size, steps=steps, seed=seed, assignments=assignments
    )
    plan = plan_strip((first, last), options, count=pictures)
    paint_grid(plan, out=out, device=device, output_dir=output_dir, as_json=as_json)

"""``pixgen grid``: a picture for every value of one or two fields, on one labelled sheet."""

# MERGED pixgen.commands.strip: ``pixgen strip``: the pictures between two ideas, side by side.
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pixgen.cli._jobs import INTERRUPTED, only_with_resume
from pixgen.cli._options import (
    AsJsonLines,
    Assignments,
    Device,
    Init,
    Negative,
    OutputDir,
    Overwrite,
    Preset,
    SeedOfAll,
    Sheet,
    Size,
    Styles,
    setting_option,
)
from pixgen.cli._streams import say

if TYPE_CHECKING:
    from pixgen.studio import Run
    from pixgen.studio.grids.grid import Grid, Plan


def grid(
    context: typer.Context,
    prompt: Annotated[
        str | None,
        typer.Argument(help="What to paint; its alternatives “a {red|blue} fox __place__” are painted each."),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="A field and its values: seed=1-4, preset=draft,balanced, cutouts.kind=gentle,crowson, "
            "“weight of prompt 2=0.2,0.5,1”; twice for rows and columns.",
            metavar="FIELD=VALUES",
        ),
    ] = None,
    out: Sheet = None,
    overwrite: Overwrite = False,
    negative: Negative = None,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[int | None, setting_option("steps", metavar="N", before="Of each picture.")] = None,
    seed: SeedOfAll = None,
    init: Init = None,
    assignments: Assignments = None,
    resume: Annotated[
        str | None,
        typer.Option(help="Go on with a stopped grid, by its name.", metavar="GRID"),
    ] = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint a picture for every value of one or two fields, and draw them on one sheet.

    Every cell is a run of its own. Ctrl-C keeps the cells that are done; --resume goes on.
    """
    from pixgen.cli._outputs import check_target
    from pixgen.recipe.options import Options
    from pixgen.studio.grids.plans import plan_grid, read_axis

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    if resume is not None:
        only_with_resume(
            context,
            "out",
            why="the grid's own recipes: only --out, --overwrite, --device, --output-dir and --json go with it.",
        )
        paint_grid(resume, out=out, device=device, output_dir=output_dir, as_json=as_json)
    plan = plan_grid(
        Options.typed(
            prompt=prompt, negative=negative, styles=style, preset=preset, size=size, steps=steps,
            seed=seed, init=init, assignments=assignments,
        ),
        [read_axis(text) for text in over or ()],
    )  # fmt: skip
    paint_grid(plan, out=out, device=device, output_dir=output_dir, as_json=as_json)


def paint_grid(
    plan: "Plan | str", *, out: Path | None, device: str, output_dir: Path | None, as_json: bool
) -> NoReturn:
    """Paint a plan, or go on with the grid of a name, and leave the command with its exit status."""
    from pixgen.studio import Studio
    from pixgen.studio.grids.grid import Grid

    with Studio(output_dir, device=device) as studio:
        made = Grid.read(studio, plan) if isinstance(plan, str) else Grid.make(studio, plan)
        status = follow(made, out=out, as_json=as_json)
    raise typer.Exit(status)


def follow(grid: "Grid", *, out: Path | None, as_json: bool) -> int:
    """Paint a grid, say each cell when it has ended, and write the sheet; the exit status.

    Raises the PixgenError that ended a cell, once the sheet of the others is written.
    """
    from pixgen.studio.grids.sheet import draw_sheet, save_sheet

    status, said, target = 0, -1, out or grid.folder / "sheet.png"
    try:
        try:
            with closing(grid.paint()) as painting:  # leaving it stops the cell at hand
                for index, job in painting:
                    job.wait()
                    if job.error is None:
                        _say(grid, index, job.run, as_json=as_json)
                        said = index
        except KeyboardInterrupt:
            status = INTERRUPTED
    finally:
        if said >= 0 or status == 0:
            save_sheet(draw_sheet(grid.plan, grid.runs()), target, plan=grid.plan)
    missing = sum(run is None or run.state != "done" for run in grid.runs())
    if as_json:
        cells = [cell.run or None for cell in grid.plan.cells]
        say(json.dumps({"grid": grid.id, "sheet": str(target), "cells": cells}))
        return status
    if missing:
        say(
            f"{missing} of {len(grid.plan.cells)} pictures are missing. Go on with: "
            f"python -m pixgen grid --resume {grid.id}",
            err=True,
        )
    if target.exists():
        say(f"Sheet: {target}")
    return status


def _say(grid: "Grid", index: int, run: "Run", *, as_json: bool) -> None:
    from pixgen.studio.grids.sheet import similarity

    row, column = divmod(index, len(grid.plan.columns))
    titles = [title for title in (grid.plan.rows[row], grid.plan.columns[column]) if title]
    match = similarity(run)
    if as_json:
        value = {"cell": titles, "run": run.id, "state": run.state, "similarity": match}
        say(json.dumps(value, ensure_ascii=False))
        return
    figure = "" if match is None else f" {match:+.3f}"
    say(f"{index + 1}/{len(grid.plan.cells)}{figure}  {' · '.join(titles)}  run {run.id}")


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
) -> None:
    """Paint what lies between two ideas: words, pictures, or sums of both.

    Every picture is a run of its own. Ctrl-C keeps what is done; pixgen grid --resume goes on.
    """
    from pixgen.cli._outputs import check_target
    from pixgen.recipe.options import Options
    from pixgen.studio.grids.plans import plan_strip

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    options = Options.typed(
        styles=style, preset=preset, size=size, steps=steps, seed=seed, assignments=assignments
    )
    plan = plan_strip((first, last), options, count=pictures)
    paint_grid(plan, out=out, device=device, output_dir=output_dir, as_json=as_json)

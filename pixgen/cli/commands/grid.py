"""``pixgen batch``, ``grid`` and ``strip``: many pictures on one sheet.

A batch has several pictures of one recipe, a grid has a picture for every value of one or two settings, a strip the pictures between two ideas.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pixgen.cli._jobs import reject_options_beside_resume
from pixgen.cli._options import (
    PICTURE,
    RUNS,
    AsJsonLines,
    Assignments,
    Cluster,
    Device,
    Devices,
    Init,
    Negative,
    OutputDir,
    Overwrite,
    PerDevice,
    Preset,
    SharedSeed,
    SheetOut,
    Size,
    Styles,
    example,
    setting_option,
)
from pixgen.cli._outputs import print_line
from pixgen.cli._signals import exit_status
from pixgen.cli._studio import open_studio
from pixgen.errors import PixgenError

if TYPE_CHECKING:
    from pixgen.studio import Job, Run
    from pixgen.studio.grids.grid import Grid, Plan


@example('pixgen grid "a red fox" --over seed=1-4 --over preset=draft,balanced --out sheet.png')
def grid(
    context: typer.Context,
    prompt: Annotated[
        str | None,
        typer.Argument(help="Prompt. Its wildcards “a {red|blue} fox __place__” give a picture each."),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="A setting and its values: seed=1-4, preset=draft,balanced, cutouts.kind=gentle,crowson, "
            "“weight of prompt 2=0.2,0.5,1”. Give it twice for columns and rows.",
            metavar="SETTING=VALUES",
            rich_help_panel=PICTURE,
        ),
    ] = None,
    out: SheetOut = None,
    overwrite: Overwrite = False,
    negative: Negative = None,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None, setting_option("steps", panel=PICTURE, metavar="N", before="For each picture.")
    ] = None,
    seed: SharedSeed = None,
    init: Init = None,
    assignments: Assignments = None,
    resume: Annotated[
        str | None,
        typer.Option(help="Continue a stopped grid, by its name.", metavar="GRID", rich_help_panel=RUNS),
    ] = None,
    device: Device = "auto",
    devices: Devices = None,
    cluster: Cluster = None,
    per_device: PerDevice = 1,
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint a picture for every value of one or two settings, on one sheet.

    Every cell is its own run. Ctrl-C keeps the finished cells; --resume continues.
    """
    from pixgen.cli._outputs import check_target
    from pixgen.recipe.options import Options
    from pixgen.studio.grids.plans import plan_grid, read_axis

    studio = {
        "folder": output_dir,
        "device": device,
        "devices": devices,
        "cluster": cluster,
        "per_device": per_device,
    }
    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    if resume is not None:
        reject_options_beside_resume(
            context,
            "out",
            why="the grid's own recipes: it can be combined only with --out, --overwrite, --device, --devices, "
            "--cluster, --per-device, --output-dir and --json.",
        )
        paint_grid(resume, out=out, as_json=as_json, **studio)
    plan = plan_grid(
        Options.typed(
            prompt=prompt,
            negative=negative,
            styles=style,
            preset=preset,
            size=size,
            steps=steps,
            seed=seed,
            init=init,
            assignments=assignments,
        ),
        [read_axis(text) for text in over or ()],
    )
    paint_grid(plan, out=out, as_json=as_json, **studio)


@example('pixgen batch "a red fox" --count 6 --out sheet.png')
def batch(
    prompt: Annotated[str | None, typer.Argument(help="Prompt, as in `pixgen generate`.")] = None,
    count: Annotated[int, typer.Option(help="Number of pictures.", metavar="N", rich_help_panel=PICTURE)] = 4,
    out: SheetOut = None,
    overwrite: Overwrite = False,
    negative: Negative = None,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None, setting_option("steps", panel=PICTURE, metavar="N", before="For each picture.")
    ] = None,
    seed: Annotated[
        int | None,
        setting_option("seed", panel=PICTURE, metavar="N", before="Of the first picture; the others follow."),
    ] = None,
    init: Init = None,
    assignments: Assignments = None,
    device: Device = "auto",
    devices: Devices = None,
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint several pictures of one recipe, each with the next seed, and their contact sheet.

    Every picture is its own run. Ctrl-C keeps the finished ones; pixgen grid --resume continues.
    """
    from pixgen.cli._outputs import check_target
    from pixgen.recipe.options import Options
    from pixgen.studio.grids.plans import plan_batch

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    options = Options.typed(
        prompt=prompt,
        negative=negative,
        styles=style,
        preset=preset,
        size=size,
        steps=steps,
        seed=seed,
        init=init,
        assignments=assignments,
    )
    plan = plan_batch(options, count=count)
    paint_grid(plan, out=out, device=device, devices=devices, output_dir=output_dir, as_json=as_json)


def paint_grid(
    plan: "Plan | str", *, out: Path | None, as_json: bool, folder: Path | None, **options: Any
) -> NoReturn:
    """Paint a plan, or continue the grid with this name, and end the command with its exit status.

    Args:
        options: as for ``open_studio``.
    """
    from pixgen.studio.grids.grid import Grid

    with open_studio(folder, **options) as studio:
        made = Grid.read(studio, plan) if isinstance(plan, str) else Grid.make(studio, plan)
        status = follow_grid(made, out=out, as_json=as_json)
    raise typer.Exit(status)


def follow_grid(grid: "Grid", *, out: Path | None, as_json: bool) -> int:
    """Paint a grid, print a line for each finished cell, write the sheet, and return the exit status.

    Raises the PixgenError that ended a cell, once the sheet of the other cells is written.
    """
    from pixgen.studio.grids.grid import draw_sheet, save_sheet

    status, painted, target = 0, 0, out or grid.folder / "sheet.png"
    running: dict[int, Job] = {}

    def print_ended() -> None:
        nonlocal painted
        for index, job in list(running.items()):
            if job.ended:
                del running[index]
                if job.error is None:
                    _print_cell(grid, index, job.run, as_json=as_json)
                    painted += 1

    try:
        try:
            with closing(grid.paint()) as painting:  # closing it stops the cells that are being painted
                for index, job in painting:
                    print_ended()
                    running[index] = job
            print_ended()
        except PixgenError:
            print_ended()
            raise
        except KeyboardInterrupt as error:
            status = exit_status(error)
    finally:
        if painted or status == 0:
            save_sheet(draw_sheet(grid.plan, grid.runs()), target, plan=grid.plan)
    missing = sum(run is None or run.state != "done" for run in grid.runs())
    if as_json:
        cells = [cell.run or None for cell in grid.plan.cells]
        print_line(json.dumps({"grid": grid.id, "sheet": str(target), "cells": cells}))
        return status
    if missing:
        print_line(
            f"{missing} of {len(grid.plan.cells)} pictures are missing. To continue: "
            f"python -m pixgen grid --resume {grid.id}",
            err=True,
        )
    if target.exists():
        print_line(f"Sheet: {target}")
    return status


def _print_cell(grid: "Grid", index: int, run: "Run", *, as_json: bool) -> None:
    from pixgen.studio.runs.run import mean_similarity

    row, column = divmod(index, len(grid.plan.columns))
    titles = [title for title in (grid.plan.rows[row], grid.plan.columns[column]) if title]
    cosine = mean_similarity(run)
    if as_json:
        value = {"cell": titles, "run": run.id, "state": run.state, "similarity": cosine}
        print_line(json.dumps(value, ensure_ascii=False))
        return
    figure = "" if cosine is None else f" {cosine:+.3f}"
    print_line(f"{index + 1}/{len(grid.plan.cells)}{figure}  {' · '.join(titles)}  run {run.id}")


@example('pixgen strip "a fox" "a wolf" --pictures 5 --out strip.png')
def strip(
    first: Annotated[
        str,
        typer.Argument(
            help="The first idea: a prompt, the path of a picture, or terms such as “\\[a.png] | snow”."
        ),
    ],
    last: Annotated[str, typer.Argument(help="The last idea.")],
    pictures: Annotated[
        int,
        typer.Option(help="Number of pictures, both ends included.", metavar="N", rich_help_panel=PICTURE),
    ] = 7,
    out: SheetOut = None,
    overwrite: Overwrite = False,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None,
        setting_option(
            "steps", panel=PICTURE, metavar="N", before="For each picture. Default: 0, the sketch itself."
        ),
    ] = None,
    seed: SharedSeed = None,
    assignments: Assignments = None,
    device: Device = "auto",
    devices: Devices = None,
    cluster: Cluster = None,
    per_device: PerDevice = 1,
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint the pictures between two ideas: prompts, pictures, or sums of both.

    Every picture is its own run. Ctrl-C keeps the finished ones; pixgen grid --resume continues.
    """
    from pixgen.cli._outputs import check_target
    from pixgen.recipe.options import Options
    from pixgen.studio.grids.plans import plan_strip

    studio = {
        "folder": output_dir,
        "device": device,
        "devices": devices,
        "cluster": cluster,
        "per_device": per_device,
    }
    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    options = Options.typed(
        styles=style, preset=preset, size=size, steps=steps, seed=seed, assignments=assignments
    )
    plan = plan_strip((first, last), options, count=pictures)
    paint_grid(plan, out=out, as_json=as_json, **studio)

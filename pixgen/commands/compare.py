"""``pixgen compare``: what differs between two runs, in one line and side by side."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixgen.commands.vocabulary import AsJson, OutputDir, Overwrite, Run


def compare(
    one: Run,
    other: Run,
    out: Annotated[
        Path | None,
        typer.Option(help="Also draw their pictures side by side.", metavar="FILE.png"),
    ] = None,
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Print in one line in what the recipes of two runs differ."""
    from pixgen.commands.following import located
    from pixgen.commands.outputs import check_target
    from pixgen.studio import Studio
    from pixgen.studio.compare import differences, draw_pair, in_one_line
    from pixgen.studio.runs import similarity
    from pixgen.studio.storage import writing

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    runs = []
    for name in (one, other):
        name, folder = located(name, output_dir)
        with Studio(folder, device="cpu") as studio:
            runs.append(studio.run(name))
    found = differences(runs[0].recipe, runs[1].recipe)
    if out is not None:
        sheet = draw_pair(*runs)
        with writing(out) as temporary:
            sheet.save(temporary, "PNG")
    if as_json:
        value = {
            "runs": [run.id for run in runs],
            "similarities": [similarity(run) for run in runs],
            "differences": {name: values for name, *values in found},
            "sheet": None if out is None else str(out),
        }
        typer.echo(json.dumps(value, ensure_ascii=False))
        return
    typer.echo(in_one_line(found))
    if out is not None:
        typer.echo(f"Sheet: {out}")

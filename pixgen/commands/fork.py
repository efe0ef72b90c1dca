"""``pixgen fork``: go on from a run as another one, with other words, weights or another rate."""

from pathlib import Path
from typing import Annotated

import typer

from pixgen.errors import RecipeError


def fork(
    run: Annotated[str, typer.Argument(help="The run to go on from, by its name or folder.")],
    prompt: Annotated[
        str | None, typer.Argument(help="Other words; without them, those of the run.")
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(help="Another weight of one prompt, by its number.", metavar="2=0.5"),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Another learning rate.", metavar="RATE")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="The new total; else the run's own, or 40 more where that was reached.",
            metavar="N",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also keep the picture here.", metavar="FILE.png")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            help="Also keep the film here: .mp4, .webm, .gif or .webp.", metavar="FILE.mp4"
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let --out and --video replace existing files.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.", metavar="NAME")] = "auto",
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where runs are kept; else $PIXGEN_OUTPUT_DIR, else ./outputs.", metavar="FOLDER"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines: one JSON object a line, the result last.")
    ] = False,
) -> None:
    """Go on from where a run stands, as another run; the first stays as it is."""
    from pixgen.alternatives import draw
    from pixgen.commands.generate import follow, located
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.reports import JsonReport, RichReport
    from pixgen.studio import Studio

    report = JsonReport() if as_json else RichReport()
    outputs = Outputs(picture=out, film=video, overwrite=overwrite)
    outputs.check()
    weights = read_weights(weight or ())
    name, folder = located(run, output_dir)
    with Studio(folder, device=device) as studio:
        seed = studio.run(name).recipe.seed
        job = studio.fork(
            name, prompts=None if prompt is None else draw(prompt, seed), weights=weights,
            learning_rate=learning_rate, steps=steps,
        )  # fmt: skip
        raise typer.Exit(follow(job, outputs=outputs, report=report))


def read_weights(texts: list[str]) -> dict[int, float]:
    """Weights by prompt number from texts such as ``2=0.5``. Raises RecipeError."""
    weights = {}
    for text in texts:
        number, _, value = text.partition("=")
        try:
            weights[int(number)] = float(value)
        except ValueError as error:
            raise RecipeError(
                f"“{text[:60]}” is not the weight of a prompt: write its number and the weight, for "
                "example 2=0.5."
            ) from error
    return weights

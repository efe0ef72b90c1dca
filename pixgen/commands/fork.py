"""``pixgen fork``: go on from a run as another one, with other words, weights or another rate."""

from typing import Annotated

import typer

from pixgen.commands.vocabulary import (
    AsJsonLines,
    Device,
    FilmToo,
    LearningRate,
    OtherWords,
    OutputDir,
    OverwriteBoth,
    Picture,
    Run,
    Weights,
)
from pixgen.errors import RecipeError


def fork(
    run: Run,
    prompt: OtherWords = None,
    weight: Weights = None,
    learning_rate: LearningRate = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="The new total; else the run's own, or 40 more where that was reached.",
            metavar="N",
        ),
    ] = None,
    out: Picture = None,
    video: FilmToo = None,
    overwrite: OverwriteBoth = False,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Go on from where a run stands, as another run; the first stays as it is."""
    from pixgen.alternatives import draw
    from pixgen.commands.following import follow, located
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.reports import report_for
    from pixgen.studio import Studio

    report = report_for(as_json)
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
                "“{text}” is not the weight of a prompt: write its number and the weight, for example "
                "2=0.5.",
                text=text[:60],
            ) from error
    return weights

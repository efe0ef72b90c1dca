"""``pixgen change``: turn a picture that another process paints."""

# MERGED pixgen.commands.fork: ``pixgen fork``: go on from a run as another one, with other words, weights or another rate.
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._options import (
    AsJson,
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
    setting_option,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.studio import Job, Studio


PATIENCE = 30.0  # seconds to wait for the next step


def change(
    run: Run,
    prompt: OtherWords = None,
    weight: Weights = None,
    learning_rate: LearningRate = None,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Change words, weights or the learning rate of a picture while the page, or another terminal,
    paints it; its recipe records them with their step."""
    from pixgen.cli._jobs import locate_run
    from pixgen.recipe.wildcards import draw_wildcards
    from pixgen.studio import Studio
    from pixgen.studio.runs.edits import Edit, nothing_pending, request_edit

    weights = read_weights(weight or [])
    if prompt is None and not weights and learning_rate is None:
        raise RecipeError("Say what to change: other words, --weight or --learning-rate.")
    name, folder = locate_run(run, output_dir)
    with Studio(folder, device="cpu") as studio:
        found = studio.run(name)
    words = None if prompt is None else draw_wildcards(prompt, found.recipe.seed)
    request_edit(found, Edit(prompts=words, weights=weights, learning_rate=learning_rate))
    deadline = time.monotonic() + PATIENCE
    while not nothing_pending(found.folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    taken = nothing_pending(found.folder)
    if as_json:
        typer.echo(json.dumps({"run": found.id, "taken": taken}))
    elif taken:
        typer.echo(f"The run {found.id} follows it from its next step on.")
    else:
        typer.echo(f"The run {found.id} has not begun its next step yet: it follows it from there on.")


def fork(
    run: Run,
    prompt: OtherWords = None,
    weight: Weights = None,
    learning_rate: LearningRate = None,
    steps: Annotated[
        int | None,
        setting_option(
            "steps",
            metavar="N",
            more="The new total; else the run's own, or 40 more where that was reached.",
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
    from pixgen.cli._jobs import paint
    from pixgen.cli._outputs import Outputs
    from pixgen.cli._progress import report_for
    from pixgen.recipe.wildcards import draw_wildcards

    outputs = Outputs(picture=out, film=video, overwrite=overwrite)
    outputs.check()
    weights = read_weights(weight or ())

    def begin(studio: "Studio", run: str) -> "Job":
        seed = studio.run(run).recipe.seed
        words = None if prompt is None else draw_wildcards(prompt, seed)
        return studio.fork(run, prompts=words, weights=weights, learning_rate=learning_rate, steps=steps)

    paint(
        begin,
        run=run,
        output_dir=output_dir,
        device=device,
        outputs=outputs,
        report=report_for(as_json),
    )


def read_weights(texts: Sequence[str]) -> dict[int, float]:
    """Weights by prompt number from texts such as ``2=0.5``. Raises RecipeError."""
    weights = {}
    for text in texts:
        number, _, value = text.partition("=")
        try:
            weights[int(number)] = float(value)
        except ValueError as error:
            raise RecipeError(
                "“{text}” is not the weight of a prompt: write its number and the weight, for example 2=0.5.",
                text=text[:60],
            ) from error
    return weights

"""``pixgen fork`` and ``pixgen change``: another prompt, weights or learning rate for a run.

``fork`` continues a run as a new one; ``change`` updates a run that another process is painting.
"""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._options import (
    PICTURE,
    AsJson,
    AsJsonLines,
    Device,
    LearningRate,
    NewPrompt,
    OutputDir,
    OverwriteBoth,
    PictureOut,
    Run,
    Video,
    Weights,
    example,
    setting_option,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.studio import Job, Studio


TIMEOUT = 30.0  # seconds to wait for the next step


@example('pixgen change 20261129-120000-abcdef "a red fox in the snow"')
def change(
    run: Run,
    prompt: NewPrompt = None,
    weight: Weights = None,
    learning_rate: LearningRate = None,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Update a running picture: its prompt, weights or learning rate.

    The page or another terminal paints it. The recipe records the change with its step.
    """
    from pixgen.cli._jobs import locate_run
    from pixgen.recipe.wildcards import draw_wildcards
    from pixgen.studio import Studio
    from pixgen.studio.runs.edits import Edit, has_no_pending_edit, request_edit

    weights = read_weights(weight or [])
    if prompt is None and not weights and learning_rate is None:
        raise RecipeError("There is nothing to change: give a new prompt, --weight or --learning-rate.")
    name, folder = locate_run(run, output_dir)
    with Studio(folder, device="cpu") as studio:
        found = studio.run(name)
    drawn = None if prompt is None else draw_wildcards(prompt, found.recipe.seed)
    request_edit(found, Edit(prompts=drawn, weights=weights, learning_rate=learning_rate))
    deadline = time.monotonic() + TIMEOUT
    while not has_no_pending_edit(found.folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    taken = has_no_pending_edit(found.folder)
    if as_json:
        typer.echo(json.dumps({"run": found.id, "taken": taken}))
    elif taken:
        typer.echo(f"The run {found.id} has the change from its next step on.")
    else:
        typer.echo(f"The run {found.id} has not begun its next step yet; the change takes effect there.")


@example('pixgen fork 20261129-120000-abcdef "a red wolf" --steps 200')
def fork(
    run: Run,
    prompt: NewPrompt = None,
    weight: Weights = None,
    learning_rate: LearningRate = None,
    steps: Annotated[
        int | None,
        setting_option(
            "steps",
            panel=PICTURE,
            metavar="N",
            more="The new total. Default: the run's own, or 40 more if that is reached.",
        ),
    ] = None,
    out: PictureOut = None,
    video: Video = None,
    overwrite: OverwriteBoth = False,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Continue a run as a new one, with another prompt or other weights; the first run stays as it is."""
    from pixgen.cli._jobs import make_report, run_job
    from pixgen.cli._outputs import Outputs
    from pixgen.recipe.wildcards import draw_wildcards

    outputs = Outputs(picture=out, video=video, overwrite=overwrite)
    outputs.check()
    weights = read_weights(weight or ())

    def begin(studio: "Studio", run: str) -> "Job":
        seed = studio.run(run).recipe.seed
        drawn = None if prompt is None else draw_wildcards(prompt, seed)
        return studio.fork(run, prompts=drawn, weights=weights, learning_rate=learning_rate, steps=steps)

    run_job(
        begin,
        run=run,
        output_dir=output_dir,
        device=device,
        outputs=outputs,
        report=make_report(as_json),
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

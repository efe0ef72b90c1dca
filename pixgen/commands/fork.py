"""``pixgen fork``: go on from a run as another one, with other words, weights or another rate."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

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
    setting_option,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.studio import Job, Studio


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
    from pixgen.alternatives import draw
    from pixgen.commands.following import paint
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.reports import report_for

    outputs = Outputs(picture=out, film=video, overwrite=overwrite)
    outputs.check()
    weights = read_weights(weight or ())

    def begin(studio: "Studio", run: str) -> "Job":
        seed = studio.run(run).recipe.seed
        words = None if prompt is None else draw(prompt, seed)
        return studio.fork(
            run, prompts=words, weights=weights, learning_rate=learning_rate, steps=steps
        )

    paint(
        begin, run=run, output_dir=output_dir, device=device, outputs=outputs, report=report_for(as_json),
    )  # fmt: skip


def read_weights(texts: Sequence[str]) -> dict[int, float]:
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

"""``pixgen change``: turn a picture that another process paints."""

import json
import time

import typer

from pixgen.commands.vocabulary import AsJson, LearningRate, OtherWords, OutputDir, Run, Weights
from pixgen.errors import RecipeError

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
    from pixgen.alternatives import draw
    from pixgen.commands.following import located
    from pixgen.commands.fork import read_weights
    from pixgen.studio import Studio
    from pixgen.studio.changes import Turn
    from pixgen.studio.orders import is_taken, order_change

    weights = read_weights(weight or [])
    if prompt is None and not weights and learning_rate is None:
        raise RecipeError("Say what to change: other words, --weight or --learning-rate.")
    name, folder = located(run, output_dir)
    with Studio(folder, device="cpu") as studio:
        found = studio.run(name)
    words = None if prompt is None else draw(prompt, found.recipe.seed)
    order_change(found, Turn(prompts=words, weights=weights, learning_rate=learning_rate))
    deadline = time.monotonic() + PATIENCE
    while not is_taken(found.folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    taken = is_taken(found.folder)
    if as_json:
        typer.echo(json.dumps({"run": found.id, "taken": taken}))
    elif taken:
        typer.echo(f"The run {found.id} follows it from its next step on.")
    else:
        typer.echo(
            f"The run {found.id} has not begun its next step yet: it follows it from there on."
        )

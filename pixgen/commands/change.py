"""``pixgen change``: turn a picture that another process paints."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from pixgen.errors import RecipeError

PATIENCE = 30.0  # seconds to wait for the next step


def change(
    run: Annotated[str, typer.Argument(help="The run that is painted, by its name or folder.")],
    prompt: Annotated[str | None, typer.Argument(help="Other words.")] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(help="Another weight of one prompt, by its number.", metavar="2=0.5"),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Another learning rate.", metavar="RATE")
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where runs are kept; else $PIXGEN_OUTPUT_DIR, else ./outputs.", metavar="FOLDER"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines: one JSON object on stdout.")
    ] = False,
) -> None:
    """Change words, weights or the learning rate of a picture while the page, or another terminal,
    paints it; its recipe records them with their step."""
    from pixgen.alternatives import draw
    from pixgen.commands.fork import read_weights
    from pixgen.commands.generate import located
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

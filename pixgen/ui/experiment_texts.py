"""The words of the Experiment tab."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExperimentWords:
    """Grids, strips, and two runs compared."""

    tab: str = "Experiment"
    kind: str = "What to see"
    kinds: tuple[tuple[str, str], ...] = (
        ("A grid: what does a setting do?", "grid"),
        ("A strip: what lies between two ideas?", "strip"),
        ("Two pictures side by side", "compare"),
    )
    prompt: str = "What to paint"
    prompt_placeholder: str = "as on Create; or a {red|blue} fox"
    rest: str = "All else is as it stands on Create."
    across: str = "Across"
    down: str = "And down, if you like"
    values: str = "Its values"
    values_placeholder: str = "1-4  or  0.2, 0.5, 1"
    no_field: str = "nothing"
    fields: tuple[tuple[str, str], ...] = (
        ("seed", "seed"),
        ("weight of prompt 1", "weight of prompt 1"),
        ("weight of prompt 2", "weight of prompt 2"),
        ("preset", "preset"),
        ("steps", "steps"),
        ("learning rate", "optimizer.learning_rate"),
        ("cutouts", "cutouts.count"),
        ("cutout set", "cutouts.kind"),
        ("start", "start"),
        ("prompt", "prompt"),
        ("model", "model"),
        ("size", "size"),
    )
    paint_grid: str = "Paint the grid"
    first: str = "From"
    first_placeholder: str = "a red fox"
    last: str = "To"
    last_placeholder: str = "a snowy owl"
    picture: str = "Or a picture"
    pictures: str = "How many pictures"
    strip_steps: str = "Steps on each"
    strip_steps_help: str = "0: the sketch as it is."
    paint_strip: str = "Paint the strip"
    stop: str = "Stop"
    go_on: str = "Go on with the missing ones"
    download: str = "Sheet"

    one: str = "One picture"
    other: str = "The other"
    compare: str = "Compare"
    run: str = "{prompt} · {time}"
    place: str = "How much of each is to be seen"
    same: str = "The recipes are the same."
    run_alt: str = "{prompt}, seed {seed}"
    no_runs: str = "Paint two pictures first: then they can be compared here."

    sheet: str = "The sheet"
    invitation: str = "Change one thing, and see what it does."
    invitation_more: str = "Each cell is a picture of its own; a click opens it on Create."
    painting: str = "Painting"
    done: str = "Done"
    stopped: str = "Stopped"
    failed: str = "Not painted"
    of_cells: str = "{done} of {total} pictures"
    left: str = "about {time} left"
    missing: str = "not painted yet"
    cell: str = "{title}: similarity {similarity}. Open it on Create"
    no_axis: str = (
        "A grid varies something: choose a field and its values, or write alternatives such as "
        "a {red|blue} fox."
    )
    no_values: str = "“{field}” has no values: write for example 1-4, or 0.2, 0.5, 1."
    no_end: str = "A strip lies between two ideas: give words or a picture for each."
    too_many: str = "A grid may have at most {most} pictures here, not {count}: give fewer values."
    typed_file: str = (
        "A file or a model cannot be named by its path on this page: choose what Create offers."
    )
    gone: str = "This picture is not there any more."

"""``pixgen generate``: paint a picture, and keep it whatever happens."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.commands.downloads import use_models_dir
from pixgen.commands.following import follow, located, nothing_else
from pixgen.commands.vocabulary import (
    AsJsonLines,
    Assignments,
    Device,
    FilmToo,
    ModelsDir,
    Negative,
    OutputDir,
    OverwriteBoth,
    Picture,
    Preset,
    Resume,
    Seed,
    Size,
    Styles,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.reports import Report
    from pixgen.recipe import Recipe


def generate(
    prompt: Annotated[
        str | None,
        typer.Argument(
            help="What to paint: “a red fox | snow:0.5”, scenes with ^, pictures as [PATH]."
        ),
    ] = None,
    negative: Negative = None,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None, typer.Option(help="How many steps; with --resume the new total.", metavar="N")
    ] = None,
    seed: Seed = None,
    out: Picture = None,
    video: FilmToo = None,
    overwrite: OverwriteBoth = False,
    no_metadata: Annotated[
        bool,
        typer.Option(
            "--no-metadata", help="Picture and film carry no recipe; the run's folder keeps it."
        ),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            help="What draws; `pixgen models` lists them. Or an own checkpoint’s path.",
            metavar="NAME",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="With --model PATH: the checkpoint’s config, where it does not lie beside it.",
            metavar="FILE.yaml",
        ),
    ] = None,
    models_dir: ModelsDir = None,
    clip: Annotated[
        list[str] | None,
        typer.Option(help="What looks; several look together.", metavar="NAME"),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="How to start: sketch (or dalle), codes, perlin, gradient, snow, grey, picture:PATH, "
            "variation:PATH, or idea:TERMS such as “idea:[a.png] | winter | summer:-1”.",
            metavar="KIND",
        ),
    ] = None,
    sketcher: Annotated[
        str | None,
        typer.Option(
            help="What sketches the start; `pixgen models list --kind sketcher` lists them.",
            metavar="NAME",
        ),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            help="With --init picture:PATH: how far from the picture to begin, from 0 to 1, all chance.",
            metavar="PART",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="With --init picture:PATH: paint anew only where this picture is white.",
            metavar="FILE",
        ),
    ] = None,
    extend: Annotated[
        str | None,
        typer.Option(
            help="With --init picture:PATH: go on beyond the picture to the left, right, top or "
            "bottom, as far as --size says.",
            metavar="SIDE",
        ),
    ] = None,
    grow: Annotated[
        str | None,
        typer.Option(
            help="Paint small first and double the size at these parts of the steps: 0.9, or 0.5,0.85 "
            "from a quarter of the size.",
            metavar="PARTS",
        ),
    ] = None,
    story: Annotated[
        Path | None,
        typer.Option(
            help="Scenes as a table instead of a prompt: CSV or JSON with from (a step), prompt, weight "
            "and easing.",
            metavar="FILE",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a prompt applies: 2=left (right, top, bottom, centre), or 2=PICTURE, white "
            "where the second prompt applies. The same in the words: “a fox @left”.",
            metavar="N=WHERE",
        ),
    ] = None,
    assignments: Assignments = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Repeat the recipe in a PNG, MP4 or JSON file; other options win over it.",
            metavar="FILE",
        ),
    ] = None,
    resume: Resume = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint a picture from words.

    Ctrl-C stops and keeps picture, film and state; --resume goes on from there. With more --steps a
    finished picture goes on as another run.
    """
    from pixgen.commands.options import Options, almost_weights, recipe_from
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.prompt_help import reading_notes
    from pixgen.commands.reports import report_for
    from pixgen.prompts import doubtful_ends

    use_models_dir(models_dir)
    report = report_for(as_json)
    outputs = Outputs(picture=out, film=video, overwrite=overwrite)
    outputs.check()
    if resume is not None:
        given = (
            prompt, style, negative, preset, size, seed, model, config, clip, init, sketcher, strength, mask, extend, grow, story, region, assignments,
            recipe,
        )  # fmt: skip
        nothing_else(
            (*given, no_metadata),
            "the run's own recipe: only --steps, --out, --video, --overwrite, --device, --output-dir and "
            "--json go with it.",
        )
        raise typer.Exit(
            _resume(resume, steps, output_dir, device=device, outputs=outputs, report=report)
        )
    wanted = recipe_from(
        Options(
            prompt=prompt, styles=style or (), negative=negative or (), recipe=_read(recipe), preset=preset, size=size,
            steps=steps, seed=seed, model=model,
            config=None if config is None else str(config), clip=clip or (), start=init, sketcher=sketcher,
            mask=None if mask is None else str(mask), extend=extend, strength=strength, grow=grow, regions=region or (),
            story=_rows(story),
            assignments=assignments or (),
        )
    )  # fmt: skip
    if sketcher is not None and not wanted.sketched:
        raise RecipeError(
            "--sketcher goes with a start that is sketched, and this one is {kind}: add --init "
            "sketch.",
            kind=wanted.start.kind,
        )
    for end in almost_weights(prompt or ""):
        report.note(
            f"“:{end}” is not a number, so it is painted as text; a weight looks like :0.5."
        )
    for end in doubtful_ends(prompt or ""):
        report.note(
            f"“{end}” is painted as text; with a space before the colon, the number is a weight."
        )

    for sentence in reading_notes(wanted):
        report.note(sentence)

    from pixgen.studio import Studio
    from pixgen.studio.room import warning

    with Studio(output_dir, device=device) as studio:
        if said := warning(wanted, studio.device):
            report.note(said)
        job = studio.submit(wanted, metadata=not no_metadata)
        raise typer.Exit(follow(job, outputs=outputs, report=report))


def _resume(
    run: str, steps: int | None, output_dir: Path | None, *,
    device: str, outputs: "Outputs", report: "Report",
) -> int:  # fmt: skip
    from pixgen.studio import Studio

    run, output_dir = located(run, output_dir)
    with Studio(output_dir, device=device) as studio:
        return follow(studio.resume(run, steps=steps), outputs=outputs, report=report)


def _rows(path: Path | None) -> Sequence[Mapping[str, Any]]:
    if path is None:
        return ()
    from pixgen.commands.tables import read_rows

    return read_rows(path)


def _read(path: Path | None) -> "Recipe | None":
    if path is None:
        return None
    from pixgen.studio.metadata import read_metadata

    return read_metadata(path)

"""``pixgen generate``: paint a picture, and keep it whatever happens."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.commands.downloads import use_models_dir
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.reports import Report
    from pixgen.recipe import Recipe
    from pixgen.studio import Job

INTERRUPTED = 130  # the exit status after Ctrl-C
GLIMPSES_A_SECOND = 4.0


def generate(
    prompt: Annotated[
        str | None,
        typer.Argument(
            help="What to paint: “a red fox | snow:0.5”, scenes with ^, pictures as [PATH]."
        ),
    ] = None,
    negative: Annotated[
        list[str] | None,
        typer.Option(help="What to keep away from, several with |.", metavar="TEXT"),
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="Words around the prompt's: a style's name, or a JSON file; several combine. `pixgen "
            "styles` lists them.",
            metavar="NAME",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="How much work; `pixgen presets` lists them.", metavar="NAME")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Width x height in pixels.", metavar="128x128")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="How many steps; with --resume the new total.", metavar="N")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="The same seed paints the same picture; without it, a random one.", metavar="N"
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
    models_dir: Annotated[
        Path | None,
        typer.Option(
            help="A folder whose checkpoints --model takes by name; else $PIXGEN_MODELS_DIR.",
            metavar="FOLDER",
        ),
    ] = None,
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
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Any field of the recipe: cutouts.count=16.", metavar="KEY=VALUE"
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Repeat the recipe in a PNG, MP4 or JSON file; other options win over it.",
            metavar="FILE",
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Go on with a run, by its name or folder; `pixgen runs` lists them.", metavar="RUN"
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.", metavar="NAME")] = "auto",
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where runs are kept; else $PIXGEN_OUTPUT_DIR, else ./outputs.", metavar="FOLDER"
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="For machines: one JSON object a line on stdout, the result last; an error is "
            '{"error": …} on stderr.',
        ),
    ] = False,
) -> None:
    """Paint a picture from words.

    Ctrl-C stops and keeps picture, film and state; --resume goes on from there. With more --steps a
    finished picture goes on as another run.
    """
    from pixgen.commands.options import Options, almost_weights, recipe_from
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.prompt_help import reading_notes
    from pixgen.commands.reports import JsonReport, RichReport

    use_models_dir(models_dir)
    report = JsonReport() if as_json else RichReport()
    outputs = Outputs(picture=out, film=video, overwrite=overwrite)
    outputs.check()
    if resume is not None:
        given = (
            prompt, style, negative, preset, size, seed, model, config, clip, init, strength, mask, extend, grow, story, region, assignments,
            recipe,
        )  # fmt: skip
        if no_metadata or any(each not in (None, []) for each in given):
            raise RecipeError(
                "--resume goes on with the run's own recipe: only --steps, --out, --video, "
                "--overwrite, --device, --output-dir and --json go with it."
            )
        raise typer.Exit(
            _resume(resume, steps, output_dir, device=device, outputs=outputs, report=report)
        )
    wanted = recipe_from(
        Options(
            prompt=prompt, styles=style or (), negative=negative or (), recipe=_read(recipe), preset=preset, size=size,
            steps=steps, seed=seed, model=model,
            config=None if config is None else str(config), clip=clip or (), start=init,
            mask=None if mask is None else str(mask), extend=extend, strength=strength, grow=grow, regions=region or (),
            story=_rows(story),
            assignments=assignments or (),
        )
    )  # fmt: skip
    for end in almost_weights(prompt or ""):
        report.note(
            f"“:{end}” is not a number, so it is painted as text; a weight looks like :0.5."
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


def follow(job: "Job", *, outputs: "Outputs", report: "Report") -> int:
    """Report a job until it ends, keep what it painted, and return the exit status.

    Raises the PixgenError that ended the job, once what there is of the picture is kept.
    """
    status = 0
    with report:
        report.begin(job)
        try:
            for glimpse in job.watch(rate=GLIMPSES_A_SECOND):
                report.progress(glimpse)
        except KeyboardInterrupt:
            status = INTERRUPTED
            report.note("Stopping after this step.")
            job.stop()
            job.wait()
    if job.error is not None:
        raise outputs.rescue(job)
    report.end(job, outputs.keep(job))
    return status


def _resume(
    run: str, steps: int | None, output_dir: Path | None, *,
    device: str, outputs: "Outputs", report: "Report",
) -> int:  # fmt: skip
    from pixgen.studio import Studio

    run, output_dir = located(run, output_dir)
    with Studio(output_dir, device=device) as studio:
        return follow(studio.resume(run, steps=steps), outputs=outputs, report=report)


def located(run: str, output_dir: Path | None) -> tuple[str, Path | None]:
    """A run's name, and the folder where runs are kept: a run's folder says both."""
    folder = Path(run)
    if folder.name != run and folder.is_dir():
        return folder.name, folder.parent
    return run, output_dir


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

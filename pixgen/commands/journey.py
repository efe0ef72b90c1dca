"""``pixgen journey`` and ``pixgen restyle``: films whose every frame is painted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.commands.following import follow, located, nothing_else
from pixgen.commands.vocabulary import (
    AsJsonLines,
    Assignments,
    Device,
    Film,
    Init,
    OutputDir,
    Overwrite,
    Preset,
    Resume,
    Seed,
    Size,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.recipe import Recipe

_KEYFRAMES = "frame:value, …, or one value"
Every = Annotated[int | None, typer.Option(help="Steps a frame.", metavar="N")]
Smooth = Annotated[
    float | None,
    typer.Option(
        help="How much of a frame is the one before, 0 to 0.95: against flicker.", metavar="N"
    ),
]
Fps = Annotated[float | None, typer.Option(help="Frames a second.", metavar="N")]


def journey(
    prompt: Annotated[
        str | None, typer.Argument(help="What to paint, as with generate; scenes with ^.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="How many frames; with --resume the new total.", metavar="N")
    ] = None,
    zoom: Annotated[
        str | None,
        typer.Option(
            help=f"How much nearer a frame, 0.5 to 2: {_KEYFRAMES}.", metavar="0:1,60:1.02"
        ),
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(
            help=f"Parts of the width a frame, to the right: {_KEYFRAMES}.", metavar="0:0.01"
        ),
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(help=f"Parts of the height a frame, down: {_KEYFRAMES}.", metavar="0:0.01"),
    ] = None,
    turn: Annotated[
        str | None,
        typer.Option(help=f"Degrees a frame, clockwise: {_KEYFRAMES}.", metavar="0:0,30:2"),
    ] = None,
    every: Every = None,
    after: Annotated[
        int | None, typer.Option(help="Steps before the first frame.", metavar="N")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="What moves: picture or latent.", metavar="WHAT")
    ] = None,
    border: Annotated[
        str | None,
        typer.Option(help="What comes in at the border: reflect, wrap or edge.", metavar="HOW"),
    ] = None,
    smooth: Smooth = None,
    fps: Fps = None,
    out: Film = None,
    overwrite: Overwrite = False,
    preset: Preset = None,
    size: Size = None,
    seed: Seed = None,
    init: Init = None,
    assignments: Assignments = None,
    resume: Resume = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Travel through what is painted: zoom, pan and turn, a few steps a frame.

    Ctrl-C keeps the film so far; --resume goes on, with --frames further.
    """
    from pixgen.commands.journeys import plan_journey
    from pixgen.commands.options import Options

    given = {
        "zoom": zoom, "x": x, "y": y, "turn": turn, "every": every, "after": after, "where": where,
        "border": border, "smooth": smooth, "fps": fps,
    }  # fmt: skip
    wanted = None
    if resume is None:
        options = Options(
            prompt=prompt, preset=preset, size=size, seed=seed, start=init,
            assignments=assignments or (),
        )  # fmt: skip
        wanted = plan_journey(options, frames=60 if frames is None else frames, **given)
    else:
        nothing_else(
            (prompt, preset, size, seed, init, assignments, *given.values()),
            "the run's own recipe: only --frames goes with it.",
        )
    _paint(
        wanted, resume, frames, out=out, overwrite=overwrite, device=device, output_dir=output_dir,
        as_json=as_json,
    )  # fmt: skip


def restyle(
    video: Annotated[
        Path | None, typer.Argument(help="An MP4, MOV, WebM, MKV or GIF.", metavar="VIDEO")
    ] = None,
    prompt: Annotated[
        str | None, typer.Argument(help="What to paint it as: “watercolour of a fox”.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="Only so many of its frames; else all.", metavar="N")
    ] = None,
    every: Every = None,
    carry: Annotated[
        float | None,
        typer.Option(
            help="How much of what was painted stays on the next frame, 0 to 1.", metavar="N"
        ),
    ] = None,
    smooth: Smooth = None,
    fps: Fps = None,
    out: Film = None,
    overwrite: Overwrite = False,
    preset: Preset = None,
    size: Size = None,
    seed: Seed = None,
    assignments: Assignments = None,
    resume: Resume = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint over a video, frame by frame.

    Ctrl-C keeps the film so far; --resume goes on.
    """
    from pixgen.commands.journeys import plan_restyle
    from pixgen.commands.options import Options

    given = {"every": every, "carry": carry, "smooth": smooth, "fps": fps}
    wanted = None
    if resume is None:
        if video is None:
            raise RecipeError("Name the video that is to be painted over: an MP4, WebM or GIF.")
        options = Options(
            prompt=prompt, preset=preset, size=size, seed=seed, assignments=assignments or ()
        )
        wanted = plan_restyle(video, options, frames=frames, **given)
    else:
        nothing_else(
            (video, prompt, frames, preset, size, seed, assignments, *given.values()),
            "the run's own recipe and video.",
        )
    _paint(
        wanted, resume, None, out=out, overwrite=overwrite, device=device, output_dir=output_dir,
        as_json=as_json,
    )  # fmt: skip


def _paint(
    wanted: "Recipe | None", resume: str | None, frames: int | None, *, out: Path | None,
    overwrite: bool, device: str, output_dir: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from pixgen.commands.outputs import FILMS, Outputs, check_target
    from pixgen.commands.reports import report_for
    from pixgen.studio import Studio

    if out is not None:
        check_target(out, "--out", suffixes=FILMS, overwrite=overwrite)
    outputs = Outputs(film=out, overwrite=overwrite)
    report = report_for(as_json)
    if resume is not None:
        resume, output_dir = located(resume, output_dir)
    with Studio(output_dir, device=device) as studio:
        if wanted is not None:
            job = studio.submit(wanted)
        else:
            journey = studio.run(resume).recipe.journey
            if not journey.moving:
                raise RecipeError(
                    "The run {resume} is no journey: go on with generate --resume.", resume=resume
                )
            job = studio.resume(resume, steps=None if frames is None else journey.steps(frames))
        raise typer.Exit(follow(job, outputs=outputs, report=report))

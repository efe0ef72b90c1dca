"""``pixgen journey`` and ``pixgen restyle``: films whose every frame is painted."""

# MERGED pixgen.commands.film: ``pixgen film``: the film of a run again, in another format, length or way, without painting.
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._jobs import only_with_resume, paint
from pixgen.cli._options import (
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
    setting_option,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe
    from pixgen.studio import Job, Studio
import json

from pixgen.cli._options import AsJson

_KEYFRAMES = "One value, or frame:value, …"
Every = Annotated[int | None, setting_option("journey.every", metavar="N")]
Smooth = Annotated[float | None, setting_option("journey.smooth", metavar="N")]
Fps = Annotated[float | None, setting_option("journey.fps", metavar="N")]


def journey(
    context: typer.Context,
    prompt: Annotated[
        str | None, typer.Argument(help="What to paint, as with generate; scenes with ^.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="How many frames; with --resume the new total.", metavar="N")
    ] = None,
    zoom: Annotated[str | None, setting_option("journey.zoom", more=_KEYFRAMES)] = None,
    x: Annotated[str | None, setting_option("journey.x", more=_KEYFRAMES)] = None,
    y: Annotated[str | None, setting_option("journey.y", more=_KEYFRAMES)] = None,
    turn: Annotated[str | None, setting_option("journey.turn", more=_KEYFRAMES)] = None,
    every: Every = None,
    after: Annotated[int | None, setting_option("journey.after", metavar="N")] = None,
    where: Annotated[str | None, setting_option("journey.where", metavar="WHAT")] = None,
    border: Annotated[str | None, setting_option("journey.border", metavar="HOW")] = None,
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
    from pixgen.recipe.options import Options
    from pixgen.studio.video.journeys import plan_journey

    given = {
        "zoom": zoom, "x": x, "y": y, "turn": turn, "every": every, "after": after, "where": where,
        "border": border, "smooth": smooth, "fps": fps,
    }  # fmt: skip
    wanted = None
    if resume is None:
        options = Options.typed(
            prompt=prompt,
            preset=preset,
            size=size,
            seed=seed,
            init=init,
            assignments=assignments,
        )
        wanted = plan_journey(options, frames=60 if frames is None else frames, **given)
    else:
        only_with_resume(context, "frames", "out", why="the run's own recipe: only --frames goes with it.")
    _paint(
        wanted,
        resume,
        frames,
        out=out,
        overwrite=overwrite,
        device=device,
        output_dir=output_dir,
        as_json=as_json,
    )


def restyle(
    context: typer.Context,
    video: Annotated[
        Path | None, typer.Argument(help="An MP4, MOV, WebM, MKV or GIF.", metavar="VIDEO")
    ] = None,
    prompt: Annotated[str | None, typer.Argument(help="What to paint it as: “watercolour of a fox”.")] = None,
    frames: Annotated[
        int | None, typer.Option(help="Only so many of its frames; else all.", metavar="N")
    ] = None,
    every: Every = None,
    carry: Annotated[
        float | None,
        setting_option("journey.carry", metavar="N"),
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
    from pixgen.recipe.options import Options
    from pixgen.studio.video.journeys import plan_restyle

    given = {"every": every, "carry": carry, "smooth": smooth, "fps": fps}
    wanted = None
    if resume is None:
        if video is None:
            raise RecipeError("Name the video that is to be painted over: an MP4, WebM or GIF.")
        options = Options.typed(prompt=prompt, preset=preset, size=size, seed=seed, assignments=assignments)
        wanted = plan_restyle(video, options, frames=frames, **given)
    else:
        only_with_resume(context, "out", why="the run's own recipe and video.")
    _paint(
        wanted,
        resume,
        None,
        out=out,
        overwrite=overwrite,
        device=device,
        output_dir=output_dir,
        as_json=as_json,
    )


def _paint(
    wanted: "Recipe | None", resume: str | None, frames: int | None, *, out: Path | None,
    overwrite: bool, device: str, output_dir: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from pixgen.cli._outputs import FILMS, Outputs, check_target
    from pixgen.cli._progress import report_for

    if out is not None:
        check_target(out, "--out", suffixes=FILMS, overwrite=overwrite)

    def begin(studio: "Studio", run: str) -> "Job":
        if wanted is not None:
            return studio.submit(wanted)
        journey = studio.run(run).recipe.journey
        if not journey.moving:
            raise RecipeError("The run {resume} is no journey: go on with generate --resume.", resume=run)
        return studio.resume(run, steps=None if frames is None else journey.steps(frames))

    paint(
        begin,
        run=resume or "",
        output_dir=output_dir,
        device=device,
        outputs=Outputs(film=out, overwrite=overwrite),
        report=report_for(as_json),
    )


def film(
    run: Annotated[
        str,
        typer.Argument(
            help="A run, by its name or folder; `pixgen runs` lists them. Or a film that pixgen wrote."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Where to write it: .mp4, .webm, .gif or .webp.", metavar="FILE.gif"),
    ],
    seconds: Annotated[float | None, typer.Option(help="How long all of it takes.", metavar="N")] = None,
    fps: Annotated[
        float | None, typer.Option(help="Instead: pictures of the run a second.", metavar="N")
    ] = None,
    hold: Annotated[
        float | None, typer.Option(help="Seconds that the last picture stays; else 1.", metavar="N")
    ] = None,
    even: Annotated[
        bool, typer.Option("--even", help="Equal times show equal change, not equal steps.")
    ] = False,
    captions: Annotated[
        bool, typer.Option("--captions", help="Write the words and the step below each picture.")
    ] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Let the end pass into the beginning.")] = False,
    scale: Annotated[
        int | None, typer.Option(help="How many times larger than painted, 1 to 8.", metavar="N")
    ] = None,
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Export the film of a run as MP4, WebM, GIF or WebP; nothing is painted again."""
    from pixgen.cli._outputs import FILMS, check_target, follow_export
    from pixgen.studio.video.export import exporting, find_lost_sound
    from pixgen.studio.video.timeline import Cut

    check_target(out, "--out", suffixes=FILMS, overwrite=overwrite)
    from pixgen.studio.runs.run import find_video

    source = find_video(run, output_dir)
    cut = Cut(
        fps=fps,
        seconds=seconds,
        even=even,
        captions=captions,
        loop=loop,
        scale=scale,
        **({} if hold is None else {"hold": hold}),
    )
    follow_export(exporting(source, out, cut), shown=not as_json)
    notice = find_lost_sound(source, out, cut)
    if as_json:
        typer.echo(json.dumps({"film": str(out), "bytes": out.stat().st_size, "notice": notice}))
    else:
        if notice:
            typer.echo(notice, err=True)
        typer.echo(f"Film: {out}")

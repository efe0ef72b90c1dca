"""``pixgen journey``, ``restyle`` and ``export-video``: videos.

A journey moves through the picture, restyling paints over a video frame by frame, and an export writes the video
of a run again, in another format or length, without painting.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._jobs import reject_options_beside_resume, run_job
from pixgen.cli._options import (
    MOTION,
    OUTPUT,
    PICTURE,
    AsJson,
    AsJsonLines,
    Assignments,
    Audio,
    Device,
    Init,
    OutputDir,
    Overwrite,
    Preset,
    Resume,
    Seed,
    Size,
    VideoOut,
    example,
    setting_option,
)
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe
    from pixgen.studio import Job, Studio

_KEYFRAMES = "One value, keyframes: frame:value, …, or an expression: 1 + 0.02*sin(t)."
Every = Annotated[int | None, setting_option("journey.every", panel=MOTION, metavar="N")]
Smooth = Annotated[float | None, setting_option("journey.smooth", panel=MOTION, metavar="N")]
Fps = Annotated[float | None, setting_option("journey.fps", panel=MOTION, metavar="N")]
SmoothFps = Annotated[float | None, setting_option("journey.smooth_fps", panel=MOTION, metavar="60")]


@example('pixgen journey "a forest" --zoom 1.02 --frames 60 --out forest.mp4')
def journey(
    context: typer.Context,
    prompt: Annotated[
        str | None, typer.Argument(help="Prompt, as in `pixgen generate`; scenes separated by ^.")
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            help="Number of frames. With --resume: the new total.", metavar="N", rich_help_panel=MOTION
        ),
    ] = None,
    zoom: Annotated[str | None, setting_option("journey.zoom", panel=MOTION, more=_KEYFRAMES)] = None,
    x: Annotated[str | None, setting_option("journey.x", panel=MOTION, more=_KEYFRAMES)] = None,
    y: Annotated[str | None, setting_option("journey.y", panel=MOTION, more=_KEYFRAMES)] = None,
    turn: Annotated[str | None, setting_option("journey.turn", panel=MOTION, more=_KEYFRAMES)] = None,
    tilt: Annotated[str | None, setting_option("journey.tilt", panel=MOTION, more=_KEYFRAMES)] = None,
    pan: Annotated[str | None, setting_option("journey.pan", panel=MOTION, more=_KEYFRAMES)] = None,
    dolly: Annotated[str | None, setting_option("journey.dolly", panel=MOTION, more=_KEYFRAMES)] = None,
    depth: Annotated[Path | None, setting_option("journey.depth", panel=MOTION, metavar="FILE")] = None,
    every: Every = None,
    after: Annotated[int | None, setting_option("journey.after", panel=MOTION, metavar="N")] = None,
    where: Annotated[str | None, setting_option("journey.where", panel=MOTION, metavar="WHAT")] = None,
    border: Annotated[str | None, setting_option("journey.border", panel=MOTION, metavar="HOW")] = None,
    smooth: Smooth = None,
    fps: Fps = None,
    smooth_fps: SmoothFps = None,
    audio: Audio = None,
    out: VideoOut = None,
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
    """Paint a video that travels through the picture: zoom, pan and turn.

    Ctrl-C keeps the video so far; --resume continues, with --frames further.
    """
    from pixgen.recipe.options import Options
    from pixgen.studio.video.journeys import plan_journey

    given = {
        "zoom": zoom,
        "x": x,
        "y": y,
        "turn": turn,
        "tilt": tilt,
        "pan": pan,
        "dolly": dolly,
        "depth": None if depth is None else str(depth),
        "every": every,
        "after": after,
        "where": where,
        "border": border,
        "smooth": smooth,
        "fps": fps,
        "smooth_fps": smooth_fps,
        "audio": None if audio is None else str(audio),
    }
    recipe = None
    if resume is None:
        options = Options.typed(
            prompt=prompt,
            preset=preset,
            size=size,
            seed=seed,
            init=init,
            assignments=assignments,
        )
        recipe = plan_journey(options, frames=60 if frames is None else frames, **given)
    else:
        reject_options_beside_resume(
            context,
            "frames",
            "out",
            why="the run's own recipe: it can be combined only with --frames and --out.",
        )
    _run_journey(
        recipe,
        resume,
        frames,
        out=out,
        overwrite=overwrite,
        device=device,
        output_dir=output_dir,
        as_json=as_json,
    )


@example('pixgen restyle walk.mp4 "watercolour of a fox" --out fox.mp4')
def restyle(
    context: typer.Context,
    video: Annotated[
        Path | None, typer.Argument(help="A video: MP4, MOV, WebM, MKV or GIF.", metavar="VIDEO")
    ] = None,
    prompt: Annotated[str | None, typer.Argument(help="Prompt: “watercolour of a fox”.")] = None,
    frames: Annotated[
        int | None,
        typer.Option(help="Number of frames to paint. Default: all.", metavar="N", rich_help_panel=MOTION),
    ] = None,
    every: Every = None,
    carry: Annotated[
        float | None,
        setting_option("journey.carry", panel=MOTION, metavar="N"),
    ] = None,
    smooth: Smooth = None,
    fps: Fps = None,
    out: VideoOut = None,
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

    Ctrl-C keeps the video so far; --resume continues.
    """
    from pixgen.recipe.options import Options
    from pixgen.studio.video.journeys import plan_restyle

    given = {"every": every, "carry": carry, "smooth": smooth, "fps": fps}
    recipe = None
    if resume is None:
        if video is None:
            raise RecipeError("Name the video to paint over: an MP4, WebM or GIF.")
        options = Options.typed(prompt=prompt, preset=preset, size=size, seed=seed, assignments=assignments)
        recipe = plan_restyle(video, options, frames=frames, **given)
    else:
        reject_options_beside_resume(context, "out", why="the run's own recipe and video.")
    _run_journey(
        recipe,
        resume,
        None,
        out=out,
        overwrite=overwrite,
        device=device,
        output_dir=output_dir,
        as_json=as_json,
    )


def _run_journey(
    recipe: "Recipe | None",
    resume: str | None,
    frames: int | None,
    *,
    out: Path | None,
    overwrite: bool,
    device: str,
    output_dir: Path | None,
    as_json: bool,
) -> None:
    from pixgen.cli._jobs import make_report
    from pixgen.cli._outputs import VIDEO_SUFFIXES, Outputs, check_target

    if out is not None:
        check_target(out, "--out", suffixes=VIDEO_SUFFIXES, overwrite=overwrite)

    def begin(studio: "Studio", run: str) -> "Job":
        if recipe is not None:
            return studio.submit(recipe)
        journey = studio.run(run).recipe.journey
        if not journey.moving:
            raise RecipeError(
                "The run {resume} is not a journey: continue it with `pixgen generate --resume`.", resume=run
            )
        return studio.resume(run, steps=None if frames is None else journey.steps(frames))

    run_job(
        begin,
        run=resume or "",
        output_dir=output_dir,
        device=device,
        outputs=Outputs(video=out, overwrite=overwrite),
        report=make_report(as_json),
    )


@example("pixgen export-video 20261129-120000-abcdef --seconds 8 --loop --out fox.gif")
def export_video(
    run: Annotated[
        str,
        typer.Argument(
            help="A run: its name or its folder (`pixgen runs` lists them). Or a video that pixgen wrote."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Where to write it: .mp4, .webm, .gif or .webp.", metavar="FILE.gif", rich_help_panel=OUTPUT
        ),
    ],
    seconds: Annotated[
        float | None,
        typer.Option(help="Length in seconds. Default: automatic.", metavar="N", rich_help_panel=MOTION),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames per second, instead of --seconds.", metavar="N", rich_help_panel=MOTION),
    ] = None,
    hold: Annotated[
        float | None,
        typer.Option(
            help="Hold the last frame, in seconds. Default: 1.", metavar="N", rich_help_panel=MOTION
        ),
    ] = None,
    even: Annotated[
        bool,
        typer.Option(
            "--even",
            help="Even pacing: equal times show equal change, not equal steps.",
            rich_help_panel=MOTION,
        ),
    ] = False,
    captions: Annotated[
        bool,
        typer.Option(
            "--captions", help="Captions: the prompt and the step below each frame.", rich_help_panel=PICTURE
        ),
    ] = False,
    loop: Annotated[
        bool,
        typer.Option(
            "--loop", help="Seamless loop: the end fades into the beginning.", rich_help_panel=MOTION
        ),
    ] = False,
    smooth_fps: SmoothFps = None,
    scale: Annotated[
        int | None,
        typer.Option(help="Enlarge each frame, 1 to 8 times.", metavar="N", rich_help_panel=PICTURE),
    ] = None,
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Export the video of a run as MP4, WebM, GIF or WebP, without painting."""
    from pixgen.cli._outputs import VIDEO_SUFFIXES, check_target, follow_export
    from pixgen.studio.video.export import explain_lost_sound, export_with_progress
    from pixgen.studio.video.timeline import ExportSettings

    check_target(out, "--out", suffixes=VIDEO_SUFFIXES, overwrite=overwrite)
    from pixgen.studio.runs.run import find_video

    source = find_video(run, output_dir)
    cut = ExportSettings(
        fps=fps,
        seconds=seconds,
        even=even,
        captions=captions,
        loop=loop,
        scale=scale,
        smooth_fps=smooth_fps,
        **({} if hold is None else {"hold": hold}),
    )
    follow_export(export_with_progress(source, out, cut), shown=not as_json)
    notice = explain_lost_sound(source, out, cut)
    if as_json:
        typer.echo(json.dumps({"film": str(out), "bytes": out.stat().st_size, "notice": notice}))
    else:
        if notice:
            typer.echo(notice, err=True)
        typer.echo(f"Video: {out}")

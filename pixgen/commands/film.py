"""``pixgen film``: the film of a run again, in another format, length or way, without painting."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixgen.commands.vocabulary import AsJson, OutputDir, Overwrite


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
    seconds: Annotated[
        float | None, typer.Option(help="How long all of it takes.", metavar="N")
    ] = None,
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
    loop: Annotated[
        bool, typer.Option("--loop", help="Let the end pass into the beginning.")
    ] = False,
    scale: Annotated[
        int | None, typer.Option(help="How many times larger than painted, 1 to 8.", metavar="N")
    ] = None,
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Export the film of a run as MP4, WebM, GIF or WebP; nothing is painted again."""
    from pixgen.commands.films import film_of, followed
    from pixgen.commands.outputs import FILMS, check_target
    from pixgen.studio.timeline import Cut
    from pixgen.studio.video import exporting, find_lost_sound

    check_target(out, "--out", suffixes=FILMS, overwrite=overwrite)
    source = film_of(run, output_dir)
    cut = Cut(
        fps=fps, seconds=seconds, even=even, captions=captions, loop=loop, scale=scale,
        **({} if hold is None else {"hold": hold}),
    )  # fmt: skip
    followed(exporting(source, out, cut), shown=not as_json)
    notice = find_lost_sound(source, out, cut)
    if as_json:
        typer.echo(json.dumps({"film": str(out), "bytes": out.stat().st_size, "notice": notice}))
    else:
        if notice:
            typer.echo(notice, err=True)
        typer.echo(f"Film: {out}")

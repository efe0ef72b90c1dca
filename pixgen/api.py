"""The Python API: ``generate``, ``batch``, ``grid``, ``strip``, ``upscale``, ``wall``, ``svg``, ``video``, ``journey`` and
``restyle``.

Each paints with a new studio in a temporary folder, unless a folder is given where runs are kept.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from pixgen.paths import expand
from pixgen.recipe.base import current_path
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.recipe import Recipe
from pixgen.studio import Studio
from pixgen.studio.gallery.walls import save_wall, wall_of_file
from pixgen.studio.grids.grid import Grid, Plan, draw_sheet
from pixgen.studio.grids.plans import make_axes, plan_batch, plan_grid, plan_strip
from pixgen.studio.runs.record import save_svg
from pixgen.studio.runs.run import find_run, find_video
from pixgen.studio.upscaling import save_upscaled, upscale_picture
from pixgen.studio.video.export import explain_lost_sound, export
from pixgen.studio.video.journeys import plan_journey, plan_restyle
from pixgen.studio.video.timeline import ExportSettings


def generate(
    prompt: str,
    *,
    folder: Path | str | None = None,
    device: str = "auto",
    metadata: bool = True,
    **options: Any,
) -> Image.Image:
    """Paint a picture from a prompt, and return it when it is finished.

    Args:
        prompt: what to paint, in the grammar of ``pixgen.recipe.prompts``.
        folder: where the run is kept with its video and its state; by default nothing is kept.
        device: ``auto``, ``cpu`` or ``cuda``.
        metadata: whether the files in ``folder`` carry the recipe.
        options: the fields of ``pixgen.recipe.options.Options``, for example ``preset="draft"``,
            ``size="256x128"``, ``steps=60`` or ``seed=7``.

    Raises PixgenError.

    Example:
        >>> picture = pixgen.generate("a red fox | snow:0.5", preset="draft")  # doctest: +SKIP
    """
    recipe = recipe_from(_options(prompt=prompt, **options))
    with (
        TemporaryDirectory(prefix="pixgen-") if folder is None else nullcontext(folder) as home,
        Studio(Path(home), device=device) as studio,
    ):
        job = studio.submit(recipe, metadata=metadata)
        job.wait()
        if job.error is not None:
            raise job.error
        assert job.frame is not None  # it has ended without an error
        return Image.fromarray(job.frame.picture)


def grid(
    prompt: str,
    over: Mapping[str, Sequence[Any]] | Sequence[str] = (),
    *,
    folder: Path | str | None = None,
    device: str = "auto",
    **options: Any,
) -> Image.Image:
    """Paint a picture for every value of one or two fields, and return them as one labelled sheet.

    Args:
        prompt: what to paint; its wildcards ``{a|b}`` are an axis too.
        over: values by field, for example ``{"seed": [1, 2], "cutouts.kind": ["gentle", "crowson"]}``,
            or texts such as ``"seed=1-4"``, in the grammar of ``pixgen.studio.grids.plans``.
        folder: where every cell is kept as a separate run; by default nothing is kept.
        device, options: as in ``generate``.

    Raises PixgenError.

    Example:
        >>> sheet = pixgen.grid("a {red|blue} fox", {"seed": [1, 2]}, preset="draft")  # doctest: +SKIP
    """
    return _paint_sheet(plan_grid(_options(prompt=prompt, **options), make_axes(over)), folder, device)


def batch(
    prompt: str,
    *,
    count: int = 4,
    folder: Path | str | None = None,
    device: str = "auto",
    **options: Any,
) -> Image.Image:
    """Paint several pictures of one recipe with successive seeds, and return them as a contact sheet.

    Args:
        folder: where every picture is kept as a separate run; by default nothing is kept.
        device, options: as in ``generate``.

    Raises PixgenError.

    Example:
        >>> sheet = pixgen.batch("a red fox", count=6, preset="draft")  # doctest: +SKIP
    """
    return _paint_sheet(plan_batch(_options(prompt=prompt, **options), count=count), folder, device)


def strip(
    first: str,
    last: str,
    *,
    pictures: int = 7,
    folder: Path | str | None = None,
    device: str = "auto",
    **options: Any,
) -> Image.Image:
    """Interpolate between two ideas, and return the pictures side by side.

    Args:
        first, last: words, a picture's path, or terms such as ``"[a.png] | winter | summer:-1"``.
        pictures: how many, both ends included.
        folder: where every picture is kept as a separate run; by default nothing is kept.
        device, options: as in ``generate``; without ``steps``, sketches are not optimized.

    Raises PixgenError.

    Example:
        >>> strip = pixgen.strip("a red fox", "a snowy owl", seed=7)  # doctest: +SKIP
    """
    plan = plan_strip((first, last), _options(**options), count=pictures)
    return _paint_sheet(plan, folder, device)


def upscale(
    picture: Path | str,
    *,
    scale: float = 2.0,
    method: str = "auto",
    out: Path | str | None = None,
    device: str = "auto",
) -> Image.Image:
    """Enlarge a picture's file, and return the larger picture.

    Args:
        scale: how many times as wide and high, up to 8.
        method: ``crisp``, the name of a learned one (``pixgen.models.upscalers``), or ``auto``: the bundled
            one for what the bundled models have painted, ``crisp`` for any other picture.
        out: a PNG to write, which keeps the recipe and tells how it was enlarged.

    Raises PixgenError.

    Example:
        >>> larger = pixgen.upscale("fox.png", scale=4, out="large-fox.png")  # doctest: +SKIP
    """
    larger, how = upscale_picture(expand(picture), scale=scale, method=method, device=device)
    if out is not None:
        save_upscaled(larger, expand(out), source=expand(picture), how=how)
    return larger


def wall(
    picture: Path | str,
    *,
    kind: str | None = None,
    columns: int = 3,
    rows: int = 3,
    out: Path | str | None = None,
) -> Image.Image:
    """Lay a wall of tiles from a picture's file, and return it.

    Args:
        kind: ``shift``, ``across``, ``down`` or ``both``, as ``--wall``; by default what the picture was painted for.
        columns, rows: how many tiles, 1 to 12 each.
        out: a PNG to write.

    Raises PixgenError.

    Example:
        >>> tiles = pixgen.wall("tile.png", out="wall.png")  # doctest: +SKIP
    """
    laid = wall_of_file(expand(picture), kind=kind, columns=columns, rows=rows)
    if out is not None:
        save_wall(laid, expand(out))
    return laid


def svg(run: str | Path, out: str | Path, *, folder: Path | str | None = None) -> Path:
    """Save the picture of a run as SVG, and return its path: strokes of the drawing method ``lines``, or cells of
    ``pixels``.

    Args:
        run: its name or folder.
        folder: where runs are kept, if ``run`` is a name.

    Raises StudioError, StorageError.

    Example:
        >>> pixgen.svg("outputs/20261124-101500-abcdef", "fox.svg")  # doctest: +SKIP
    """
    save_svg(find_run(run, folder), expand(out))
    return expand(out)


def _paint_sheet(plan: Plan, folder: Path | str | None, device: str) -> Image.Image:
    """Paint a plan and return its sheet; its runs are saved in ``folder``, or not at all without one."""
    with (
        TemporaryDirectory(prefix="pixgen-") if folder is None else nullcontext(folder) as home,
        Studio(Path(home), device=device) as studio,
    ):
        made = Grid.make(studio, plan)
        for _ in made.paint():
            pass
        return draw_sheet(made.plan, made.runs())


log = logging.getLogger(__name__)


def video(run: str | Path, out: str | Path, *, folder: Path | str | None = None, **cut: Any) -> Path:
    """Export a video of a finished run, and return its path; nothing is painted again.

    Args:
        run: its name or folder, or a video that pixgen wrote.
        out: an MP4, WebM, GIF or WebP; an existing file is replaced.
        folder: where runs are kept, if ``run`` is a name; by default that of ``Studio``.
        cut: the fields of ``pixgen.studio.video.timeline.ExportSettings``, for example ``seconds=6``, ``even=True``,
            ``captions=True`` or ``loop=True``.

    Raises VideoError, StorageError.

    Example:
        >>> pixgen.video("outputs/20261124-101500-abcdef", "fox.gif", seconds=6)  # doctest: +SKIP
    """
    export(find_video(run, folder), expand(out), ExportSettings(**cut))
    return expand(out)


film = video  # its name in earlier versions


def journey(
    prompt: str,
    out: str | Path,
    *,
    frames: int = 60,
    folder: Path | str | None = None,
    device: str = "auto",
    **options: Any,
) -> Path:
    """Paint a journey (a video that moves into the picture), and return the path of the video.

    Args:
        out: an MP4, WebM, GIF or WebP; an existing file is replaced.
        folder: where the run is kept; by default only the video is.
        options: the fields of ``Options``, for example ``seed=7``, and of ``pixgen.recipe.journey.Journey``,
            for example ``zoom="0:1, 60:1.02"``, ``turn=1`` or ``every=3``.

    Raises PixgenError.

    Example:
        >>> pixgen.journey("a forest", "forest.mp4", zoom=1.02, turn=0.5)  # doctest: +SKIP
    """
    own, moves = _split_options(options)
    recipe = plan_journey(_options(prompt=prompt, **own), frames=frames, **moves)
    return _paint_video(recipe, expand(out), folder, device)


def restyle(
    video: str | Path,
    prompt: str,
    out: str | Path,
    *,
    frames: int | None = None,
    folder: Path | str | None = None,
    device: str = "auto",
    **options: Any,
) -> Path:
    """Paint over a video, frame by frame, and return the path of the result, which keeps the sound.

    If only the beginning of a long video is painted, a warning is logged.

    Args:
        video: an MP4, MOV, WebM, MKV or GIF.
        frames: the number of frames to paint; by default all.
        out, folder, device, options: as in ``journey``; ``carry`` is among the options.

    Raises PixgenError.

    Example:
        >>> pixgen.restyle("cat.mp4", "watercolour of a fox", "fox.mp4")  # doctest: +SKIP
    """
    own, moves = _split_options(options)
    recipe = plan_restyle(expand(video), _options(prompt=prompt, **own), frames=frames, **moves)
    return _paint_video(recipe, expand(out), folder, device)


def _options(**options: Any) -> Options:
    """Options from keyword arguments, of which ``init`` was called ``start`` in earlier versions."""
    return Options(**{current_path(name): value for name, value in options.items()})


def _split_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    names = {field.name for field in fields(Options)}
    own = {name: value for name, value in options.items() if current_path(name) in names}
    return own, {name: value for name, value in options.items() if name not in own}


def _paint_video(recipe: Recipe, out: Path, folder: Path | str | None, device: str) -> Path:
    with (
        TemporaryDirectory(prefix="pixgen-") if folder is None else nullcontext(folder) as home,
        Studio(Path(home), device=device) as studio,
    ):
        job = studio.submit(recipe)
        job.wait()
        if job.error is not None:
            raise job.error
        for notice in (job.notice, explain_lost_sound(job.run.video, out)):
            if notice:
                log.warning("%s", notice)
        export(job.run.video, out)
    return out

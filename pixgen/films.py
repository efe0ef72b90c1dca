"""``pixgen.film``, ``journey`` and ``restyle``: films, from Python."""

import logging
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pixgen.commands.films import film_of
from pixgen.commands.journeys import plan_journey, plan_restyle
from pixgen.commands.options import Options
from pixgen.paths import expand
from pixgen.recipe import Recipe
from pixgen.studio import Studio
from pixgen.studio.timeline import Cut
from pixgen.studio.video import export, find_lost_sound

log = logging.getLogger(__name__)
_OPTIONS = set(Options.__dataclass_fields__)


def film(run: str | Path, out: str | Path, *, folder: Path | str | None = None, **cut: Any) -> Path:
    """Make another film of a run, and return where it is; nothing is painted again.

    Args:
        run: its name or folder, or a film that pixgen wrote.
        out: an MP4, WebM, GIF or WebP; what is there is replaced.
        folder: where runs are kept, if ``run`` is a name; by default as ``Studio`` has it.
        cut: the fields of ``pixgen.studio.timeline.Cut``, for example ``seconds=6``, ``even=True``,
            ``captions=True`` or ``loop=True``.

    Raises VideoError, StorageError.

    Example:
        >>> pixgen.film("outputs/20261124-101500-abcdef", "fox.gif", seconds=6)  # doctest: +SKIP
    """
    export(film_of(run, folder), expand(out), Cut(**cut))
    return expand(out)


def journey(
    prompt: str, out: str | Path, *, frames: int = 60, folder: Path | str | None = None,
    device: str = "auto", **options: Any,
) -> Path:  # fmt: skip
    """Paint a journey of so many frames, and return where its film is.

    Args:
        out: an MP4, WebM, GIF or WebP; what is there is replaced.
        folder: where the run is kept; by default nothing but the film is.
        options: the fields of ``Options``, for example ``seed=7``, and of ``pixgen.journeys.Journey``,
            for example ``zoom="0:1, 60:1.02"``, ``turn=1`` or ``every=3``.

    Raises PixgenError.

    Example:
        >>> pixgen.journey("a forest", "forest.mp4", zoom=1.02, turn=0.5)  # doctest: +SKIP
    """
    own, moves = _parted(options)
    recipe = plan_journey(Options(prompt=prompt, **own), frames=frames, **moves)
    return _painted(recipe, expand(out), folder, device)


def restyle(
    video: str | Path, prompt: str, out: str | Path, *, frames: int | None = None,
    folder: Path | str | None = None, device: str = "auto", **options: Any,
) -> Path:  # fmt: skip
    """Paint over a video, frame by frame, and return where the film is, which has the video's sound.

    What of a long video is left out is logged as a warning.

    Args:
        video: an MP4, MOV, WebM, MKV or GIF.
        frames: only so many of it.
        out, folder, device, options: as in ``journey``; ``carry`` is among the options.

    Raises PixgenError.

    Example:
        >>> pixgen.restyle("cat.mp4", "watercolour of a fox", "fox.mp4")  # doctest: +SKIP
    """
    own, moves = _parted(options)
    recipe = plan_restyle(expand(video), Options(prompt=prompt, **own), frames=frames, **moves)
    return _painted(recipe, expand(out), folder, device)


def _parted(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    own = {name: value for name, value in options.items() if name in _OPTIONS}
    return own, {name: value for name, value in options.items() if name not in _OPTIONS}


def _painted(recipe: Recipe, out: Path, folder: Path | str | None, device: str) -> Path:
    with (
        TemporaryDirectory(prefix="pixgen-") if folder is None else nullcontext(folder) as home,
        Studio(Path(home), device=device) as studio,
    ):
        job = studio.submit(recipe)
        job.wait()
        if job.error is not None:
            raise job.error
        for notice in (job.notice, find_lost_sound(job.run.film, out)):
            if notice:
                log.warning("%s", notice)
        export(job.run.film, out)
    return out

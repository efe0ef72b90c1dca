"""``pixgen.film``: the film of a run in another format, length or way."""

from pathlib import Path
from typing import Any

from pixgen.commands.films import film_of
from pixgen.studio.timeline import Cut
from pixgen.studio.video import export


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
    export(film_of(run, folder), out, Cut(**cut))
    return Path(out)

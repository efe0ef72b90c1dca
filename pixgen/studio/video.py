"""Films as files: written picture by picture, and exported in other formats and lengths."""

from pathlib import Path

import numpy as np

from pixgen.errors import VideoError
from pixgen.recipe import Recipe
from pixgen.studio import ffmpeg
from pixgen.studio.film import FPS, HOLD, Film, hold_frames
from pixgen.studio.storage import writing

_FORMATS = {  # suffix: options, and the most pictures a second that viewers show
    ".mp4": ((*ffmpeg.H264[2:], "-movflags", "+faststart", "-f", "mp4"), 60),
    ".webm": (
        ("-c:v", "libvpx-vp9", "-crf", "30", "-b:v", "0", "-pix_fmt", "yuv420p", "-f", "webm"),
        60,
    ),
    ".webp": (("-c:v", "libwebp_anim", "-quality", "80", "-loop", "0", "-f", "webp"), 50),
    ".gif": (("-loop", "0", "-f", "gif"), 25),
}
# A palette a picture: one for the whole film would hold every picture in memory.
_GIF_COLOURS = ",split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"


class FilmWriter:
    """Writes an H.264 MP4 of pictures as they come; a context manager.

    The file appears when the block ends without an error, and replaces what was there. It ends by
    holding the last picture for a second.

    Args:
        path: the film.
        fps: pictures a second.
        recipe: goes into the film's comment.

    Raises VideoError (also if there are no pictures), StorageError.
    """

    def __init__(self, path: str | Path, *, fps: float = FPS, recipe: Recipe | None = None) -> None:
        self._film, self._recipe = Film(Path(path), fps=fps), recipe
        self._last: np.ndarray | None = None

    def __enter__(self) -> "FilmWriter":
        return self

    def add(self, picture: np.ndarray) -> None:
        """Append ``(H, W, 3)`` uint8 RGB; odd sides are made even by repeating the edge."""
        self._last = picture
        self._film.add(picture)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._film.abort()
        elif self._last is None:
            raise VideoError(f"The film “{self._film.path.name}” has no pictures.")
        else:
            self._film.commit(self._last, recipe=self._recipe)


def export(
    path_in: str | Path, path_out: str | Path, *,
    fps: float | None = None, seconds: float | None = None, hold: float = HOLD,
) -> None:  # fmt: skip
    """Encode a film that pixgen wrote as MP4, WebM, GIF or WebP, by the suffix of ``path_out``.

    Args:
        fps: pictures a second; the film's own by default.
        seconds: how long all of it takes, the held last picture included; instead of ``fps``.
        hold: seconds that the last picture stays.

    Raises VideoError, StorageError.
    """
    path_in, path_out = Path(path_in), Path(path_out)
    suffix = path_out.suffix.lower()
    if suffix not in _FORMATS:
        raise VideoError(f"A film can be {', '.join(_FORMATS)}, not “{suffix or path_out.name}”.")
    if fps is not None and seconds is not None:
        raise VideoError("Give either the pictures a second or the length of the film, not both.")
    if not 0 <= hold <= 60:
        raise VideoError(f"The last picture can be held for 0 to 60 seconds, not {hold:g}.")
    if not path_in.is_file():
        raise VideoError(f"There is no film “{path_in.name}”.")
    count, rate = ffmpeg.timing(path_in)
    count = max(
        1, count - hold_frames(rate) + 1
    )  # one of the held ones may be the only one of its picture
    if seconds is not None:
        if seconds <= hold:
            raise VideoError(
                f"The film must be longer than its last picture is held: over {hold:g} seconds."
            )
        fps = count / (seconds - hold)
    fps = rate if fps is None else fps
    if not 0.1 <= fps <= 1000:
        raise VideoError(f"A film can have 0.1 to 1000 pictures a second, not {fps:g}.")
    options, most = _FORMATS[suffix]
    shown = min(fps, most)
    filters = (
        f"trim=end_frame={count},setpts=N/({fps:.6f}*TB),fps={shown:.6f},"
        f"tpad=stop_mode=clone:stop_duration={hold:.3f}"
        + (_GIF_COLOURS if suffix == ".gif" else "")
    )
    with writing(path_out) as temporary:
        ffmpeg.encode(path_in, temporary, options=("-vf", filters, "-map_metadata", "0", *options))

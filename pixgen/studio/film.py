"""A film that grows with a run, and goes on exactly where a saved state stands.

The pictures since the last ``commit`` are a file of their own, which the next commit joins to the
film. A process that is killed leaves the film of the last commit, whole. Every film ends by holding
its last picture, so that a viewer sees the result; going on cuts that off again.
"""

import math
import tempfile
from pathlib import Path

import numpy as np

from pixgen.recipe import Recipe
from pixgen.studio import ffmpeg
from pixgen.studio.storage import remove, temporary_path, writing

FPS = 20
HOLD = 1.0  # seconds that the last picture stays
MOST_FRAMES = 300  # of a run: 15 seconds


def is_filmed(step: int, steps: int) -> bool:
    """Whether a step of so many belongs into the film: evenly at most ``MOST_FRAMES``, and both ends."""
    if step <= 0 or step >= steps:  # below 0 a start is being sketched
        return True
    return step * MOST_FRAMES // steps > (step - 1) * MOST_FRAMES // steps


def hold_frames(fps: float) -> int:
    """How many repetitions of the last picture end a film."""
    return max(1, round(fps * HOLD))


class Film:
    """Writes ``path``, an MP4 file.

    Args:
        path: the film; it is there, and whole, after each commit.
        frames: how many pictures of an existing film to keep before the new ones; 0 begins anew.

    Every method raises VideoError or StorageError. What was added since the last commit is lost then,
    and the film goes on with what is added next.
    """

    def __init__(self, path: Path, *, fps: float = FPS, frames: int = 0) -> None:
        self.path, self.frames = path, frames if path.exists() else 0
        self._fps = fps
        self._encoder: ffmpeg.Encoder | None = None

    def add(self, picture: np.ndarray) -> None:
        """Append ``(H, W, 3)`` uint8 RGB."""
        if self._encoder is None:
            self._encoder = ffmpeg.Encoder(temporary_path(self.path), fps=self._fps)
        try:
            self._encoder.add(picture)
        except BaseException:
            self.abort()
            raise

    def commit(self, last: np.ndarray, *, recipe: Recipe | None = None) -> None:
        """Make the film whole with what was added, holding ``last`` at its end."""
        added = 0 if self._encoder is None else self._encoder.pictures
        for _ in range(hold_frames(self._fps)):
            self.add(last)
        try:
            self._encoder.finish()
            self._join(self._encoder.path, recipe)
        finally:
            self.abort()
        self.frames += added

    def abort(self) -> None:
        """Forget what was added since the last commit."""
        if self._encoder is not None:
            self._encoder.abort()
            remove(self._encoder.path)
            self._encoder = None

    def _join(self, added: Path, recipe: Recipe | None) -> None:
        parts = [(added, None)]
        if self.frames:
            # Rounded down: a picture at the very end of the part is the next one's.
            parts.insert(0, (self.path, math.floor(self.frames / self._fps * 1e6) / 1e6))
        tags = {} if recipe is None else {"comment": recipe.to_json()}
        with writing(self.path) as whole, tempfile.TemporaryDirectory() as folder:
            ffmpeg.join(parts, whole, tags=tags, folder=Path(folder))

"""A film that grows with a run, and goes on exactly where a saved state stands.

The pictures since the last ``commit`` are a file of their own, which the next commit joins to the
film. A process that is killed leaves the film of the last commit, whole. Every film ends by holding
its last picture, so that a viewer sees the result; going on cuts that off again.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixgen.errors import PixgenError, VideoError
from pixgen.messages import _
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.metadata.mp4 import read_tags, read_timing
from pixgen.studio.storage import remove, temporary_path, writing
from pixgen.studio.video import ffmpeg
from pixgen.studio.video.encoding import Encoder
from pixgen.studio.video.ffmpeg import Sound
from pixgen.studio.video.source import find_sound

FPS = 20
HOLD = 1.0  # seconds that the last picture stays
MOST_FRAMES = 300  # of a run: 15 seconds


def is_recorded(step: int, steps: int) -> bool:
    """Whether a step of so many belongs into the film: evenly at most ``MOST_FRAMES``, and both ends."""
    if step <= 0 or step >= steps:  # below 0 a start is being sketched
        return True
    return step * MOST_FRAMES // steps > (step - 1) * MOST_FRAMES // steps


def is_shown(step: int, recipe: Recipe) -> bool:
    """Whether the picture at a step belongs into a recipe's film: of a journey its frames alone."""
    if recipe.journey.moving:
        return recipe.journey.is_frame(step)
    return is_recorded(step, recipe.steps)


def video_of(recipe: Recipe, path: Path, *, steps: Sequence[int] = ()) -> "VideoRecording":
    """The film of a run with this recipe; ``steps`` as in ``VideoRecording``. A journey's is the journey alone,
    at its own pace; over a video it has the video's sound."""
    if recipe.journey.moving:
        video = path.parent / recipe.journey.video if recipe.journey.video else None
        return VideoRecording(path, fps=recipe.journey.fps, hold=0, steps=steps, video=video)
    return VideoRecording(path, steps=steps)


def hold_frames(fps: float) -> int:
    """How many repetitions of the last picture end a film."""
    return max(1, round(fps * HOLD))


@dataclass(frozen=True, kw_only=True)
class VideoFacts:
    """What a film is: its pictures' steps (without the held repetitions of the last), its pace, and
    the recipe that it was painted from, if it carries both."""

    steps: tuple[int, ...]
    fps: float
    recipe: Recipe | None

    @property
    def is_journey(self) -> bool:
        """Whether each picture is a frame of a journey, the last no more than the others."""
        return self.recipe is not None and self.recipe.journey.moving


def read_video_facts(path: Path) -> VideoFacts:
    """What a film that pixgen wrote tells of itself. Raises VideoError if it is none."""
    if not path.is_file():
        raise VideoError("There is no film “{name}”.", name=path.name)
    timing = read_timing(path)
    with path.open("rb") as file:
        told = {name: text.decode("utf-8", "replace") for name, text in read_tags(file)}
    try:
        steps = tuple(map(int, json.loads(told["description"])["steps"]))[: timing.frames]
        recipe = read_recipe(told["comment"]) if "comment" in told else None
    except (KeyError, TypeError, ValueError, PixgenError):
        # Of the held pictures, one may be the only one of its step.
        held = hold_frames(timing.fps)
        steps, recipe = tuple(range(max(1, timing.frames - held + 1))), None
    return VideoFacts(steps=steps, fps=timing.fps, recipe=recipe)


class VideoRecording:
    """Writes ``path``, an MP4 file.

    Args:
        path: the film; it is there, and whole, after each commit.
        hold: seconds that the last picture stays at the end.
        steps: the steps of those pictures of an existing film to keep before the new ones; without,
            it begins anew.
        video: whose sound it has, from the beginning, as long as it is itself.

    ``notice`` says what is missing from the film.

    Every method raises VideoError or StorageError. What was added since the last commit is lost then,
    and the film goes on with what is added next.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float = FPS,
        hold: float = HOLD,
        steps: Sequence[int] = (),
        video: Path | None = None,
    ) -> None:
        self.path, self.steps = path, tuple(steps) if path.exists() else ()
        self.notice = ""
        self._fps, self._hold, self._video = fps, hold, video
        self._sound: Sound | None = None
        self._encoder: Encoder | None = None
        self._added: list[int] = []

    def add(self, picture: np.ndarray, *, step: int) -> None:
        """Append ``(H, W, 3)`` uint8 RGB, the picture of a step."""
        self._show(picture)
        self._added.append(step)

    def _show(self, picture: np.ndarray) -> None:
        if self._encoder is None:
            self._encoder = Encoder(temporary_path(self.path), fps=self._fps)
        try:
            self._encoder.add(picture)
        except BaseException:
            self.abort()
            raise

    def commit(self, last: np.ndarray, *, recipe: Recipe | None = None) -> None:
        """Make the film whole with what was added, holding ``last`` at its end."""
        for _number in range(hold_frames(self._fps) if self._hold else 0):
            self._show(last)
        if self._encoder is None:  # nothing new, and nothing to hold
            return
        steps = (*self.steps, *self._added)
        try:
            self._encoder.finish()
            self._join(self._encoder.path, recipe, steps)
        finally:
            self.abort()
        self.steps = steps

    def abort(self) -> None:
        """Forget what was added since the last commit."""
        self._added = []
        if self._encoder is not None:
            self._encoder.abort()
            remove(self._encoder.path)
            self._encoder = None

    def _join(self, added: Path, recipe: Recipe | None, steps: Sequence[int]) -> None:
        parts: list[tuple[Path, float | None]] = [(added, None)]
        if self.steps:
            # Rounded down: a picture at the very end of the part is the next one's.
            parts.insert(0, (self.path, math.floor(len(self.steps) / self._fps * 1e6) / 1e6))
        tags = {"description": json.dumps({"steps": steps}, separators=(",", ":"))}
        if recipe is not None:
            tags["comment"] = recipe.to_json()
        with writing(self.path) as whole:
            try:
                if self._video is not None:
                    self._sound = self._sound or find_sound(self._video)
                seconds = len(steps) / self._fps
                ffmpeg.join(parts, whole, tags=tags, sound=self._sound, seconds=seconds)
            except VideoError:
                if self._video is None:
                    raise
                self._video = self._sound = None  # its frames are worth more than its sound
                self.notice = _("The film is silent: the sound of the video cannot be read.")
                ffmpeg.join(parts, whole, tags=tags)

"""Records the video of a run while it paints, and continues it after a resume.

The frames since the last ``commit`` are a temporary file, which the next commit joins to the video: a killed
process leaves the complete video of the last commit. Every video holds its last frame at the end, so that
viewers see the result; a resume cuts the held frames off.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixgen.errors import PixgenError, VideoError
from pixgen.messages import _
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.metadata.mp4 import read_tags, read_timing
from pixgen.studio.storage import atomic_write, remove_file, temporary_path
from pixgen.studio.video import ffmpeg
from pixgen.studio.video.encoding import Encoder
from pixgen.studio.video.ffmpeg import Sound
from pixgen.studio.video.sound import open_sound
from pixgen.studio.video.source import find_sound
from pixgen.text_files import parse_json

FPS = 20
HOLD = 1.0  # seconds for which the last frame is held
MOST_FRAMES = 300  # of a run's video: 15 seconds


def is_recorded(step: int, steps: int) -> bool:
    """Whether a step is in the video: at most ``MOST_FRAMES`` evenly spaced ones, and both ends."""
    if step <= 0 or step >= steps:  # steps below 0 are sketches
        return True
    return step * MOST_FRAMES // steps > (step - 1) * MOST_FRAMES // steps


def is_video_step(step: int, recipe: Recipe) -> bool:
    """Whether a step is in a recipe's video; a journey's video has only its frames."""
    if recipe.journey.moving:
        return recipe.journey.is_frame(step)
    return is_recorded(step, recipe.steps)


def open_recording(recipe: Recipe, path: Path, *, steps: Sequence[int] = ()) -> "VideoRecording":
    """Open the recording of a run; ``steps`` as for ``VideoRecording``.

    A journey is recorded at its own frame rate without a held frame. The video has the recipe's sound, or that of a
    source video.
    """
    journey = recipe.journey
    source = path.parent / (journey.audio or journey.video) if journey.audio or journey.video else None
    find = open_sound if journey.audio else find_sound
    if journey.moving:
        return VideoRecording(path, fps=journey.fps, hold=0, steps=steps, video=source, find=find)
    return VideoRecording(path, steps=steps, video=source, find=find)


def hold_frames(fps: float) -> int:
    """How many repetitions of the last frame end a video."""
    return max(1, round(fps * HOLD))


@dataclass(frozen=True, kw_only=True)
class VideoMetadata:
    """The steps of a video's frames (without the held last one), its frame rate and its recipe, if any."""

    steps: tuple[int, ...]
    fps: float
    recipe: Recipe | None

    @property
    def is_journey(self) -> bool:
        """Whether the video is a journey, whose last frame is not held."""
        return self.recipe is not None and self.recipe.journey.moving


def read_video_metadata(path: Path) -> VideoMetadata:
    """Read the metadata of a video that pixgen wrote. Raises VideoError if it is not one."""
    if not path.is_file():
        raise VideoError("There is no video “{name}”.", name=path.name)
    timing = read_timing(path)
    with path.open("rb") as file:
        told = {name: text.decode("utf-8", "replace") for name, text in read_tags(file)}
    try:
        steps = tuple(map(int, parse_json(told["description"])["steps"]))[: timing.frames]
        recipe = read_recipe(told["comment"]) if "comment" in told else None
    except (KeyError, TypeError, ValueError, PixgenError):
        # One of the held frames may be the only one of its step.
        held = hold_frames(timing.fps)
        steps, recipe = tuple(range(max(1, timing.frames - held + 1))), None
    return VideoMetadata(steps=steps, fps=timing.fps, recipe=recipe)


class VideoRecording:
    """Writes an MP4 that grows with a run; ``notice`` says what is missing from it.

    Args:
        path: the video, which exists and is complete after each commit.
        hold: seconds for which the last frame is held at the end.
        steps: the steps of the frames of an existing video to keep; without, it starts again.
        video: the source of the sound, which is cut to the length of the recording.
        find: opens the sound in that source; None if it has none.

    Every method raises VideoError or StorageError. The frames since the last commit are then lost, and
    the recording continues with the next frame.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float = FPS,
        hold: float = HOLD,
        steps: Sequence[int] = (),
        video: Path | None = None,
        find: Callable[[Path], Sound | None] = find_sound,
    ) -> None:
        self.path, self.steps = path, tuple(steps) if path.exists() else ()
        self.notice = ""
        self._fps, self._hold, self._video, self._find = fps, hold, video, find
        self._sound: Sound | None = None
        self._encoder: Encoder | None = None
        self._added: list[int] = []

    def add(self, picture: np.ndarray, *, step: int) -> None:
        """Append the frame of a step, ``(H, W, 3)`` uint8 RGB."""
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
        """Complete the video with the added frames, and hold ``last`` at its end."""
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
        """Drop the frames since the last commit."""
        self._added = []
        if self._encoder is not None:
            self._encoder.abort()
            remove_file(self._encoder.path)
            self._encoder = None

    def _join(self, added: Path, recipe: Recipe | None, steps: Sequence[int]) -> None:
        parts: list[tuple[Path, float | None]] = [(added, None)]
        if self.steps:
            # Rounded down: a frame at exactly this time belongs to the next part.
            parts.insert(0, (self.path, math.floor(len(self.steps) / self._fps * 1e6) / 1e6))
        tags = {"description": json.dumps({"steps": steps}, separators=(",", ":"))}
        if recipe is not None:
            tags["comment"] = recipe.to_json()
        with atomic_write(self.path) as whole:
            try:
                if self._video is not None:
                    self._sound = self._sound or self._find(self._video)
                seconds = (len(steps) + (hold_frames(self._fps) if self._hold else 0)) / self._fps
                ffmpeg.join(parts, whole, tags=tags, sound=self._sound, seconds=seconds)
            except VideoError:
                if self._video is None:
                    raise
                self._video = self._sound = None  # keep the frames without the sound
                self.notice = _("The video has no sound: the sound of the source video cannot be read.")
                ffmpeg.join(parts, whole, tags=tags)

"""The timeline of an exported video: which frame of the recording is shown when.

A position is a frame number, from 0; between two numbers, both frames are blended.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixgen.errors import VideoError

LONGEST = 600.0  # seconds
LONGEST_HOLD = 60.0
MOST_SCALE = 8
FADE = 1.0  # seconds at most, for a loop
MOST_SMOOTH_FPS = 120.0
SMOOTH_FPS = 20.0  # roughly, where frames are blended
SLOWEST_FPS = 10.0  # lower rates could not keep a length or a hold exactly


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """How a video is exported. Raises VideoError, which states the allowed values.

    Args:
        fps: frames of the run per second; by default the rate of the video.
        seconds: the whole length, including the held last frame; instead of ``fps``.
        hold: seconds for which the last frame is held.
        even: whether equal times show equal changes rather than equal numbers of steps.
        captions: whether the prompts and the step are written below each frame.
        loop: whether the end fades into the beginning, for a seamless loop.
        scale: the enlargement; None: 1, or with captions large enough to read them.
        smooth_fps: frames per second with frames in between, which ffmpeg computes from the motion; 0: none, None: as
            the recipe says.
    """

    fps: float | None = None
    seconds: float | None = None
    hold: float = 1.0
    even: bool = False
    captions: bool = False
    loop: bool = False
    scale: int | None = None
    smooth_fps: float | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and self.seconds is not None:
            raise VideoError("Give either the frames per second or the length of the video, not both.")
        if not 0 <= self.hold <= LONGEST_HOLD:
            raise VideoError(
                "The last frame can be held for 0 to {limit:g} seconds, not {hold:g}.",
                limit=LONGEST_HOLD,
                hold=self.hold,
            )
        if self.seconds is not None and not self.hold < self.seconds <= LONGEST:
            raise VideoError(
                "The video must be longer than the {hold:g} seconds for which its last frame is held, and "
                "at most {limit:g} seconds long, not {seconds:g}.",
                hold=self.hold,
                limit=LONGEST,
                seconds=self.seconds,
            )
        if self.fps is not None and not 0.1 <= self.fps <= 1000:
            raise VideoError("A video can have 0.1 to 1000 frames per second, not {fps:g}.", fps=self.fps)
        if self.smooth_fps and not 1 <= self.smooth_fps <= MOST_SMOOTH_FPS:
            raise VideoError(
                "A smoothed video can have 1 to {limit:g} frames per second, not {fps:g}.",
                limit=MOST_SMOOTH_FPS,
                fps=self.smooth_fps,
            )
        if self.scale is not None and not 1 <= self.scale <= MOST_SCALE:
            raise VideoError(
                "A video can be enlarged 1 to {limit} times, not {scale:g}.",
                limit=MOST_SCALE,
                scale=self.scale,
            )


@dataclass(frozen=True)
class FrameChoice:
    """What one frame of an export shows: a position, and while a loop closes, a share of another."""

    position: float
    other: float = 0.0
    share: float = 0.0  # of ``other``, in [0, 1]


class Timeline(Sequence[FrameChoice]):
    """The positions that an export shows, one after another, at ``fps`` per second.

    Args:
        count: the number of frames in the recording.
        fps: the rate of the recording, used where ``cut`` sets none.
        most_fps: the highest rate; above it, frames are left out.
        changes: for ``cut.even``, how much each frame differs from the one before, 0 for the first.

    Raises VideoError if the video would be too long.
    """

    def __init__(
        self, cut: ExportSettings, *, count: int, fps: float, most_fps: float, changes: Sequence[float] = ()
    ) -> None:
        playing = count / (cut.fps or fps)
        if cut.seconds is not None:
            playing = cut.seconds - cut.hold
        if playing + cut.hold > LONGEST:
            raise VideoError(
                "The video would be {seconds:.0f} seconds long; the limit is {limit:g}. Set its length, or "
                "more frames per second.",
                seconds=playing + cut.hold,
                limit=LONGEST,
            )
        wanted = count / playing
        if cut.seconds is not None:  # a higher rate than the recording's would only make a larger file
            wanted = min(wanted, max(fps, SMOOTH_FPS))
        if (
            cut.even or cut.loop or (wanted < SLOWEST_FPS and not cut.smooth_fps)
        ):  # a multiple, so that each frame is shown for the same time
            wanted *= max(1, round(SMOOTH_FPS / wanted))
        self.fps = min(wanted, most_fps)
        fade = min(FADE, playing / 2) if cut.loop else 0.0
        self._fade, held = round(fade * self.fps), round(cut.hold * self.fps)
        playing = round(playing * self.fps)
        if cut.seconds is not None:  # it also plays while the loop closes
            playing = round(cut.seconds * self.fps) - held + self._fade
        playing = max(1, 2 * self._fade, playing)
        self._length = playing + held - self._fade
        self._positions = _positions(playing, count, changes)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> FrameChoice:  # type: ignore[override]  # no slices
        if not 0 <= index < self._length:
            raise IndexError(index)
        # It starts after the fade, and ends with it.
        position, closing = self._position_at(index + self._fade), index - (self._length - self._fade)
        if closing < 0:
            return FrameChoice(position)
        return FrameChoice(position, self._position_at(closing), (closing + 1) / (self._fade + 1))

    def _position_at(self, index: int) -> float:
        return self._positions[min(index, len(self._positions) - 1)]


def _positions(playing: int, count: int, changes: Sequence[float]) -> list[float]:
    """The positions at so many moments, from the first frame to the last."""
    parts = np.linspace(0, 1, playing) if playing > 1 else np.ones(1)
    total = np.cumsum(changes) if len(changes) else np.zeros(1)
    if total[-1] <= 0:
        return [float(math.floor(part * (count - 1) + 0.5)) for part in parts]
    return np.interp(parts * total[-1], total, np.arange(count)).tolist()

"""When a film shows which of its pictures: pure arithmetic, in places between the first and the last.

A place is a number of a picture, from 0; between two numbers both are seen, mixed.
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
SMOOTH_FPS = 20.0  # about, where pictures are mixed
SLOWEST_FPS = 10.0  # fewer could not keep a length or a hold


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a film is to be shown. Raises VideoError, which says what is allowed.

    Args:
        fps: pictures of the run a second; by default the film's own pace.
        seconds: how long all of it takes, the held last picture included; instead of ``fps``.
        hold: seconds that the last picture stays.
        even: whether equal times show equal change, rather than equal steps.
        captions: whether the words and the step are written below each picture.
        loop: whether the end passes into the beginning, so that no seam is seen when it starts again.
        scale: how many times larger than it was painted; None: with captions, wide enough to read them.
    """

    fps: float | None = None
    seconds: float | None = None
    hold: float = 1.0
    even: bool = False
    captions: bool = False
    loop: bool = False
    scale: int | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and self.seconds is not None:
            raise VideoError("Give either the pictures a second or the length of the film, not both.")
        if not 0 <= self.hold <= LONGEST_HOLD:
            raise VideoError(
                "The last picture can be held for 0 to {limit:g} seconds, not {hold:g}.",
                limit=LONGEST_HOLD,
                hold=self.hold,
            )
        if self.seconds is not None and not self.hold < self.seconds <= LONGEST:
            raise VideoError(
                "The film must be longer than its last picture is held, over {hold:g} seconds, and at "
                "most {limit:g}, not {seconds:g}.",
                hold=self.hold,
                limit=LONGEST,
                seconds=self.seconds,
            )
        if self.fps is not None and not 0.1 <= self.fps <= 1000:
            raise VideoError("A film can have 0.1 to 1000 pictures a second, not {fps:g}.", fps=self.fps)
        if self.scale is not None and not 1 <= self.scale <= MOST_SCALE:
            raise VideoError(
                "A film can be 1 to {limit} times larger, not {scale:g}.",
                limit=MOST_SCALE,
                scale=self.scale,
            )


@dataclass(frozen=True)
class FrameChoice:
    """What one picture of a film shows: a place, and while a loop closes, how much of another."""

    place: float
    other: float = 0.0
    share: float = 0.0  # of ``other``, in [0, 1]


class Timeline(Sequence[FrameChoice]):
    """Which places a film shows, one after the other, and how many a second (``fps``).

    Args:
        count: how many pictures there are.
        fps: how many of them a second, if ``cut`` says nothing.
        most_fps: more are not shown a second; pictures are left out then.
        changes: for ``cut.even``, how much each picture differs from the one before, the first 0.

    Raises VideoError if the film would be too long.
    """

    def __init__(
        self, cut: Cut, *, count: int, fps: float, most_fps: float, changes: Sequence[float] = ()
    ) -> None:
        playing = count / (cut.fps or fps)
        if cut.seconds is not None:
            playing = cut.seconds - cut.hold
        if playing + cut.hold > LONGEST:
            raise VideoError(
                "The film would take {seconds:.0f} seconds: at most {limit:g} are possible. Give it a "
                "length, or more pictures a second.",
                seconds=playing + cut.hold,
                limit=LONGEST,
            )
        wanted = count / playing
        if cut.seconds is not None:  # more a second than it was filmed with would only be larger
            wanted = min(wanted, max(fps, SMOOTH_FPS))
        if cut.even or cut.loop or wanted < SLOWEST_FPS:  # a multiple, so that each stays as long
            wanted *= max(1, round(SMOOTH_FPS / wanted))
        self.fps = min(wanted, most_fps)
        fade = min(FADE, playing / 2) if cut.loop else 0.0
        self._fade, held = round(fade * self.fps), round(cut.hold * self.fps)
        playing = round(playing * self.fps)
        if cut.seconds is not None:  # it plays while the loop closes, too
            playing = round(cut.seconds * self.fps) - held + self._fade
        playing = max(1, 2 * self._fade, playing)
        self._length = playing + held - self._fade
        self._places = _places(playing, count, changes)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> FrameChoice:  # type: ignore[override]  # no slices
        if not 0 <= index < self._length:
            raise IndexError(index)
        # It begins where the fade has ended, and ends with it.
        place, closing = self._place(index + self._fade), index - (self._length - self._fade)
        if closing < 0:
            return FrameChoice(place)
        return FrameChoice(place, self._place(closing), (closing + 1) / (self._fade + 1))

    def _place(self, index: int) -> float:
        return self._places[min(index, len(self._places) - 1)]


def _places(playing: int, count: int, changes: Sequence[float]) -> list[float]:
    """The places of so many moments, from the first picture to the last."""
    parts = np.linspace(0, 1, playing) if playing > 1 else np.ones(1)
    total = np.cumsum(changes) if len(changes) else np.zeros(1)
    if total[-1] <= 0:
        return [float(math.floor(part * (count - 1) + 0.5)) for part in parts]
    return np.interp(parts * total[-1], total, np.arange(count)).tolist()

"""Journeys: how the view moves (zoom, shift, rotation) between frames, and how a video is painted over.

A value that changes over time is a *curve*: keyframes, or an expression of the time and the sound.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from pixgen.errors import InvalidValue
from pixgen.recipe.base import Value, setting
from pixgen.recipe.drawers import drawers_that
from pixgen.recipe.effects.expressions import (
    SILENCE,
    Moment,
    evaluate,
    parse_expression,
    uses_sound,
)
from pixgen.recipe.escapes import read_number

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe

_MOST = 100  # keyframes
_LARGEST = 1e9  # of a number in a keyframe

Keyframes = tuple[tuple[int, float], ...]
Curve = Keyframes | str  # a text is an expression


def parse_keyframes(value: Any) -> Any:
    """Parse keyframes ``((frame, value), …)`` from text such as ``"0:1, 60:1.02"`` or ``"1.02"``, or check an
    expression such as ``"1 + 0.02*sin(t)"``, which stays a text; other types are returned unchanged. Raises
    InvalidValue."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ((0, float(value)),)
    if not isinstance(value, str):
        return value
    if _calculates(value):
        parse_expression(value)
        return value.strip()
    found = []
    for part in value.split(","):
        frame, colon, number = part.rpartition(":")
        read = read_number(number)
        if read is None or (colon and not re.fullmatch(r"\d{1,9}", frame.strip(), re.ASCII)):
            raise InvalidValue(
                "“{value}” is not a list of keyframes: write frame:value, for example 0:1, 60:1.02",
                value=value[:60],
            )
        found.append((int(frame) if colon else 0, read))
    return tuple(found)


def _calculates(text: str) -> bool:
    """Whether a text is an expression and not keyframes: it has no colon, but a name or an operator."""
    without_exponents = re.sub(r"(?<=\d)[eE][+-]?\d+", "", text)  # of 1e-3
    return ":" not in text and bool(re.search(r"[^\W\d]|[*/%()]|\d\s*[+-]", without_exponents))


def format_keyframes(keyframes: Curve) -> str:
    """Print keyframes or an expression so that ``parse_keyframes`` reads the same back."""
    if isinstance(keyframes, str):
        return keyframes
    if len(keyframes) == 1 and keyframes[0][0] == 0:
        return f"{keyframes[0][1]:g}"
    return ", ".join(f"{frame}:{value:g}" for frame, value in keyframes)


def keyframe_at(keyframes: Keyframes, frame: int) -> float:
    """The value at a frame: linear between keyframes, constant before the first and after the last."""
    before = [each for each in keyframes if each[0] <= frame]
    after = [each for each in keyframes if each[0] > frame]
    if not before or not after:
        return (before[-1] if before else after[0])[1]
    (start, low), (end, high) = before[-1], after[0]
    return low + (high - low) * (frame - start) / (end - start)


def curve_at(curve: Curve, moment: Moment, *, low: float, high: float, otherwise: float) -> float:
    """The value of a curve at a moment; that of an expression is limited to a range, and ``otherwise`` where it
    has none."""
    if isinstance(curve, str):
        return evaluate(curve, moment, low=low, high=high, otherwise=otherwise)
    return keyframe_at(curve, moment.frame)


def check_keyframes(value: Any, least: float, most: float) -> Any:
    """Read a curve, given as values or as text, and check that its keyframes are in order and between two numbers.
    Raises InvalidValue."""
    keyframes = parse_keyframes(value)
    if isinstance(keyframes, (tuple, list)) and all(map(_is_keyframe, keyframes)):  # pydantic reports others
        for _, number in keyframes:
            if not least <= number <= most:
                raise InvalidValue(
                    "values must be from {least:g} to {most:g}, not {value:g}",
                    least=least,
                    most=most,
                    value=float(number),
                )
        frames = [frame for frame, _ in keyframes]
        if any(b <= a for a, b in zip(frames, frames[1:], strict=False)):
            raise InvalidValue("keyframes must be in the order of their frames, each frame once")
    return keyframes


def check_curve(least: float, most: float) -> WrapValidator:
    """The validator of a field that holds a curve with keyframes between two numbers, or an expression."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        curve = check_keyframes(value, least, most)
        return curve if isinstance(curve, str) else handler(curve)

    return WrapValidator(check)


def _is_keyframe(value: Any) -> bool:
    """Whether a value is a pair of numbers."""
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(isinstance(each, (int, float)) and abs(each) < _LARGEST for each in value)
    )


_Frame = Annotated[int, Field(ge=0, le=1_000_000)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
if TYPE_CHECKING:
    CurveField = Curve
else:  # pydantic checks keyframes; an expression is checked by ``check_curve`` before
    CurveField = Annotated[
        tuple[tuple[_Frame, _Number], ...],
        Field(min_length=1, max_length=_MOST),
        PlainSerializer(lambda curve: curve),
    ]


STEPS_A_SECOND = 20  # of a picture's own video, where there is no journey
# The camera's curves: least, most, and the value at which nothing moves.
CURVES: dict[str, tuple[float, float, float]] = {
    "zoom": (0.5, 2, 1),
    "x": (-1, 1, 0),
    "y": (-1, 1, 0),
    "turn": (-180, 180, 0),
    "tilt": (-60, 60, 0),
    "pan": (-60, 60, 0),
    "dolly": (-0.9, 0.9, 0),
}


@dataclass(frozen=True)
class Motion:
    """How the view moves from one frame to the next."""

    zoom: float
    x: float  # parts of the width that the view moves to the right
    y: float  # and of the height, down
    turn: float  # degrees by which the picture turns clockwise
    tilt: float = 0.0  # degrees by which the camera looks up
    pan: float = 0.0  # and to the right
    dolly: float = 0.0  # by how much it moves towards the picture, as a fraction of its distance

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return self == Motion(1.0, 0.0, 0.0, 0.0)

    @property
    def flat(self) -> bool:
        """Whether the view only moves within the plane of the picture."""
        return not (self.tilt or self.pan or self.dolly)


class Journey(Value):
    """A video whose frames take ``every`` steps each; the view moves between frames.

    The picture after ``after`` steps is the first frame. With a ``video``, each frame is painted over one
    of that video.
    """

    every: Annotated[
        int,
        setting("Steps per frame", "0: no journey.", low=0, high=1000, offered=(1, 30), step=1),
    ] = 0
    after: Annotated[int, setting("Steps before the first frame", low=0, offered=(0, 500), step=1)] = 0
    zoom: Annotated[
        CurveField,
        check_curve(0.5, 2),
        setting("Zoom per frame", "Above 1 zooms in, below 1 out: 0.5 to 2.", example="0:1,60:1.02"),
    ] = ((0, 1.0),)
    x: Annotated[
        CurveField,
        check_curve(-1, 1),
        setting("Move right per frame", "As a fraction of the width, -1 to 1.", example="0:0.01"),
    ] = ((0, 0.0),)
    y: Annotated[
        CurveField,
        check_curve(-1, 1),
        setting("Move down per frame", "As a fraction of the height, -1 to 1.", example="0:0.01"),
    ] = ((0, 0.0),)
    turn: Annotated[
        CurveField,
        check_curve(-180, 180),
        setting("Turn per frame", "Degrees, clockwise.", example="0:0,30:2"),
    ] = ((0, 0.0),)
    tilt: Annotated[
        CurveField,
        check_curve(-60, 60),
        setting("Tilt per frame", "Degrees that the camera looks up, on a plane in 3D.", example="0:0.5"),
    ] = ((0, 0.0),)
    pan: Annotated[
        CurveField,
        check_curve(-60, 60),
        setting("Pan per frame", "Degrees that the camera looks to the right.", example="sin(t)"),
    ] = ((0, 0.0),)
    dolly: Annotated[
        CurveField,
        check_curve(-0.9, 0.9),
        setting(
            "Dolly per frame",
            "How far the camera moves in, as a fraction of its distance. With a depth picture, what is near grows faster.",
            example="0:0.03",
        ),
    ] = ((0, 0.0),)
    depth: Annotated[
        str,
        setting(
            "Depth picture",
            "White is near, black is twice as far. It stays where it is while the painting moves over it.",
            max_length=4096,
        ),
    ] = ""
    where: Annotated[
        Literal["picture", "latent"],
        setting("What the camera moves", choices={"picture": "the picture", "latent": "the latent"}),
    ] = "picture"
    border: Annotated[
        Literal["reflect", "wrap", "edge", "inpaint"],
        setting(
            "Edge fill",
            "What fills the space that a move uncovers.",
            choices={
                "reflect": "its mirror image",
                "wrap": "the other side",
                "edge": "its edge",
                "inpaint": "smooth colours of its surroundings",
            },
        ),
    ] = "reflect"
    smooth: Annotated[
        float,
        setting(
            "Smoothing",
            "How much of the previous frame, moved along, is blended into each frame. Reduces flicker.",
            low=0,
            high=0.95,
            step=0.05,
        ),
    ] = 0.0
    fps: Annotated[
        float,
        setting(
            "Frames per second",
            "For the video that is read and for the one that is written.",
            low=1,
            high=60,
            step=1,
        ),
    ] = 12.0
    smooth_fps: Annotated[
        float,
        setting(
            "Smoothed frames per second",
            "Frames in between are added to the exported video, from the motion between frames. 0: none.",
            low=0,
            high=120,
            step=1,
        ),
    ] = 0.0
    video: Annotated[str, Field(max_length=4096)] = ""  # a path
    audio: Annotated[
        str,
        setting(
            "Sound",
            "A sound file: the video carries it, and expressions follow it as bass, mid, treble and onset.",
            max_length=4096,
        ),
    ] = ""
    carry: Annotated[
        float,
        setting(
            "Carry-over between frames",
            "How much of the previous painted frame is carried into the next, when a video is restyled.",
            low=0,
            high=1,
            step=0.05,
        ),
    ] = 0.8

    @model_validator(mode="after")
    def _one_of_both(self) -> "Journey":
        if self.video and not self.moving:
            raise InvalidValue(
                "restyling needs some steps for each frame: set journey.every, for example to 4"
            )
        if self.video and (
            any(isinstance(curve, str) for curve in self._curves())
            or any(not self.motion(frame).still for frame in self._named_frames())
        ):
            raise InvalidValue("a restyled video has its own motion: leave zoom, x, y and turn out")
        return self

    def check(self, recipe: "Recipe") -> None:
        """Raise InvalidValue if the journey conflicts with other settings of the recipe."""
        if (recipe.init.kind == "video") != bool(self.video):
            raise InvalidValue('init.kind "video" is for restyling a video, and restyling needs it')
        if recipe.growth.at and (self.moving or recipe.story.sketch):
            raise InvalidValue(
                "the size of a journey, and of a story with a sketch for each scene, cannot change: "
                "leave grow out"
            )
        if not self.moving:
            return
        drawer = recipe.drawer_kind
        if not drawer.can_travel:
            raise InvalidValue(
                "the drawing method {drawer} cannot paint a journey: choose another one", drawer=recipe.drawer
            )
        in_latent, over_video = self.where == "latent", bool(self.video)
        if (in_latent and not drawer.can_move_latent) or (over_video and not drawer.can_encode):
            able = drawers_that("can_move_latent" if in_latent else "can_encode")
            raise InvalidValue(
                "only the drawing method {drawers} can restyle a video or move in the latent",
                drawers=able,
            )
        if recipe.init.masked:
            raise InvalidValue(
                "a journey moves the whole picture, so it cannot have a mask or extend the canvas"
            )
        if recipe.average:
            raise InvalidValue("a journey cannot use a moving average: set journey.smooth instead of average")
        if self.after > recipe.steps:
            raise InvalidValue(
                "the journey begins after {after} steps, but there are only {steps}",
                after=self.after,
                steps=recipe.steps,
            )

    @property
    def moving(self) -> bool:
        """Whether there is a journey at all."""
        return self.every > 0

    def is_frame(self, step: int) -> bool:
        """Whether the picture at a step is a frame of the journey."""
        return self.moving and step >= self.after and (step - self.after) % self.every == 0

    def frame(self, step: int) -> int:
        """The newest frame at a step, from 0; below 0 before the first."""
        return (step - self.after) // max(1, self.every)

    def moment(self, step: int) -> Moment:
        """The moment of a step, without the sound. Without a journey a step counts as a frame, 20 a second."""
        frame = max(0, self.frame(step)) if self.moving else step
        return Moment(frame, frame / self.rate)

    @property
    def rate(self) -> float:
        """Frames per second; without a journey, steps."""
        return self.fps if self.moving else STEPS_A_SECOND

    @property
    def frame_seconds(self) -> float:
        """How long a frame is shown; without a journey, a step."""
        return 1 / self.rate

    def motion(self, frame: int, sound: Mapping[str, float] = SILENCE) -> Motion:
        """How the view moves from this frame to the next, with the levels of the sound there."""
        moment = Moment(frame, frame / self.fps, sound)
        return Motion(
            **{
                name: curve_at(getattr(self, name), moment, low=low, high=high, otherwise=still)
                for name, (low, high, still) in CURVES.items()
            }
        )

    @property
    def follows_sound(self) -> bool:
        """Whether the camera depends on the sound."""
        return any(isinstance(curve, str) and uses_sound(curve) for curve in self._curves())

    def steps(self, frames: int) -> int:
        """The number of steps that ``frames`` frames take."""
        return self.after + self.every * (frames - 1)

    def frames(self, steps: int) -> int:
        """The number of frames that ``steps`` steps give."""
        return max(0, math.floor((steps - self.after) / max(1, self.every)) + 1) if self.moving else 0

    def _curves(self) -> Iterator[Curve]:
        return (getattr(self, name) for name in CURVES)

    def _named_frames(self) -> set[int]:
        return {frame for curve in self._curves() if not isinstance(curve, str) for frame, _ in curve}

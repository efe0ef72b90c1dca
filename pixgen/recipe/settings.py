"""Settings of the optimizer, the engine (precision, memory, speed), the CLIPs and the growth of the canvas.

The engine's settings change a picture by rounding only, except for the tiles, the number of sketches at once
and the library of the augmentations.
"""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from pixgen.errors import InvalidValue
from pixgen.recipe.base import Value, setting
from pixgen.recipe.drawers import drawers_that
from pixgen.recipe.effects.expressions import Moment
from pixgen.recipe.journey import CurveField, check_curve, curve_at

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe


OptimizerName = Literal["Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "RMSprop", "SGD"]
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)


class Optimizer(Value):
    """Which of torch's optimizers moves the latent, and how fast."""

    name: Annotated[OptimizerName, setting("Optimizer")] = "Adam"
    learning_rate: Annotated[
        float,
        setting(
            "Learning rate",
            "How far each step goes.",
            gt=0,
            high=10,
            offered=(0.001, 1),
            step=0.001,
        ),
    ] = 0.1
    schedule: Annotated[
        Literal["constant", "drop", "cosine"],
        setting("Schedule", "How the learning rate falls over the steps."),
    ] = "cosine"
    drop_at: Annotated[
        float,
        setting(
            "Drop after",
            "With the schedule drop: the fraction of the steps after which the rate falls.",
            low=0,
            high=1,
            step=0.05,
        ),
    ] = 0.75
    floor: Annotated[
        float,
        setting(
            "Floor",
            "The factor of the learning rate after the drop, or at the end.",
            low=0,
            high=1,
            step=0.05,
        ),
    ] = 0.1

    factor: Annotated[
        CurveField,
        check_curve(0, 10),
        setting(
            "Learning rate over time",
            "A factor of the learning rate, 0 to 10: keyframes by frame, or an expression.",
            example="0.5 + 0.5*sin(t*2)",
        ),
    ] = ((0, 1.0),)

    def factor_at(self, moment: Moment) -> float:
        """The factor of the learning rate at a moment."""
        return curve_at(self.factor, moment, low=0, high=10, otherwise=1)

    def rate_factor(self, progress: float) -> float:
        """The factor of the learning rate at a progress in [0, 1] through the steps."""
        if self.schedule == "drop" and progress >= self.drop_at:
            return self.floor
        if self.schedule == "cosine":
            return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2
        return 1.0


class Engine(Value):
    """How a picture is computed: memory against speed."""

    # Other chance, so another picture; what cannot be fused is kornia's in both.
    augmentations: Annotated[
        Literal["fused", "kornia"],
        setting(
            "Augmentation engine",
            "fused: one warp and one colour matrix for each cutout. kornia: one augmentation after the other.",
        ),
    ] = "fused"
    channels_last: Annotated[
        bool, setting("Channels last", "The memory format of the decoder: a third faster on a CPU.")
    ] = True
    checkpoint: Annotated[
        bool,
        setting(
            "Gradient checkpointing",
            "Recomputes the decoder in the backward pass: much less memory, a little slower.",
        ),
    ] = False
    compiled: Annotated[
        bool,
        setting("Compiled", "Uses torch.compile: the first step takes minutes, the others are faster."),
    ] = False
    captured: Annotated[
        bool,
        setting(
            "CUDA graphs",
            "On a GPU, captures decoder and CLIP as CUDA graphs: fewer kernel launches.",
        ),
    ] = True
    tf32: Annotated[
        bool,
        setting(
            "TF32",
            "On a GPU in float32, multiplies in TF32: faster, with a mantissa of ten bits.",
        ),
    ] = True
    deterministic: Annotated[
        bool,
        setting(
            "Deterministic",
            "On a GPU, sums in a fixed order, so that a recipe always gives the same picture; slower.",
        ),
    ] = False
    # A decoder's norms see a tile alone, so the picture changes a little.
    tile: Annotated[
        int,
        setting(
            "Tiles",
            "Decodes the finished picture in tiles of this many codes per side, which needs less "
            "memory. 0: in one piece.",
            low=0,
            high=256,
            step=1,
        ),
    ] = 0
    # The codes that it begins with differ a little.
    encode_tile: Annotated[
        int,
        setting(
            "Encoding tiles",
            "Encodes pictures in tiles of this many codes per side. 0: in one piece.",
            low=0,
            high=256,
            step=1,
        ),
    ] = 0
    # Other chance, so other sketches of the same words.
    sketches: Annotated[
        int,
        setting(
            "Sketches at once", "How many sketches are sampled at a time; 0: all.", low=0, high=64, step=1
        ),
    ] = 0


class ClipChoice(Value):
    """One of several guidance models (CLIP), its weight and its number of cutouts."""

    name: Annotated[str, Field(min_length=1, max_length=4096)]
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    cutouts: Annotated[int | None, Field(ge=1, le=512)] = None  # how many it sees; by default all


def _read_parts(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, (int, float)) else value


Part = Annotated[float, Field(gt=0, lt=1)]


class Growth(Value):
    """When the canvas grows, and by what factor; with no times it has its full size from the start."""

    # Parts of the steps, such as 0.8 or "0.5, 0.8": the more often, the smaller it begins.
    at: Annotated[
        tuple[Part, ...],
        BeforeValidator(_read_parts),
        setting(
            "Start small, then enlarge",
            "Starts small and enlarges the canvas at these fractions of the steps: large pictures in less than half the time.",
            example="0.5, 0.85",
            max_length=4,
        ),
    ] = ()
    by: Annotated[
        float,
        setting(
            "Growth", "The factor by which each side grows at every enlargement.", low=1.25, high=4, step=0.25
        ),
    ] = 2.0
    smallest: Annotated[
        int,
        setting(
            "Smallest start",
            "The shortest side of the first canvas, in pixels: a picture that would start smaller is "
            "enlarged fewer times. 0: no limit.",
            low=0,
            high=2048,
            step=64,
        ),
    ] = 0

    @model_validator(mode="after")
    def _one_after_the_other(self) -> "Growth":
        if list(self.at) != sorted(set(self.at)):
            raise InvalidValue("the times at which a picture is enlarged must be in ascending order")
        return self

    def check(self, recipe: "Recipe", *, smallest: int) -> None:
        """Raise InvalidValue if the recipe's drawer cannot grow, or if the first canvas would be smaller than
        ``smallest`` pixels a side."""
        if not self.at:
            return
        if not recipe.drawer_kind.can_grow:
            raise InvalidValue(
                "only the drawing method {drawers} can start small",
                drawers=drawers_that("can_grow"),
            )
        least = min(recipe.canvas(0))
        if least < smallest:
            raise InvalidValue(
                "growing {count} times by {by:g}, the picture would begin with {least} pixels per side, "
                "but needs {smallest}: choose a larger size or fewer enlargements",
                count=len(self.at),
                by=self.by,
                least=least,
                smallest=smallest,
            )

    def for_size(self, width: int, height: int) -> "Growth":
        """The same growth without the enlargements that would make a picture start smaller than ``smallest``."""
        least = min(width, height)
        kept = next(
            count
            for count in range(len(self.at), -1, -1)
            if not count or least / self.by**count >= self.smallest
        )
        return self.model_copy(update={"at": self.at[len(self.at) - kept :]})

    def stage(self, step: int, steps: int) -> int:
        """How many times the canvas has grown before ``step`` of ``steps``."""
        if steps == 0:
            return len(self.at)
        return sum(step >= part * steps for part in self.at)

    def side(self, side: int, stage: int) -> int:
        """A side of the canvas, in pixels, after ``stage`` times; ``side`` is its final length."""
        return max(1, round(side / self.by ** (len(self.at) - stage)))

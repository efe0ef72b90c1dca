"""The optimizer as a value: what moves the latent, and how its rate falls over the steps."""

import math
from typing import Annotated, Literal, get_args

from pydantic import Field

from pixgen.values import Value

OptimizerName = Literal["Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "RMSprop", "SGD"]
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)


class Optimizer(Value):
    """Which of torch's optimizers moves the latent, and how fast."""

    name: OptimizerName = "Adam"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.1
    schedule: Literal["constant", "drop", "cosine"] = "cosine"
    drop_at: Annotated[float, Field(ge=0, le=1)] = 0.75  # the part of the steps, for "drop"
    floor: Annotated[float, Field(ge=0, le=1)] = (
        0.1  # the rate's factor after the drop, or at the end
    )

    def factor(self, part: float) -> float:
        """What the schedule makes of the rate when a part of the steps, in [0, 1], is done."""
        if self.schedule == "drop" and part >= self.drop_at:
            return self.floor
        if self.schedule == "cosine":
            return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * part)) / 2
        return 1.0

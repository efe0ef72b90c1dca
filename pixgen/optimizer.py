"""The optimizer as a value: what moves the latent, and how its rate falls over the steps."""

import math
from typing import Annotated, Literal, get_args

from pixgen.settings import setting
from pixgen.values import Value

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
            "Drop at", "The part of the steps, with the schedule drop.", low=0, high=1, step=0.05
        ),
    ] = 0.75
    floor: Annotated[
        float,
        setting(
            "Floor", "The rate's factor after the drop, or at the end.", low=0, high=1, step=0.05
        ),
    ] = 0.1

    def factor(self, part: float) -> float:
        """What the schedule makes of the rate when a part of the steps, in [0, 1], is done."""
        if self.schedule == "drop" and part >= self.drop_at:
            return self.floor
        if self.schedule == "cosine":
            return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * part)) / 2
        return 1.0

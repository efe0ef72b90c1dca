"""Small first, then larger: a picture's sizes while it is painted, as values."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from pixgen.drawing import drawers_that
from pixgen.errors import InvalidValue
from pixgen.settings import setting
from pixgen.values import Value

if TYPE_CHECKING:
    from pixgen.recipe import Recipe


def _parts(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, (int, float)) else value


Part = Annotated[float, Field(gt=0, lt=1)]


class Growth(Value):
    """When a canvas grows, and by how much each time; without a time it has its whole size at once."""

    # Parts of the steps, such as 0.8 or "0.5, 0.8": the more often, the smaller it begins.
    at: Annotated[
        tuple[Part, ...],
        BeforeValidator(_parts),
        setting(
            "Start small, then enlarge",
            "A large picture in less than half the time: small first, and doubled at these parts of the steps.",
            example="0.5, 0.85", max_length=4,
        ),
    ] = ()  # fmt: skip
    by: Annotated[
        float, setting("Growth", "Times a side, each time.", low=1.25, high=4, step=0.25)
    ] = 2.0

    @model_validator(mode="after")
    def _one_after_the_other(self) -> "Growth":
        if list(self.at) != sorted(set(self.at)):
            raise InvalidValue("the times at which a picture grows must come one after the other")
        return self

    def check(self, recipe: "Recipe", *, smallest: int) -> None:
        """Raise ValueError if a recipe's picture cannot grow, or would begin with fewer pixels a side than
        the smallest picture."""
        if not self.at:
            return
        if not recipe.drawn_by.can_grow:
            raise InvalidValue(
                "a picture grows while it is painted with the drawer {drawers} only",
                drawers=drawers_that("can_grow"),
            )
        least = min(recipe.canvas(0))
        if least < smallest:
            raise InvalidValue(
                "growing {count} times by {by:g}, the picture would begin with {least} pixels a side, and "
                "needs {smallest}: give a larger size, or let it grow less often",
                count=len(self.at),
                by=self.by,
                least=least,
                smallest=smallest,
            )

    def stage(self, step: int, steps: int) -> int:
        """How often it has grown when a step of so many begins."""
        if steps == 0:
            return len(self.at)
        return sum(step >= part * steps for part in self.at)

    def side(self, side: int, stage: int) -> int:
        """A side of the canvas after so many times, of which ``side`` is the last."""
        return max(1, round(side / self.by ** (len(self.at) - stage)))

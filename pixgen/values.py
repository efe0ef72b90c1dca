"""What every value of a recipe is: frozen, and without a field that is not its own."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A part of a recipe, checked when it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

"""The CLIPs that look, as values."""

from typing import Annotated

from pydantic import Field

from pixgen.values import Value


class Eye(Value):
    """One of several CLIPs that look together, and how much it counts."""

    name: Annotated[str, Field(min_length=1, max_length=4096)]
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    cutouts: Annotated[int | None, Field(ge=1, le=512)] = None  # how many it sees; by default all

"""Values of forms and events, which a program may send as anything."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

from pixgen.errors import PixgenError

Number = TypeVar("Number", int, float)


def event_value(event: object, name: str) -> Any:
    """A value that the page's own HTML sends with an event; None if it was not sent."""
    try:
        return getattr(event, name)
    except (AttributeError, TypeError):
        return None


def read_form_number(value: Any, kind: Callable[[float], Number], *, name: str) -> Number:
    """A finite number in a form. Raises PixgenError, which names the field, for anything else."""
    try:
        number = float(value)
        if math.isfinite(number):
            return kind(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise PixgenError("“{name}” must be a number: write one, or leave the field empty.", name=name)

"""Partial recipes, before they are checked: read from JSON, merged, and set field by field."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pixgen.errors import RecipeError


def read_partial(text: str) -> dict[str, Any]:
    """A partial recipe from its JSON. Raises RecipeError."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise RecipeError(
            "This is not a recipe: its JSON breaks off at line {line}.", line=error.lineno
        ) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits, or far too deep
        raise RecipeError("This is not a recipe: its JSON is far too large.") from error
    if not isinstance(value, dict):
        raise RecipeError("This is not a recipe: a JSON object is expected.")
    return value


def set_field(recipe: dict[str, Any], assignment: str) -> None:
    """Apply ``key.path=value`` to a partial recipe in place; the value is JSON, else text."""
    key, equals, value = assignment.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            "“{assignment}” is not of the form key=value, for example cutouts.count=16.",
            assignment=assignment,
        )
    with suppress(json.JSONDecodeError):
        value = json.loads(value)
    put(recipe, key.strip(), value)


def put(recipe: dict[str, Any], path: str, value: Any) -> None:
    """Set the field at a dotted path of a partial recipe in place. Raises RecipeError."""
    *outer, last = path.split(".")
    for part in outer:
        recipe = recipe.setdefault(part, {})
        if not isinstance(recipe, dict):
            raise RecipeError("“{path}” does not name a field of a recipe.", path=path)
    recipe[last] = value


def merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Add a partial recipe to another in place: it wins, and nested objects are merged."""
    for key, value in part.items():
        if isinstance(value, Mapping):
            known = into.get(key)
            into[key] = dict(known) if isinstance(known, Mapping) else {}
            merge(into[key], value)
        else:
            into[key] = value

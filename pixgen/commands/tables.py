"""Reads the table of a story: CSV with a first line of names, or JSON."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixgen.errors import RecipeError
from pixgen.story import COLUMNS

_LARGEST = 2**20  # bytes


def read_rows(path: Path) -> list[Mapping[str, Any]]:
    """The rows of a table in a file, by the names in ``COLUMNS``. Raises RecipeError."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"The table “{path.name}” cannot be read: check that it is there."
        ) from error
    if len(data) > _LARGEST:
        raise RecipeError(f"The table “{path.name}” is far too long.")
    rows = _json(text) if text.lstrip().startswith("[") else list(csv.DictReader(io.StringIO(text)))
    if not all(isinstance(row, dict) for row in rows) or any(
        set(row) - set(COLUMNS) or "prompt" not in row for row in rows
    ):
        raise RecipeError(
            f"The table “{path.name}” has a column “prompt”, and may have {', '.join(COLUMNS)}; no others."
        )
    return rows


def _json(text: str) -> list[Any]:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RecipeError(
            f"This is no table: its JSON breaks off at line {error.lineno}."
        ) from error

"""Reads the table of a story: CSV with a first line of names, or JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixgen.errors import RecipeError
from pixgen.paths import expand
from pixgen.story import COLUMNS
from pixgen.text_files import decode, read_table

_LARGEST = 2**20  # bytes


def read_rows(path: Path) -> list[Mapping[str, Any]]:
    """The rows of a table in a file, by the names in ``COLUMNS``, as ``text_files.read_table`` reads them.
    Raises RecipeError."""
    try:
        with expand(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = decode(data)
    except (OSError, ValueError) as error:
        raise RecipeError(
            "The table “{name}” cannot be read: check that it is there.", name=path.name
        ) from error
    if len(data) > _LARGEST:
        raise RecipeError("The table “{name}” is far too long.", name=path.name)
    rows = _json(text) if text.lstrip().startswith("[") else read_table(text)
    if not all(isinstance(row, dict) for row in rows) or any(
        set(row) - set(COLUMNS) or "prompt" not in row for row in rows
    ):
        raise RecipeError(
            "The table “{name}” has a column “prompt”, and may have {choices}; no others.",
            name=path.name,
            choices=", ".join(COLUMNS),
        )
    return rows


def _json(text: str) -> list[Any]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise RecipeError(
            "This is no table: its JSON breaks off at line {line}.", line=error.lineno
        ) from error
    return [
        {name.strip().lower(): value for name, value in row.items()}
        if isinstance(row, dict)
        else row
        for row in rows
    ]

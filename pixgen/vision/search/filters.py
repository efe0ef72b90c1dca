"""Filters of a search: by date, folder and size, and by recipe for the gallery's runs."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING

from pixgen.errors import SearchError

if TYPE_CHECKING:
    from lancedb.expr import Expr

LONGEST = 1000  # characters of a folder or of a prompt's part


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Conditions that a picture must all meet; None or empty means any.

    ``after`` (inclusive) and ``before`` (exclusive) bound the file's time; ``folder`` includes its subfolders;
    ``side`` is the minimum of width and height in pixels; ``prompt`` is a part of the prompt; ``owner`` is the
    run's. Raises SearchError for a value that is too long.
    """

    after: datetime | None = None
    before: datetime | None = None
    folder: str = ""
    side: int = 0
    prompt: str = ""
    preset: str = ""
    model: str = ""
    seed: int | None = None
    owner: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str) and (len(value) > LONGEST or not _is_text(value)):
                raise SearchError("The filter “{name}” is too long or no text: shorten it.", name=field.name)
        if not 0 <= self.side < 2**31 or not 0 <= (self.seed or 0) < 2**63:
            raise SearchError("A size or a seed to search for is a whole number, 0 or more.")

    def as_condition(self) -> "Expr | None":
        """The filter as a LanceDB expression, built from literals and never from text; None if it is empty."""
        from lancedb.expr import col, lit

        conditions = []
        if self.after is not None:
            conditions.append(col("modified") >= lit(_nanoseconds(self.after)))
        if self.before is not None:
            conditions.append(col("modified") < lit(_nanoseconds(self.before)))
        if folder := self.folder.strip("/"):
            # "0" is the character after "/": every text between the two begins with "folder/".
            below = (col("folder") >= lit(f"{folder}/")) & (col("folder") < lit(f"{folder}0"))
            conditions.append((col("folder") == lit(folder)) | below)
        if self.side:
            conditions += [col(name) >= lit(self.side) for name in ("width", "height")]
        if self.prompt:
            conditions.append(col("prompt").lower().contains(lit(self.prompt.lower())))
        conditions += [
            col(name) == lit(value) for name in ("preset", "model") if (value := getattr(self, name))
        ]
        if self.seed is not None:
            conditions.append(col("seed") == lit(self.seed))
        if self.owner is not None:
            conditions.append(col("owner") == lit(self.owner))
        if not conditions:
            return None
        whole = conditions[0]
        for condition in conditions[1:]:
            whole = whole & condition
        return whole


def parse_date(text: str) -> datetime:
    """A date such as ``2026-11-23`` (its start in local time) or a date and time. Raises SearchError."""
    try:
        found = datetime.fromisoformat(text.strip())
        found.timestamp()
        return found
    except (ValueError, OverflowError, OSError) as error:
        raise SearchError(
            "“{text}” is not a date: write it as {example} or 2026-11-23T18:30.",
            text=text[:40],
            example=date(2026, 11, 23),
        ) from error


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


EVERYTHING = Filter()

"""What the catalogue lists: an entry for each run, and filters that choose some. Loads no database."""

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from pixgen.errors import StudioError
from pixgen.studio.runs.run import FINAL_STATES
from pixgen.studio.runs.trash import TRASH

Sort = Literal["newest", "oldest", "similarity", "longest", "prompt"]
STATES = ("painting", *FINAL_STATES)  # painting stands for every state that is not final
SORTS: tuple[str, ...] = get_args(Sort)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A run as the catalogue lists it."""

    id: str
    prompt: str
    preset: str
    seed: int
    width: int
    height: int
    state: str
    step: int
    steps: int
    seconds: float
    started: datetime
    similarity: float | None  # to the positive prompts
    parent: str
    owner: str
    favourite: bool
    trashed: bool
    family: str
    tags: tuple[str, ...]

    @classmethod
    def columns(cls) -> list[str]:
        """The columns that ``of`` takes, in order; the first is the id."""
        return [field.name for field in fields(cls) if field.name != "tags"]

    @classmethod
    def of(cls, row: tuple, *, tags: tuple[str, ...]) -> "Entry":
        """An entry from a row of these columns."""
        values = dict(zip(cls.columns(), row, strict=True))
        values["started"] = datetime.fromtimestamp(values["started"]).astimezone()
        values |= {name: bool(values[name]) for name in ("favourite", "trashed")}
        return cls(**values, tags=tags)

    def folder(self, studio: Path) -> Path:
        """The folder of the run within a studio's folder."""
        return (studio / TRASH if self.trashed else studio) / self.id


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs to list, and in which order; empty or None fields match every run.

    Args:
        text: words that must all be in the prompt or the tags.

    Raises StudioError, which lists the allowed values.
    """

    text: str = ""
    preset: str = ""
    state: str = ""  # one of STATES
    tag: str = ""
    favourite: bool = False
    after: datetime | None = None
    before: datetime | None = None
    trashed: bool | None = False
    owner: str | None = None
    family: str = ""
    parent: str = ""
    exclude_seed: int | None = None  # leaves out runs with this seed
    ids: tuple[str, ...] | None = None
    sort: str = "newest"

    def __post_init__(self) -> None:
        if self.sort == "likeness":  # the name in earlier versions
            object.__setattr__(self, "sort", "similarity")
        if self.state and self.state not in STATES:
            raise StudioError(
                "There is no state “{state}”: choose {choices}.",
                state=self.state[:40],
                choices=", ".join(STATES),
            )
        if self.sort not in SORTS:
            raise StudioError(
                "Runs cannot be sorted by “{sort}”: choose {choices}.",
                sort=self.sort[:40],
                choices=", ".join(SORTS),
            )

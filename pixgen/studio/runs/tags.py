"""The tags of a run, and whether it is a favourite; saved as ``marks.json`` in the run's folder."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pixgen.errors import StudioError
from pixgen.studio.storage import write_bytes

MOST_TAGS = 20
LONGEST_TAG = 40
_FILE = "marks.json"


@dataclass(frozen=True)
class RunTags:
    """Whether a run is a favourite, and its tags in alphabetical order."""

    favourite: bool = False
    tags: tuple[str, ...] = ()

    def changed(
        self, *, favourite: bool | None = None, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> "RunTags":
        """The tags after some changes. Raises StudioError if a tag is not allowed, or there are too many."""
        tags = (set(self.tags) - set(map(clean_tag, remove))) | set(map(clean_tag, add))
        if len(tags) > MOST_TAGS:
            raise StudioError("A run may have at most {limit} tags: take one away first.", limit=MOST_TAGS)
        kept = self.favourite if favourite is None else favourite
        return RunTags(kept, tuple(sorted(tags)))

    def save(self, folder: Path) -> None:
        """Write the tags into a run's folder. Raises StorageError."""
        value = {"favourite": self.favourite, "tags": self.tags}
        text = json.dumps(value, ensure_ascii=False) + "\n"
        write_bytes(folder / _FILE, text.encode())


def read_tags(folder: Path) -> RunTags:
    """Read the tags of the run in a folder; empty if there are none, or the file is broken."""
    try:
        kept = json.loads((folder / _FILE).read_text("utf-8"))
        return RunTags(bool(kept["favourite"]), tuple(sorted(map(clean_tag, kept["tags"]))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StudioError):
        return RunTags()


def clean_tag(tag: str) -> str:
    """A tag in its saved form: trimmed, single spaces, lower case. Raises StudioError if it is not allowed."""
    cleaned = " ".join(tag.split()).lower()
    if not cleaned or len(cleaned) > LONGEST_TAG or "," in cleaned or not cleaned.isprintable():
        raise StudioError(
            "The tag “{tag}” is not allowed: write a word or two without a comma, at most {limit} letters.",
            tag=tag[:LONGEST_TAG],
            limit=LONGEST_TAG,
        )
    return cleaned

"""What the Gallery tab does, as plain values; no gradio here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from pixgen.studio.gallery.catalogue_rows import Entry, RunFilter
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.library.library import PictureLibrary
from pixgen.vision.search.filters import parse_date

PAGE = 48  # pictures at once
ASIDE = 24  # pictures in the side bar


@dataclass(frozen=True)
class Shelf:
    """A page of runs: the runs with their thumbnails, and where it is among all that are wanted."""

    entries: list[Entry]
    thumbnails: list[bytes | None]
    page: int
    total: int
    binned: bool
    everything: bool  # whether nothing was asked for

    @property
    def first(self) -> int:
        """The place of its first run among all, from 0 on."""
        return self.page * PAGE

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def to_filter(values: Mapping[str, Any]) -> RunFilter:
    """The runs that the form asks for. Raises StudioError if a value is not allowed, SearchError if a day is none."""
    view = values.get("view") or "all"
    since, until = (_day(values.get(name)) for name in ("since", "until"))
    return RunFilter(
        text=values.get("query") or "",
        preset=values.get("preset") or "",
        state=values.get("state") or "",
        tag=values.get("tag") or "",
        favourite=view == "favourites",
        binned=view == "bin",
        sort=values.get("sort") or "newest",
        after=since,
        before=until and until + timedelta(days=1),
    )


def shelf(
    gallery: Gallery, library: PictureLibrary, values: Mapping[str, Any], *, page: int, owner: str
) -> Shelf:
    """The page of runs that the form asks for; the nearest one if there is no such page."""
    wanted = to_filter(values)
    if values.get("place") == "looks" and wanted.text.strip():
        found = gallery.look(library, wanted.text, wanted, owner=owner)
        total = len(found)
        page = _within(page, total)
        entries = found[page * PAGE : (page + 1) * PAGE]
    else:
        entries = gallery.find(wanted, owner=owner, first=max(0, page) * PAGE, count=PAGE)
        total = gallery.count(wanted, owner=owner)
        if page != (page := _within(page, total)):
            entries = gallery.find(wanted, owner=owner, first=page * PAGE, count=PAGE)
    return Shelf(
        entries,
        gallery.thumbnails(entries),
        page,
        total,
        bool(wanted.binned),
        everything=wanted == RunFilter(sort=wanted.sort),
    )


def newest_runs(gallery: Gallery, text: str, *, owner: str) -> Shelf:
    """The newest runs with these words in their prompts or tags."""
    wanted = RunFilter(text=text)
    entries = gallery.find(wanted, owner=owner, count=ASIDE)
    total = gallery.count(wanted, owner=owner)
    return Shelf(entries, gallery.thumbnails(entries), 0, total, False, everything=not text.strip())


def similar_runs(gallery: Gallery, library: PictureLibrary, text: str, *, owner: str) -> Shelf:
    """The runs whose pictures look most like a text, without those that ``newest_runs`` shows.

    Raises SearchError, ModelError.
    """
    there = {entry.id for entry in gallery.find(RunFilter(text=text), owner=owner, count=ASIDE)}
    found = [
        entry
        for entry in gallery.look(library, text, RunFilter(), owner=owner)[: 2 * ASIDE]
        if entry.id not in there
    ][:ASIDE]
    return Shelf(found, gallery.thumbnails(found), 0, len(found), False, everything=False)


def split_tags(text: str) -> list[str]:
    """Tags from a text with commas."""
    return [tag for tag in text.split(",") if tag.strip()]


def _day(text: Any) -> datetime | None:
    """The beginning of a day, here; None if none is named."""
    text = str(text or "").strip()
    if not text:
        return None
    return datetime.combine(parse_date(text), time())


def _within(page: int, total: int) -> int:
    return min(max(0, page), max(0, -(-total // PAGE) - 1))

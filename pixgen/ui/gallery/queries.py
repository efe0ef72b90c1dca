"""The Gallery tab's form and the queries that it makes; no gradio here."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from typing import Any

from pixgen.errors import StudioError
from pixgen.studio.gallery.entries import Entry, RunFilter
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.library.library import PictureLibrary
from pixgen.vision.search.query import parse_date

PAGE = 48  # pictures at once
SIDE_BAR_PAGE = 24  # pictures in the side bar


@dataclass(frozen=True)
class GalleryForm:
    """The tab's form as typed values, in the order in which the page sends them."""

    query: str = ""
    place: str = "words"  # where to search: "words", or "looks" for the pictures themselves
    view: str = "all"  # or "favourites", "bin"
    sort: str = "newest"
    state: str = ""
    preset: str = ""
    tag: str = ""
    since: str = ""  # days, as the browser's calendar writes them
    until: str = ""

    @classmethod
    def read(cls, values: Sequence[Any]) -> "GalleryForm":
        """From the values of the form's parts; empty ones get their defaults."""
        names = (each.name for each in fields(cls))
        return cls(**{name: value for name, value in zip(names, values, strict=True) if value})


@dataclass(frozen=True)
class RunPage:
    """A page of runs with their thumbnails, and its place among all that match."""

    entries: list[Entry]
    thumbnails: list[bytes | None]
    page: int
    total: int
    trashed: bool
    everything: bool  # whether no filter is set

    @property
    def first(self) -> int:
        """The position of its first run among all, from 0."""
        return self.page * PAGE

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def to_filter(form: GalleryForm) -> RunFilter:
    """The form's filters of runs. Raises StudioError for a value that is not allowed, SearchError for a text
    that is not a day."""
    until = _parse_day(form.until)
    return RunFilter(
        text=form.query,
        preset=form.preset,
        state=form.state,
        tag=form.tag,
        favourite=form.view == "favourites",
        trashed=form.view == "bin",
        sort=form.sort,
        after=_parse_day(form.since),
        before=until and _day_after(until),
    )


def find_page(
    gallery: Gallery, library: PictureLibrary, form: GalleryForm, *, page: int, owner: str
) -> RunPage:
    """A page of the runs that match the form; the nearest one if there is no such page."""
    only = to_filter(form)
    if form.place == "looks" and only.text.strip():
        found = gallery.search(library, only.text, only, owner=owner)
        total = len(found)
        page = _within(page, total)
        entries = found[page * PAGE : (page + 1) * PAGE]
    else:
        entries = gallery.find(only, owner=owner, first=max(0, page) * PAGE, count=PAGE)
        total = gallery.count(only, owner=owner)
        if page != (page := _within(page, total)):
            entries = gallery.find(only, owner=owner, first=page * PAGE, count=PAGE)
    return RunPage(
        entries,
        gallery.thumbnails(entries),
        page,
        total,
        bool(only.trashed),
        everything=only == RunFilter(sort=only.sort),
    )


def newest_runs(gallery: Gallery, text: str, *, owner: str) -> RunPage:
    """The newest runs with these words in their prompts or tags."""
    only = RunFilter(text=text)
    entries = gallery.find(only, owner=owner, count=SIDE_BAR_PAGE)
    total = gallery.count(only, owner=owner)
    return RunPage(entries, gallery.thumbnails(entries), 0, total, False, everything=not text.strip())


def similar_runs(gallery: Gallery, library: PictureLibrary, text: str, *, owner: str) -> RunPage:
    """The runs whose pictures look most like a text, without those that ``newest_runs`` shows.

    Raises SearchError, ModelError.
    """
    there = {entry.id for entry in gallery.find(RunFilter(text=text), owner=owner, count=SIDE_BAR_PAGE)}
    found = [
        entry
        for entry in gallery.search(library, text, RunFilter(), owner=owner)[: 2 * SIDE_BAR_PAGE]
        if entry.id not in there
    ][:SIDE_BAR_PAGE]
    return RunPage(found, gallery.thumbnails(found), 0, len(found), False, everything=False)


def split_runs(text: object) -> list[str]:
    """The ids of runs from a text with commas, each once, at most a page of them. Raises StudioError if there is
    none."""
    found = list(
        dict.fromkeys(each.strip()[:60] for each in str(text or "")[:10_000].split(",") if each.strip())
    )
    if not found:
        raise StudioError("Select pictures first.")
    return found[:PAGE]


def split_tags(text: str) -> list[str]:
    """Tags from a text with commas."""
    return [tag for tag in text.split(",") if tag.strip()]


def _parse_day(text: str) -> datetime | None:
    """The beginning of a day in local time; None for an empty text."""
    if not (text := text.strip()):
        return None
    return datetime.combine(parse_date(text), time())


def _day_after(day: datetime) -> datetime | None:
    """The day after; None after the last that there is."""
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return None


def _within(page: int, total: int) -> int:
    return min(max(0, page), max(0, -(-total // PAGE) - 1))

"""The Search tab's actions: generators of views, each a set of updates; no gradio here."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pixgen.errors import SearchError
from pixgen.studio.library.library import BUNDLED, RUNS, PictureLibrary, SearchFolder
from pixgen.ui.errors import guard_stream
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import read_form_number
from pixgen.ui.search import view as search_view
from pixgen.ui.search.view import Found
from pixgen.vision.images import Skipped
from pixgen.vision.search.indexing import Progress
from pixgen.vision.search.query import Filter, Query, Term, parse_date, parse_query

UPLOADED = "uploaded"  # the form's name for the visitor's uploads
PICTURE = "picture"  # the name of the added picture in a query

_SECONDS_BETWEEN = 0.1  # two views of an indexing

Stopped = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class SearchForm:
    """The tab's form as typed values; None and an empty text mean no filter."""

    query: str = ""
    picture: str | None = None  # the path of the uploaded picture
    place: str = RUNS  # the name of a collection
    top: int = 24  # number of results
    threshold: float = -1.0  # the least cosine
    after: str = ""  # days, as they are typed
    before: str = ""
    folder: str = ""
    side: int = 0  # the least width and height in pixels
    prompt: str = ""  # words of the recipe's prompt, and its other settings
    preset: str = ""
    painted_by: str = ""
    seed: str = ""
    model: str = ""  # the CLIP to search with; empty: the library's

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "SearchForm":
        """From values by the names of the fields, as gradio or a program sends them; None is the default."""
        given = {each.name: values.get(each.name) for each in fields(cls)}
        given = {
            name: value
            for name, value in given.items()
            if value or (value == 0 and name in ("threshold", "seed"))
        }
        for name, kind in (("top", int), ("side", int), ("threshold", float)):
            if name in given:
                given[name] = read_form_number(given[name], kind, name=name)
        for name in ("after", "before", "folder", "prompt", "preset", "painted_by", "seed", "model"):
            if name in given:
                given[name] = str(given[name]).strip()
        return cls(**given)


SEARCH_FIELDS = tuple(each.name for each in fields(SearchForm))


@dataclass(frozen=True)
class View:
    """What changes on the tab; None leaves a part as it is."""

    state: str | None = None  # HTML
    grid: str | None = None  # HTML
    found: tuple[Found, ...] | None = None
    busy: bool | None = None
    failed: bool = False  # whether the request failed


def places(library: PictureLibrary, say: Translator, *, uploaded: bool = False) -> list[tuple[str, str]]:
    """The collections that can be searched, as ``(label, name)``."""
    labels = {RUNS: say("pictures painted here"), BUNDLED: say("bundled drawings")}
    chosen = [(labels.get(name, name), name) for name in library.places]
    return [*chosen, (say("your uploads"), UPLOADED)] if uploaded else chosen


def first_place(library: PictureLibrary) -> str:
    """The default collection: the runs, if the visitor may see them and there are some, else the bundled
    drawings."""
    return RUNS if not library.studio.policy.public and library.has_runs() else BUNDLED


def to_query(text: str, picture: str | None) -> Query:
    """The form's query. ``[picture]`` in the text stands for the uploaded picture; without it, the picture is
    one more term. Raises SearchError, also for a path of the server."""
    terms = parse_query(text) if text.strip() or not picture else ()
    named = [term for term in terms if term.picture]
    if any(term.picture.strip().lower() != PICTURE for term in named):
        raise SearchError(
            "Pictures cannot be given by path on this page: add the picture under “Search by picture” and write [picture], or write \\[ for a bracket."
        )
    if named and not picture:
        raise SearchError("Add the picture that [picture] stands for, under “Search by picture”.")
    if named:
        return tuple(replace(term, picture=picture) if term.picture else term for term in terms)
    return (*terms, Term(picture=picture)) if picture else terms


def to_filter(form: SearchForm) -> Filter:
    """The form's filters of pictures. Raises SearchError."""
    return Filter(
        after=parse_date(form.after) if form.after else None,
        before=parse_date(form.before) if form.before else None,
        folder=form.folder,
        side=form.side,
        prompt=form.prompt,
        preset=form.preset,
        model=form.painted_by,
        seed=_parse_seed(form.seed),
    )


def _parse_seed(text: str) -> int | None:
    """The seed in the form; None for an empty text. Raises SearchError."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise SearchError(
            "The seed “{text}” is not a whole number: write one, or leave the field empty for any seed.",
            text=text[:40],
        ) from None


def search(
    library: PictureLibrary,
    form: SearchForm,
    *,
    uploaded: SearchFolder | None,
    owner: str,
    say: Translator,
    stopped: Stopped = _never,
) -> Iterator[View]:
    """Index new pictures of the collection, search it, show the hits. The first view comes before any work.

    ``stopped`` is polled while new pictures are indexed; the index so far is kept.
    """
    query = to_query(form.query, form.picture)
    only = to_filter(form)
    yield View(state=search_view.state_html(say("Searching"), kind="busy"), busy=True)
    place, last = find_place(library, form, uploaded), None
    yield from _ready(library, place, say=say, stopped=stopped)
    if stopped():
        yield _stopped_view(say)
        return
    due = _throttle()
    with closing(library.refresh_if_stale(place)) as progress:
        for last in progress:
            if stopped():
                yield _stopped_view(say)
                return
            if due(last):
                yield View(state=search_view.indexing_html(say, last))
    hits = library.search(
        place,
        library.embed(query, model=place.model),
        query=query,
        only=only,
        owner=owner,
        top=form.top,
        threshold=form.threshold,
    )
    nothing = (
        say("Paint something first, or choose another collection.")
        if place.name == RUNS
        else say("Try another search, or fewer filters.")
    )
    yield _hits_view([(place, hit) for hit in hits], last, say=say, nothing=nothing)


def like(
    library: PictureLibrary, one: Found, form: SearchForm, *, owner: str, say: Translator
) -> Iterator[View]:
    """Pictures similar to a hit, from the same collection."""
    yield View(state=search_view.state_html(say("Searching"), kind="busy"), busy=True)
    place, hit = one
    vector = library.vector_of(place, hit.row.path, owner=owner)
    hits = library.search(
        place,
        vector,
        only=to_filter(form),
        owner=owner,
        top=form.top,
        threshold=form.threshold,
        without=hit.row.path,
    )
    nothing = say("Try another search, or fewer filters.")
    yield _hits_view([(place, each) for each in hits], None, say=say, nothing=nothing)


def upload(
    library: PictureLibrary,
    paths: Sequence[str] | None,
    *,
    model: str = "",
    say: Translator,
    stopped: Stopped = _never,
) -> Iterator[tuple[View, SearchFolder]]:
    """Store a visitor's pictures and index them. Raises SearchError if none of the files is a picture.

    Stopped, it can be searched already; a search goes on with what is missing.
    """
    skipped: list[Skipped] = []
    if not paths:
        raise SearchError("None of these files is a picture that can be read: choose others.")
    place = library.add_upload([Path(path) for path in paths], model=model, left_out=skipped.append)
    for view in _ready(library, place, say=say, stopped=stopped):
        yield replace(view, busy=True), place
    if stopped():
        yield _stopped_view(say), place
        return
    last, due = Progress(state="finding"), _throttle()
    with closing(library.refresh(place)) as progress:
        for last in progress:
            if stopped():
                yield _stopped_view(say), place
                return
            if due(last):
                yield View(state=search_view.indexing_html(say, last), busy=True), place
    if not last.added:
        raise SearchError("None of these files is a picture that can be read: choose others.")
    ready = search_view.state_html(
        say.ngettext("{count} picture can be searched", "{count} pictures can be searched", last.added),
        kind="done",
    )
    listed = search_view.left_out(say, [*skipped, *last.skipped])
    yield View(state=ready + listed, busy=False), place


def find_place(library: PictureLibrary, form: SearchForm, uploaded: SearchFolder | None) -> SearchFolder:
    """The collection that the form names, with the CLIP to search it with. Raises SearchError."""
    name = form.place
    place = uploaded if name == UPLOADED and uploaded is not None else library.places.get(name)
    if place is None:
        names = ", ".join(library.places)
        raise SearchError(
            "There is no collection “{name}” here: choose {names}.", name=name[:60], names=names
        )
    return replace(place, model=form.model or library.model)


def _ready(
    library: PictureLibrary, place: SearchFolder, *, say: Translator, stopped: Stopped
) -> Iterator[View]:
    """Load the collection's CLIP; yields views of its download."""
    with closing(library.load_model(place, stopped=stopped)) as loading:
        for fetching in loading:
            if fetching is not None:
                yield View(state=search_view.download_html(say, fetching))


def with_errors(views: Iterator[Any], *, say: Translator) -> Iterator[Any]:
    """The same views; an error becomes the last one, and the hits on the page stay."""
    return guard_stream(
        views, say, lambda message: View(state=search_view.error_html(message), busy=False, failed=True)
    )


def _throttle() -> Callable[[Progress], bool]:
    """A filter of progress updates that drops those too soon after the last one."""
    last = 0.0

    def due(progress: Progress) -> bool:
        nonlocal last
        now = time.monotonic()
        if progress.state == "looking" and progress.done and now - last < _SECONDS_BETWEEN:
            return False
        last = now
        return True

    return due


def _stopped_view(say: Translator) -> View:
    return View(
        state=search_view.state_html(
            say("Stopped"), [say("the next search continues from here")], kind="done"
        ),
        busy=False,
    )


def _hits_view(hits: list[Found], last: Progress | None, *, say: Translator, nothing: str) -> View:
    return View(
        state=search_view.result_html(say, hits, last),
        grid=search_view.grid_html(say, hits, nothing=nothing),
        found=tuple(hits),
        busy=False,
    )

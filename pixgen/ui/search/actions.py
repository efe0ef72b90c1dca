"""What the Search tab does, as plain generators of what changes on the screen; no gradio here."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixgen.errors import SearchError
from pixgen.studio.library.library import BUNDLED, RUNS, PictureLibrary, Place
from pixgen.ui.errors import guard_stream
from pixgen.ui.i18n import Translator
from pixgen.ui.search import view as found
from pixgen.ui.search.view import Found
from pixgen.vision.images import Skipped
from pixgen.vision.search.filters import Filter, parse_date
from pixgen.vision.search.indexing import Progress
from pixgen.vision.search.query import Query, Term, parse_query

UPLOADED = "uploaded"  # what the form calls the visitor's own set
PICTURE = "picture"  # what a query calls the picture that was added

_SECONDS_BETWEEN = 0.1  # two views of an indexing

Stopped = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True)
class View:
    """What changes on the tab; None leaves a part as it is."""

    state: str | None = None  # HTML
    grid: str | None = None  # HTML
    found: tuple[Found, ...] | None = None
    busy: bool | None = None
    failed: bool = False  # what was asked for could not be done


def places(library: PictureLibrary, say: Translator, *, uploaded: bool = False) -> list[tuple[str, str]]:
    """``(label, value)`` of what can be searched."""
    labels = {RUNS: say("what was painted here"), BUNDLED: say("drawings that come with pixgen")}
    chosen = [(labels.get(name, name), name) for name in library.places]
    return [*chosen, (say("the pictures you added"), UPLOADED)] if uploaded else chosen


def first_place(library: PictureLibrary) -> str:
    """What is searched as long as nobody has chosen: what was painted here, if that may be seen and
    there is some, else the drawings that come with pixgen."""
    return RUNS if not library.studio.policy.public and library.painted() else BUNDLED


def to_query(text: str, picture: str | None) -> Query:
    """The terms that the form asks for; ``[picture]`` among the words is the picture that was added,
    which else is one more term. Raises SearchError; nobody types paths of the server."""
    terms = parse_query(text) if text.strip() or not picture else ()
    named = [term for term in terms if term.picture]
    if any(term.picture.strip().lower() != PICTURE for term in named):
        raise SearchError(
            "A picture cannot be named by its path on this page: add it below the words and write "
            "[picture], or write \\[ for a bracket."
        )
    if named and not picture:
        raise SearchError("Add the picture that [picture] stands for, below the words.")
    if named:
        return tuple(replace(term, picture=picture) if term.picture else term for term in terms)
    return (*terms, Term(picture=picture)) if picture else terms


def to_filter(values: Mapping[str, Any]) -> Filter:
    """The conditions that the form asks for. Raises SearchError."""
    after, before = ((values.get(name) or "").strip() for name in ("after", "before"))
    return Filter(
        after=parse_date(after) if after else None,
        before=parse_date(before) if before else None,
        folder=(values.get("folder") or "").strip(),
        side=int(values.get("side") or 0),
        prompt=(values.get("said") or "").strip(),
        preset=(values.get("preset") or "").strip(),
        model=(values.get("drawn_by") or "").strip(),
        seed=_seed(values.get("seed")),
    )


def _seed(value: Any) -> int | None:
    """The seed that the form asks for; an empty field asks for none. Raises SearchError."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise SearchError(
            "The seed “{text}” is no whole number: write one, or nothing for any.", text=text[:40]
        ) from None


def search(
    library: PictureLibrary,
    values: Mapping[str, Any],
    *,
    uploaded: Place | None,
    owner: str,
    say: Translator,
    stopped: Stopped = _never,
) -> Iterator[View]:
    """Bring the place up to date, search it, show it. The first view comes before any work.

    ``stopped`` is asked while new pictures are looked at; what was looked at until then is kept.
    """
    query = to_query(values.get("query") or "", values.get("picture"))
    only = to_filter(values)
    yield View(state=found.state_html(say("Searching"), kind="busy"), busy=True)
    place, last = place_of(library, values, uploaded), None
    yield from _ready(library, place, say=say, stopped=stopped)
    if stopped():
        yield _stopped_view(say)
        return
    due = _now_and_then()
    with closing(library.up_to_date(place)) as progress:
        for last in progress:
            if stopped():
                yield _stopped_view(say)
                return
            if due(last):
                yield View(state=found.indexing_html(say, last))
    hits = library.search(
        place,
        library.embed(query, model=place.model),
        only=only,
        owner=owner,
        top=int(values.get("top") or 24),
        threshold=_threshold(values),
    )
    nothing = (
        say("Paint something first, or choose other pictures under “Where”.")
        if place.name == RUNS
        else say("Look for something else, or ask for less.")
    )
    yield _hits_view([(place, hit) for hit in hits], last, say=say, nothing=nothing)


def like(
    library: PictureLibrary, one: Found, values: Mapping[str, Any], *, owner: str, say: Translator
) -> Iterator[View]:
    """More pictures like one that was found, in the same place."""
    yield View(state=found.state_html(say("Searching"), kind="busy"), busy=True)
    place, hit = one
    vector = library.like(place, hit.row.path, owner=owner)
    hits = library.search(
        place,
        vector,
        only=to_filter(values),
        owner=owner,
        top=int(values.get("top") or 24),
        threshold=_threshold(values),
        without=hit.row.path,
    )
    nothing = say("Look for something else, or ask for less.")
    yield _hits_view([(place, each) for each in hits], None, say=say, nothing=nothing)


def _threshold(values: Mapping[str, Any]) -> float:
    """The least cosine that the form asks for; without one, any."""
    given = values.get("threshold")
    return -1.0 if given is None else float(given)


def upload(
    library: PictureLibrary,
    paths: Sequence[str],
    *,
    model: str = "",
    say: Translator,
    stopped: Stopped = _never,
) -> Iterator[tuple[View, Place]]:
    """Keep a visitor's set and index it. Raises SearchError if none of it is a picture.

    Stopped, it can be searched already; a search goes on with what is missing.
    """
    skipped: list[Skipped] = []
    place = library.add_upload([Path(path) for path in paths], model=model, left_out=skipped.append)
    for view in _ready(library, place, say=say, stopped=stopped):
        yield replace(view, busy=True), place
    if stopped():
        yield _stopped_view(say), place
        return
    last, due = Progress(state="finding"), _now_and_then()
    with closing(library.refresh(place)) as progress:
        for last in progress:
            if stopped():
                yield _stopped_view(say), place
                return
            if due(last):
                yield View(state=found.indexing_html(say, last), busy=True), place
    if not last.added:
        raise SearchError("None of these files is a picture that can be read: choose others.")
    ready = found.state_html(
        say.ngettext("{count} picture can be searched", "{count} pictures can be searched", last.added),
        kind="done",
    )
    listed = found.left_out(say, [*skipped, *last.skipped])
    yield View(state=ready + listed, busy=False), place


def place_of(library: PictureLibrary, values: Mapping[str, Any], uploaded: Place | None) -> Place:
    """The place that the form names, with the model that is to look. Raises SearchError."""
    name, model = values.get("place") or RUNS, (values.get("model") or "").strip()
    place = uploaded if name == UPLOADED and uploaded is not None else library.places.get(name)
    if place is None:
        names = ", ".join(library.places)
        raise SearchError(
            "There is no collection “{name}” here: choose {names}.", name=name[:60], names=names
        )
    return replace(place, model=model or library.model)


def _ready(library: PictureLibrary, place: Place, *, say: Translator, stopped: Stopped) -> Iterator[View]:
    """Load what looks at a place, and show how far its download is."""
    with closing(library.ready(place, stopped=stopped)) as loading:
        for fetching in loading:
            if fetching is not None:
                yield View(state=found.download_html(say, fetching))


def with_errors(views: Iterator[Any], *, say: Translator) -> Iterator[Any]:
    """The same views; an error that ends them becomes the last one. What was found stays."""
    return guard_stream(
        views, say, lambda message: View(state=found.error_html(message), busy=False, failed=True)
    )


def _now_and_then() -> Callable[[Progress], bool]:
    """Says which progress to show: all but those that follow another one too soon to be seen."""
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
        state=found.state_html(say("Stopped"), [say("the next search goes on from here")], kind="done"),
        busy=False,
    )


def _hits_view(hits: list[Found], last: Progress | None, *, say: Translator, nothing: str) -> View:
    return View(
        state=found.result_html(say, hits, last),
        grid=found.grid_html(say, hits, nothing=nothing),
        found=tuple(hits),
        busy=False,
    )

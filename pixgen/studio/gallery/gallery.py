"""A studio's runs as a person goes through them: found, opened, marked, thrown away and taken back."""

import io
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from pixgen.errors import PictureError, StudioError
from pixgen.images import open_picture
from pixgen.studio.gallery.catalogue import Catalogue
from pixgen.studio.gallery.catalogue_rows import Entry, RunFilter
from pixgen.studio.runs import trash as paper_bin
from pixgen.studio.runs.curve import Curve
from pixgen.studio.runs.run import ENDED, Run, read_run
from pixgen.studio.runs.tags import RunTags, read_tags
from pixgen.studio.studio import Studio
from pixgen.vision.images import READER_THREADS, map_in_threads
from pixgen.vision.search.query import parse_query

if TYPE_CHECKING:
    from pixgen.studio.library.library import PictureLibrary

THUMBNAIL = 256  # pixels of the longer side
MOST_LIKENESSES = 300  # runs that a search by looks may find
_QUALITY = 78  # of a thumbnail's WebP
_MOST_RELATIVES = 60


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """A run with all that belongs to it."""

    run: Run
    entry: Entry
    curve: Curve
    parents: tuple[Entry, ...]  # the nearest first
    children: tuple[Entry, ...]
    siblings: tuple[Entry, ...]  # of the same recipe but for the seed


class Gallery:
    """The runs of a studio. Any thread may call any method.

    ``owner`` is who asks: in public, nobody sees or touches another's runs. Methods that name runs raise
    StudioError if there is no such run for that person, and all raise StorageError if the folder cannot
    be written.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.catalogue = Catalogue(studio.folder, read=studio.run)
        self._lock = threading.Lock()  # of what is said about runs, and of the bin

    def find(
        self, wanted: RunFilter, *, owner: str = "", first: int = 0, count: int | None = None
    ) -> list[Entry]:
        """The runs that are wanted, in the wanted order, from the ``first`` on."""
        self.catalogue.synchronise()
        return self.catalogue.find(self._allowed(wanted, owner), first=first, count=count)

    def count(self, wanted: RunFilter, *, owner: str = "") -> int:
        """How many runs are wanted, as of the last ``find``."""
        return self.catalogue.count(self._allowed(wanted, owner))

    def values(self, field: str, *, owner: str = "", binned: bool = False) -> dict[str, int]:
        """What there is of ``preset``, ``state`` or ``tag``, and how often, as of the last ``find``."""
        return self.catalogue.values(field, self._allowed(RunFilter(binned=binned), owner))

    def look(self, finder: "PictureLibrary", text: str, wanted: RunFilter, *, owner: str = "") -> list[Entry]:
        """The wanted runs whose pictures look most like a text, the likest first.

        The text is a query of the search, ``horse + 2:snow - rider``. Raises SearchError, ModelError.
        """
        from pixgen.studio.library.library import RUNS  # here: it loads the vectors' database

        query = parse_query(text)
        if any(term.picture for term in query):
            raise StudioError("Runs are looked for by words here: use the search for pictures.")
        place = finder.places[RUNS]
        for _ in finder.up_to_date(place):
            pass
        hits = finder.search(place, finder.embed(query), owner=owner, top=MOST_LIKENESSES, fold=False)
        ranks = {hit.row.path.partition("/")[0]: rank for rank, hit in enumerate(hits)}
        found = self.find(replace(wanted, text="", ids=tuple(ranks)), owner=owner)
        return sorted(found, key=lambda entry: ranks[entry.id])

    def open(self, run_id: str, *, owner: str = "") -> RunDetails:
        """A run with its curve and its relatives."""
        entry = self.entry(run_id, owner=owner)
        parents: list[Entry] = []
        while len(parents) < _MOST_RELATIVES:
            parent = self._relatives(RunFilter(ids=((parents or [entry])[-1].parent,), binned=None), owner)
            if not parent or parent[0].id in {entry.id, *(each.id for each in parents)}:
                break
            parents += parent
        siblings = self._relatives(RunFilter(family=entry.family, but_seed=entry.seed, sort="oldest"), owner)
        run = self._run(entry)
        return RunDetails(
            run=run,
            entry=entry,
            curve=Curve.read(run.curve),
            parents=tuple(parents),
            children=tuple(self._relatives(RunFilter(parent=entry.id, sort="oldest"), owner)),
            siblings=tuple(siblings),
        )

    def entry(self, run_id: str, *, owner: str = "") -> Entry:
        """The run of that id as it is listed, in the bin or not."""
        found = self.find(RunFilter(ids=(run_id,), binned=None), owner=owner)
        if not found:
            raise StudioError("There is no run “{run_id}”.", run_id=run_id[:60])
        return found[0]

    def mark(
        self,
        run_id: str,
        *,
        owner: str = "",
        favourite: bool | None = None,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> RunTags:
        """Say whether a run is a favourite, and add or take away tags; what it has then."""
        folder = self.entry(run_id, owner=owner).folder(self.studio.folder)
        with self._lock:
            marks = read_tags(folder).changed(favourite=favourite, add=add, remove=remove)
            marks.save(folder)
        return marks

    def delete(self, run_id: str, *, owner: str = "") -> None:
        """Move a run into the bin, from where ``restore`` takes it back. Raises StudioError if it is
        being painted."""
        entry = self.entry(run_id, owner=owner)
        with self._lock:
            if not entry.binned:
                paper_bin.move_to_trash(entry.folder(self.studio.folder))

    def restore(self, run_id: str, *, owner: str = "") -> None:
        """Take a run back out of the bin."""
        entry = self.entry(run_id, owner=owner)
        with self._lock:
            if entry.binned:
                paper_bin.restore(self.studio.folder, run_id)

    def empty(self, *, owner: str = "") -> int:
        """Remove the files of every run in the bin, for good; how many there were."""
        thrown_away = self.find(RunFilter(binned=True), owner=owner)
        with self._lock:
            for entry in thrown_away:
                paper_bin.delete(entry.folder(self.studio.folder))
        return len(thrown_away)

    def thumbnails(self, entries: Sequence[Entry]) -> list[bytes | None]:
        """A small WebP of each run's picture, made once; None where nothing has been painted yet."""
        times = {entry.id: self._picture_time(entry) for entry in entries}
        shown = self.catalogue.thumbnails((each, time) for each, time in times.items() if time)
        missing = [entry for entry in entries if entry.id not in shown]
        for entry, small in zip(
            missing, map_in_threads(self._small, missing, ahead=READER_THREADS), strict=True
        ):
            if small is not None:
                shown[entry.id] = small
        # While a run is painted, its next picture comes soon.
        made = [
            (entry.id, time, shown[entry.id])
            for entry in missing
            if entry.id in shown and (time := times[entry.id]) and entry.state in ENDED
        ]
        if made:
            self.catalogue.keep_thumbnails(made)
        return [shown.get(entry.id) for entry in entries]

    def _picture_time(self, entry: Entry) -> int | None:
        try:
            return self._picture(entry).stat().st_mtime_ns
        except OSError:
            return None

    def _picture(self, entry: Entry) -> Path:
        return entry.folder(self.studio.folder) / "picture.png"

    def _small(self, entry: Entry) -> bytes | None:
        job = self.studio.job(entry.id)
        try:
            picture = open_picture(self._picture(entry))
        except PictureError:  # not saved yet
            frame = None if job is None else job.frame
            if frame is None:
                return None
            picture = Image.fromarray(frame.picture)
        picture.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC, reducing_gap=2.0)
        data = io.BytesIO()
        picture.save(data, "WEBP", quality=_QUALITY, method=2)
        return data.getvalue()

    def _run(self, entry: Entry) -> Run:
        if entry.binned:
            return read_run(self.studio.folder / paper_bin.FOLDER, entry.id)
        return self.studio.run(entry.id)

    def _relatives(self, wanted: RunFilter, owner: str) -> list[Entry]:
        return self.catalogue.find(self._allowed(wanted, owner), count=_MOST_RELATIVES)

    def _allowed(self, wanted: RunFilter, owner: str) -> RunFilter:
        return replace(wanted, owner=owner) if self.studio.policy.public else wanted

"""The gallery of a studio: finds, opens, tags, deletes and restores runs."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from pixgen.errors import PictureError, StorageError, StudioError
from pixgen.images import open_picture
from pixgen.studio.gallery.catalogue import Catalogue
from pixgen.studio.gallery.entries import Entry, RunFilter
from pixgen.studio.runs.curve import Curve
from pixgen.studio.runs.run import FINAL_STATES, Run, RunTags, folder_lock, read_run, read_tags
from pixgen.studio.runs.trash import TRASH, move_to_trash, remove_run, restore_from_trash
from pixgen.studio.studio import Studio
from pixgen.vision.images import READER_THREADS, map_in_threads
from pixgen.vision.search.query import parse_query

if TYPE_CHECKING:
    from pixgen.studio.library.library import PictureLibrary

THUMBNAIL = 256  # pixels of the longer side
MAX_SIMILAR = 300  # runs that a search by similarity can return
_QUALITY = 78  # of a thumbnail's WebP
_MOST_RELATIVES = 60


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """A run with its curve and its related runs."""

    run: Run
    entry: Entry
    curve: Curve
    parents: tuple[Entry, ...]  # the nearest first
    children: tuple[Entry, ...]
    siblings: tuple[Entry, ...]  # the same recipe with other seeds


class Gallery:
    """The runs of a studio. Any thread may call any method.

    ``owner`` is the person who asks: on a public page, nobody can see or change the runs of others.
    Methods that take a run id raise StudioError if that person has no such run, and all raise StorageError
    if the folder or the catalogue cannot be written. Raises StudioError if there is no catalogue at the studio's
    address.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio, self._store = studio, studio.store
        self.catalogue = Catalogue(studio.folder, read=studio.read_run, address=studio.catalogue)
        studio.on_close(self.catalogue.close)

    def synchronise(self) -> None:
        """Update the catalogue from the storage, if there is one, and the folder."""
        if self._store is not None:
            self._store.pull()
        self.catalogue.synchronise()

    def find(
        self, run_filter: RunFilter, *, owner: str = "", first: int = 0, count: int | None = None
    ) -> list[Entry]:
        """The runs that match a filter, in its order, from number ``first`` on."""
        self.synchronise()
        return self.catalogue.find(self._restrict_to_owner(run_filter, owner), first=first, count=count)

    def count(self, run_filter: RunFilter, *, owner: str = "") -> int:
        """How many runs match a filter, as of the last ``find``."""
        return self.catalogue.count(self._restrict_to_owner(run_filter, owner))

    def values(self, field: str, *, owner: str = "", trashed: bool = False) -> dict[str, int]:
        """The values of ``preset``, ``state`` or ``tag`` with their counts, as of the last ``find``."""
        return self.catalogue.values(field, self._restrict_to_owner(RunFilter(trashed=trashed), owner))

    def search(
        self, finder: "PictureLibrary", text: str, run_filter: RunFilter, *, owner: str = ""
    ) -> list[Entry]:
        """The matching runs whose pictures are most similar to a text, most similar first.

        Args:
            text: a search query, such as ``horse + snow :2 - rider``.

        Raises SearchError, ModelError.
        """
        from pixgen.studio.library.library import RUNS  # here: it loads the vectors' database

        query = parse_query(text)
        if any(term.picture for term in query):
            raise StudioError(
                "The gallery is searched by text only: to search by picture, use the Search tab."
            )
        place = finder.places[RUNS]
        for _ in finder.refresh_if_stale(place):
            pass
        hits = finder.search(
            place, finder.embed(query), query=query, owner=owner, top=MAX_SIMILAR, fold=False
        )
        ranks = {hit.row.path.partition("/")[0]: rank for rank, hit in enumerate(hits)}
        found = self.find(replace(run_filter, text="", ids=tuple(ranks)), owner=owner)
        return sorted(found, key=lambda entry: ranks[entry.id])

    def open(self, run_id: str, *, owner: str = "") -> RunDetails:
        """A run with its curve and its related runs."""
        entry = self.entry(run_id, owner=owner)
        parents: list[Entry] = []
        while len(parents) < _MOST_RELATIVES:
            parent = self._relatives(RunFilter(ids=((parents or [entry])[-1].parent,), trashed=None), owner)
            if not parent or parent[0].id in {entry.id, *(each.id for each in parents)}:
                break
            parents += parent
        siblings = self._relatives(
            RunFilter(family=entry.family, exclude_seed=entry.seed, sort="oldest"), owner
        )
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
        """The entry of a run, in the trash or not."""
        found = self.find(RunFilter(ids=(run_id,), trashed=None), owner=owner)
        if not found:
            raise StudioError("There is no run “{run_id}”.", run_id=run_id[:60])
        return found[0]

    def update_tags(
        self,
        run_id: str,
        *,
        owner: str = "",
        favourite: bool | None = None,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> RunTags:
        """Set whether a run is a favourite, and add or remove tags; returns the new tags."""
        folder = self.entry(run_id, owner=owner).folder(self.studio.folder)
        with folder_lock(self.studio.folder):
            run_tags = read_tags(folder).changed(favourite=favourite, add=add, remove=remove)
            run_tags.save(folder)
        self._copy_soon()
        return run_tags

    def delete(self, run_id: str, *, owner: str = "") -> None:
        """Move a run to the trash; ``restore`` moves it back. Raises StudioError if it is being painted."""
        entry = self.entry(run_id, owner=owner)
        if not entry.trashed:
            move_to_trash(entry.folder(self.studio.folder))
            self._copy_soon()

    def restore(self, run_id: str, *, owner: str = "") -> None:
        """Move a run out of the trash."""
        entry = self.entry(run_id, owner=owner)
        if entry.trashed:
            restore_from_trash(self.studio.folder, run_id)
            self._copy_soon()

    def empty_trash(self, *, owner: str = "") -> int:
        """Delete every run in the trash permanently; returns how many there were."""
        trashed = self.find(RunFilter(trashed=True), owner=owner)
        return sum(map(self.remove, trashed))

    def remove(self, entry: Entry) -> bool:
        """Delete a run permanently, in the trash or not; returns whether it was still there. Raises StudioError if it is
        being painted."""
        folder = entry.folder(self.studio.folder)
        if self._store is not None:
            found = folder.is_dir()
            self._store.delete(entry.id)
            return found
        return remove_run(folder)

    def thumbnails(self, entries: Sequence[Entry]) -> list[bytes | None]:
        """A WebP thumbnail per entry, made once and cached; None where nothing has been painted yet."""
        times = {entry.id: self._picture_time(entry) for entry in entries}
        shown = self.catalogue.thumbnails((each, time) for each, time in times.items() if time)
        missing = [entry for entry in entries if entry.id not in shown]
        for entry, small in zip(
            missing, map_in_threads(self._make_thumbnail, missing, ahead=READER_THREADS), strict=True
        ):
            if small is not None:
                shown[entry.id] = small
        # Thumbnails of running jobs are not cached: their next picture comes soon.
        made = [
            (entry.id, time, shown[entry.id])
            for entry in missing
            if entry.id in shown and (time := times[entry.id]) and entry.state in FINAL_STATES
        ]
        if made:
            self.catalogue.keep_thumbnails(made)
        return [shown.get(entry.id) for entry in entries]

    def _picture_time(self, entry: Entry) -> int | None:
        try:
            return self._picture(entry).stat().st_mtime_ns
        except OSError:
            if self._store is None:
                return None
            stored = self._store.picture_of(self._picture(entry).parent)
            return None if stored is None else stored.modified

    def _picture(self, entry: Entry) -> Path:
        return entry.folder(self.studio.folder) / "picture.png"

    def _make_thumbnail(self, entry: Entry) -> bytes | None:
        job = self.studio.job(entry.id)
        try:
            if self._store is not None:
                self._store.fetch(entry.id, "picture.png")
            picture = open_picture(self._picture(entry))
        except (PictureError, StorageError):  # not saved yet, or the storage does not answer
            frame = None if job is None else job.frame
            if frame is None:
                return None
            picture = Image.fromarray(frame.picture)
        picture.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC, reducing_gap=2.0)
        data = io.BytesIO()
        picture.save(data, "WEBP", quality=_QUALITY, method=2)
        return data.getvalue()

    def _run(self, entry: Entry) -> Run:
        if entry.trashed:
            if self._store is not None:
                self._store.fetch(entry.id)
            return read_run(self.studio.folder / TRASH, entry.id)
        return self.studio.run(entry.id)

    def _copy_soon(self) -> None:
        if self._store is not None:
            self._store.wake()

    def _relatives(self, run_filter: RunFilter, owner: str) -> list[Entry]:
        return self.catalogue.find(self._restrict_to_owner(run_filter, owner), count=_MOST_RELATIVES)

    def _restrict_to_owner(self, run_filter: RunFilter, owner: str) -> RunFilter:
        return replace(run_filter, owner=owner) if self.studio.policy.public else run_filter

"""Picture search with a studio's device and models: its runs, the bundled drawings and named folders."""

import logging
import math
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from pixgen.errors import PictureError, PixgenError, SearchError, StorageError, StudioError
from pixgen.images import open_picture
from pixgen.models.catalog import available_clips
from pixgen.models.progress import DownloadProgress
from pixgen.models.vocabulary import split_words
from pixgen.paths import ASSETS, expand
from pixgen.studio.library.uploads import is_upload, keep_upload, old_uploads
from pixgen.studio.model_cache import load_in_background
from pixgen.studio.runs.run import is_locked, read_run, run_folders
from pixgen.studio.studio import Studio
from pixgen.translation import needs_english
from pixgen.vision.images import PictureFile, Skipped, find_pictures
from pixgen.vision.search.collection import MOST_HITS, Collection, Hit, Row, find_nearest
from pixgen.vision.search.indexing import (
    MODEL_BATCH,
    EmbeddedFile,
    Progress,
    Reader,
    index_pictures,
    read_files,
)
from pixgen.vision.search.library import Library, default_name, legacy_name
from pixgen.vision.search.query import EVERYTHING, Filter, Query, embed_query, in_english

if TYPE_CHECKING:
    from PIL import Image

    from pixgen.models import Perceptor
    from pixgen.studio.jobs import Job
    from pixgen.studio.store.store import RunStore

log = logging.getLogger(__name__)

RUNS = "runs"  # the collection of the studio's pictures
BUNDLED = "bundled"  # the collection of the bundled drawings
DRAWINGS = ASSETS / "drawings"
_TOP = 20  # hits
_CANDIDATES = 200  # hits of which the captions are compared
_CAPTION_SHARE = 0.25  # of a whole match, in cosines: as much as separates a fox from a dog
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "with",
        "and",
        "or",
        "by",
        "to",
        "from",
        "for",
        "is",
        "are",
        "its",
        "it",
    ]
)
_FRESH = 600.0  # seconds for which a folder is not scanned again


@dataclass(frozen=True)
class SearchFolder:
    """A folder of searchable pictures: its collection's name, its path, and the CLIP model of its vectors."""

    name: str
    folder: Path
    model: str


class PictureLibrary:
    """Indexes and searches pictures, taking turns with running jobs.

    Args:
        roots: folders that may be searched besides the studio's runs and the bundled drawings.
        address: where vectors are saved, a folder or the URL of an object store; by default
            ``$PIXGEN_LIBRARY``, else ``library`` in the studio's folder.
        model: the default CLIP model; by default the first available one.

    Any thread may call any method. Raises SearchError if a root is not a folder, or two have the
    same name.
    """

    def __init__(
        self,
        studio: Studio,
        *,
        roots: Sequence[Path] = (),
        address: str | Path | None = None,
        model: str | None = None,
    ) -> None:
        self.studio, self.model = studio, model or available_clips()[0]
        address = address or os.environ.get("PIXGEN_LIBRARY") or studio.folder / "library"
        self.library = Library(address if "://" in str(address) else expand(address))
        self._uploads = studio.folder / "uploads"
        self._lock = threading.Lock()
        self._refreshing: set[SearchFolder] = set()
        self._refreshed_at: dict[SearchFolder, float] = {}  # by time.monotonic()
        folders = {RUNS: studio.folder, BUNDLED: DRAWINGS}
        self.places = {name: SearchFolder(name, each, self.model) for name, each in folders.items()}
        for root in roots:
            self.add(root)

    def add(self, folder: Path, *, name: str | None = None) -> SearchFolder:
        """Add a searchable folder, by default under its own name. Raises SearchError."""
        folder = expand(folder)
        if not folder.is_dir():
            raise SearchError("There is no folder “{folder}”: check its name.", folder=folder.name or folder)
        place = SearchFolder(name or self._name_for(folder), folder.resolve(), self.model)
        if self.places.get(place.name, place) != place:
            raise SearchError(
                "Two folders cannot both be the collection “{name}”: name one with --collection, or "
                "rename it.",
                name=place.name,
            )
        self.places[place.name] = place
        return place

    def _name_for(self, folder: Path) -> str:
        """The collection name of a folder; an existing collection keeps the name that an earlier version gave it."""
        name, old = default_name(folder), legacy_name(folder)
        if name == old or not self.library.exists():
            return name
        sources = {each.name: each.source for each in self.library.collections()}
        return old if name not in sources and sources.get(old) == str(folder.resolve()) else name

    def add_upload(
        self,
        paths: Sequence[Path],
        *,
        model: str = "",
        left_out: Callable[[Skipped], object] = lambda each: None,
    ) -> SearchFolder:
        """Add an upload of pictures or zips; only those who know its secret name can search it.

        Deletes uploads that are older than a day, or too many.

        Args:
            left_out: called with each file that cannot be read.

        Raises PixgenError.
        """
        folder = keep_upload(paths, self._uploads, left_out=left_out)
        for old in old_uploads(self._uploads):
            self.library.remove(old.name)
            shutil.rmtree(old, ignore_errors=True)
        return SearchFolder(folder.name, folder, model or self.model)

    def refresh_if_stale(self, place: SearchFolder) -> Iterator[Progress]:
        """``refresh`` a folder, unless that is running, here or on another page of the studio's folder, or was done
        in the last ten minutes.

        The studio's own runs are always scanned, which is fast.
        """
        with self._lock:
            lately = self._refreshed_at.get(place, -math.inf) + _FRESH > time.monotonic()
            if place in self._refreshing or (lately and place.name != RUNS):
                return
            self._refreshing.add(place)
        try:
            with self._indexing(place) as free:
                if free:
                    yield from self.refresh(place)
                    self._refreshed_at[place] = time.monotonic()
        finally:
            self._refreshing.discard(place)

    @contextmanager
    def _indexing(self, place: SearchFolder) -> Iterator[bool]:
        """Keep other pages from indexing the same folder; false if one of them does at this moment."""
        if is_upload(place.name):  # which one visitor has
            yield True
            return
        # A generator may be closed by another thread than it began on.
        lock = FileLock(self.studio.folder / f".{place.name}.lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        except OSError:  # a folder that cannot be written has no other page that writes
            pass
        try:
            yield True
        finally:
            lock.release()

    def follow(self) -> None:
        """From now on, index every picture of the studio when its job ends."""

        def index_it(job: "Job") -> None:
            if not job.run.picture.is_file():
                return
            try:
                for _ in self.refresh_if_stale(self.places[RUNS]):
                    pass
            except PixgenError as error:
                log.info("not indexed yet: %s", error)  # the next search indexes it, or reports the error

        self.studio.on_job_end(index_it)

    def has_runs(self) -> bool:
        """Whether there is any finished run."""
        return any(True for _ in self._finished_runs())

    def refresh(self, place: SearchFolder, *, reader: Reader | None = None) -> Iterator[Progress]:
        """Update a folder's collection from its files. Raises SearchError, ModelError.

        Args:
            reader: as for ``index_pictures``.
        """
        perceptor = self._perceptor(place.model)
        own = place.name == RUNS
        with self.studio.exclusive():
            dimensions = _dimensions(perceptor)
        if place.name in (RUNS, BUNDLED):
            self._remove_if_moved(place)
        collection = self.library.create(
            place.name, place.model, dimensions=dimensions, source=self._source(place)
        )
        files = self._finished_runs() if own else find_pictures(place.folder)
        more: dict[str, Any] = {"facts": partial(_run_facts, place.folder)} if own else {}
        if own and self.studio.store is not None:
            reader = partial(_fetch_first, self.studio.store, reader or self._reader(perceptor))
        return index_pictures(
            collection,
            files,
            perceptor,
            folder=place.folder,
            turn=self.studio.exclusive,
            reader=reader,
            **more,
        )

    def _reader(self, perceptor: "Perceptor") -> Reader:
        return partial(read_files, perceptor, turn=self.studio.exclusive)

    def list_indexed(self) -> list[SearchFolder]:
        """Every folder that has been indexed with this model, also by other processes."""
        return [
            self.places[RUNS] if each.name == RUNS else SearchFolder(each.name, Path(each.source), each.model)
            for each in self.library.collections()
            if each.model == self.model and not is_upload(each.name)
        ]

    def collection(self, place: SearchFolder) -> Collection:
        """The collection of a folder. Raises SearchError if it has not been indexed."""
        return self.library.open(place.name, place.model)

    def load_model(
        self, place: SearchFolder, *, stopped: Callable[[], object] = lambda: False
    ) -> Iterator[DownloadProgress | None]:
        """Load the CLIP model of a folder and yield the download progress, as ``load_in_background`` does.
        Raises ModelError, RecipeError if the model is not allowed here."""
        return load_in_background(lambda: self._perceptor(place.model), stopped=stopped)

    def embed(
        self,
        query: Query,
        *,
        model: str = "",
        open_term: Callable[[str], "Image.Image"] = open_picture,
    ) -> np.ndarray:
        """The unit vector ``(D,)`` of a query.

        Args:
            model: the CLIP model; by default the library's.
            open_term: opens a picture that a term names.

        Raises SearchError, PictureError, ModelError.
        """
        name = model or self.model
        perceptor = self._perceptor(name)
        if needs_english([name]):
            query = in_english(query)
        with self.studio.exclusive():
            return embed_query(query, perceptor, open_term=open_term)

    def vector_of(self, place: SearchFolder, path: str, *, owner: str = "") -> np.ndarray:
        """The unit vector ``(D,)`` of an indexed picture. Raises SearchError if it is gone."""
        vector = self.collection(place).vector(path, only=self._restrict_to_owner(EVERYTHING, place, owner))
        if vector is None:
            raise SearchError("That picture no longer exists: search again.")
        return vector

    def search(
        self,
        place: SearchFolder,
        vector: np.ndarray,
        *,
        only: Filter = EVERYTHING,
        owner: str = "",
        query: Query = (),
        **how: Any,
    ) -> list[Hit]:
        """The pictures of a folder that match a unit vector best.

        Args:
            owner: who asks; on a public page, nobody finds the runs of others.
            query: whose texts also count where a picture's caption holds their words: the prompt of a run, the
                name of a bundled drawing. It decides the order; a hit's similarity stays the cosine.
            how: further arguments of ``pixgen.vision.search.collection.find_nearest``.

        Raises SearchError.
        """
        only = self._restrict_to_owner(only, place, owner)
        collection, top = self.collection(place), how.pop("top", _TOP)
        captioned = place.name in (RUNS, BUNDLED) and any(term.text for term in query)
        if not captioned or not 1 <= top <= MOST_HITS:
            return find_nearest(collection, vector, only=only, top=top, **how)
        if needs_english([place.model]):
            query = in_english(query)
        hits = find_nearest(
            collection, vector, only=only, top=min(MOST_HITS, max(_CANDIDATES, 3 * top)), **how
        )
        return sorted(
            hits, key=lambda hit: -hit.similarity - _CAPTION_SHARE * _caption_match(query, hit.row)
        )[:top]

    def find_file(self, place: SearchFolder, path: str) -> Path:
        """The file of a search hit. Raises PictureError if it is gone, or now links outside the folder."""
        found = place.folder / path
        if self.studio.store is not None and place.name == RUNS:
            self.studio.store.fetch(path.partition("/")[0], "picture.png")
        try:
            if found.resolve().is_relative_to(place.folder.resolve()) and found.is_file():
                return found
        except (OSError, ValueError, RuntimeError):
            pass  # not a valid path
        raise PictureError("“{name}” no longer exists: index its folder again.", name=Path(path).name)

    def _perceptor(self, model: str) -> "Perceptor":
        """The CLIP model with this name, if it is allowed here. Raises RecipeError, ModelError."""
        self.studio.policy.check_model(model)
        return self.studio.perceptor((model,))

    def _remove_if_moved(self, place: SearchFolder) -> None:
        """Remove a collection whose folder has moved, so that it is indexed again."""
        known = [each for each in self.library.collections() if each.name == place.name]
        if any(each.source != self._source(place) for each in known):
            self.library.remove(place.name)

    def _source(self, place: SearchFolder) -> str:
        """What a collection is indexed from: pages with folders of their own share the runs of a storage."""
        store = self.studio.store
        return store.address if store is not None and place.name == RUNS else str(place.folder)

    def _restrict_to_owner(self, only: Filter, place: SearchFolder, owner: str) -> Filter:
        own = self.studio.policy.public and place.name == RUNS
        return replace(only, owner=owner) if own else only

    def _finished_runs(self) -> Iterator[PictureFile]:
        """The picture of every run that is not being painted; those of a storage are fetched if they are not indexed."""
        store = self.studio.store
        for folder in run_folders(self.studio.folder):
            try:
                facts = (folder / "picture.png").lstat()
            except OSError:
                if store is not None and (stored := store.picture_of(folder)) and not is_locked(folder):
                    yield PictureFile(f"{folder.name}/picture.png", stored.size, stored.modified)
                continue
            if stat.S_ISREG(facts.st_mode) and not is_locked(folder):
                yield PictureFile(f"{folder.name}/picture.png", facts.st_size, facts.st_mtime_ns)


def _fetch_first(
    store: "RunStore", reader: Reader, wanted: Sequence[tuple[PictureFile, str]], folder: Path
) -> Iterator[list[EmbeddedFile]]:
    """As ``reader``, of pictures that may have to come from a storage first: a piece at a time, so that few wait."""
    for start in range(0, len(wanted), MODEL_BATCH):
        piece = wanted[start : start + MODEL_BATCH]
        for found, _sha256 in piece:
            with suppress(StorageError):  # it is skipped, and looked for again with the next search
                store.fetch(found.path.partition("/")[0], "picture.png")
        yield from reader(piece, folder)


def _caption_match(query: Query, row: Row) -> float:
    """How far the words of a query's texts are in a picture's caption, from -1 to 1 by the terms' weights."""
    caption = set(split_words(row.prompt or Path(row.path).stem.replace("-", " ")))
    texts = [(term.weight, set(split_words(term.text)) - _SMALL_WORDS) for term in query if term.text]
    matched = [(weight, len(words & caption) / len(words)) for weight, words in texts if words]
    return sum(weight * share for weight, share in matched) / (
        sum(abs(weight) for weight, _ in matched) or 1.0
    )


def _dimensions(perceptor: "Perceptor") -> int:
    """The dimension of a perceptor's vectors."""
    import torch

    with torch.no_grad():
        return perceptor.embed_texts([""]).shape[-1]


def _run_facts(studio: Path, found: PictureFile) -> Mapping[str, Any]:
    """The facts of a run to index beside its picture; empty if its files are incomplete."""
    try:
        run = read_run(studio, found.path.partition("/")[0])
    except StudioError:
        return {}
    recipe = run.recipe
    return {
        "prompt": recipe.prompt.encode("utf-8", "replace").decode(),
        "preset": recipe.preset,
        "model": recipe.model,
        "seed": recipe.seed,
        "owner": run.owner,
    }

"""A studio's pictures and folders, kept searchable: own runs as they finish, and folders named at start."""

import logging
import math
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pixgen.errors import PictureError, PixgenError, SearchError, StudioError
from pixgen.images import open_picture
from pixgen.models.catalog import available_clips
from pixgen.models.progress import DownloadProgress
from pixgen.paths import ASSETS, expand
from pixgen.studio.library.uploads import is_upload, keep_upload, old_uploads
from pixgen.studio.loading import while_loading
from pixgen.studio.runs.lock import is_locked
from pixgen.studio.runs.run import read_run, run_folders
from pixgen.studio.studio import Studio
from pixgen.vision.images import PictureFile, Skipped, find_pictures
from pixgen.vision.search.collection import Collection
from pixgen.vision.search.filters import EVERYTHING, Filter
from pixgen.vision.search.indexing import Progress, index_pictures
from pixgen.vision.search.library import Library, default_name, legacy_name
from pixgen.vision.search.query import Query, embed_query
from pixgen.vision.search.search import Hit, find_nearest

if TYPE_CHECKING:
    from PIL import Image

    from pixgen.models import Perceptor
    from pixgen.studio.jobs import Job

log = logging.getLogger(__name__)

RUNS = "runs"  # the collection of what was painted here
BUNDLED = "bundled"  # that of the drawings which come with pixgen
DRAWINGS = ASSETS / "drawings"
_FRESH = 600.0  # seconds for which a large folder is not looked through again


@dataclass(frozen=True)
class Place:
    """Pictures that can be searched: the collection's name, the folder that its paths are below, and the
    name of the CLIP that looks at them."""

    name: str
    folder: Path
    model: str


class PictureLibrary:
    """Indexes and searches with a studio's device and models, in turns with its paintings.

    Args:
        roots: folders that may be searched besides own runs and the bundled drawings.
        address: where the vectors are kept; ``$PIXGEN_LIBRARY`` by default, else ``library`` in the
            studio's folder. A folder, or an object store's address.
        model: the CLIP that looks where none is chosen; the first of those that there are by default.

    Any thread may call any method. Raises SearchError if a root is no folder or has another's name.
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
        self._refreshing: set[Place] = set()
        self._refreshed: dict[Place, float] = {}  # when, by the clock of time.monotonic
        folders = {RUNS: studio.folder, BUNDLED: DRAWINGS}
        self.places = {name: Place(name, each, self.model) for name, each in folders.items()}
        for root in roots:
            self.add(root)

    def add(self, folder: Path, *, name: str | None = None) -> Place:
        """Let a folder be searched, under its own name if no other is given. Raises SearchError."""
        folder = expand(folder)
        if not folder.is_dir():
            raise SearchError("There is no folder “{folder}”: check its name.", folder=folder.name or folder)
        place = Place(name or self._name_for(folder), folder.resolve(), self.model)
        if self.places.get(place.name, place) != place:
            raise SearchError(
                "Two folders cannot both be the collection “{name}”: name one with --collection, or "
                "rename it.",
                name=place.name,
            )
        self.places[place.name] = place
        return place

    def _name_for(self, folder: Path) -> str:
        """A folder's name for its collection; the one that an earlier version has given it, if it did."""
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
    ) -> Place:
        """Let a visitor's set of pictures or zips be searched, by who knows the place only.

        ``left_out`` is told of each file that cannot be read. Sets that are older than a day, or too many,
        are forgotten. Raises PixgenError.
        """
        folder = keep_upload(paths, self._uploads, left_out=left_out)
        for old in old_uploads(self._uploads):
            self.library.remove(old.name)
            shutil.rmtree(old, ignore_errors=True)
        return Place(folder.name, folder, model or self.model)

    def up_to_date(self, place: Place) -> Iterator[Progress]:
        """``refresh``, unless that was done lately or somebody is at it: then nothing.

        Own runs are always looked through, which takes a moment.
        """
        with self._lock:
            lately = self._refreshed.get(place, -math.inf) + _FRESH > time.monotonic()
            if place in self._refreshing or (lately and place.name != RUNS):
                return
            self._refreshing.add(place)
        try:
            yield from self.refresh(place)
            self._refreshed[place] = time.monotonic()
        finally:
            self._refreshing.discard(place)

    def follow(self) -> None:
        """From now on, index what the studio paints as soon as it is finished."""

        def index_it(job: "Job") -> None:
            if not job.run.picture.is_file():
                return
            try:
                for _ in self.up_to_date(self.places[RUNS]):
                    pass
            except PixgenError as error:
                log.info("not indexed yet: %s", error)  # the next search does, or tells

        self.studio.after_each(index_it)

    def painted(self) -> bool:
        """Whether anything was painted here."""
        return any(True for _ in self._finished_runs())

    def refresh(self, place: Place) -> Iterator[Progress]:
        """Bring a place's collection up to date with its files. Raises SearchError, ModelError."""
        perceptor = self._perceptor(place.model)
        own = place.name == RUNS
        with self.studio.exclusive():
            dimensions = _dimensions(perceptor)
        if place.name in (RUNS, BUNDLED):
            self._forget_if_moved(place)
        collection = self.library.create(
            place.name, place.model, dimensions=dimensions, source=str(place.folder)
        )
        files = self._finished_runs() if own else find_pictures(place.folder)
        facts = {"facts": partial(_run_facts, place.folder)} if own else {}
        return index_pictures(
            collection, files, perceptor, folder=place.folder, turn=self.studio.exclusive, **facts
        )

    def indexed(self) -> list[Place]:
        """Every place whose pictures have been indexed for this model, whoever did that."""
        return [
            Place(each.name, Path(each.source), each.model)
            for each in self.library.collections()
            if each.model == self.model and not is_upload(each.name)
        ]

    def collection(self, place: Place) -> Collection:
        """The collection of a place. Raises SearchError if it has not been indexed."""
        return self.library.open(place.name, place.model)

    def ready(
        self, place: Place, *, stopped: Callable[[], object] = lambda: False
    ) -> Iterator[DownloadProgress | None]:
        """Load what looks at a place, and tell meanwhile how far its download is, as
        ``loading.while_loading`` does. Raises ModelError, RecipeError if it is not offered here."""
        return while_loading(lambda: self._perceptor(place.model), stopped=stopped)

    def embed(
        self,
        query: Query,
        *,
        model: str = "",
        open_term: Callable[[str], "Image.Image"] = open_picture,
    ) -> np.ndarray:
        """A query's unit vector ``(D,)`` by the CLIP of that name, the finder's own by default;
        ``open_term`` opens a picture that a term names.

        Raises SearchError, PictureError, ModelError.
        """
        perceptor = self._perceptor(model or self.model)
        with self.studio.exclusive():
            return embed_query(query, perceptor, open_term=open_term)

    def like(self, place: Place, path: str, *, owner: str = "") -> np.ndarray:
        """The unit vector ``(D,)`` of a picture that was found. Raises SearchError if it is gone."""
        vector = self.collection(place).vector(path, only=self._allowed(EVERYTHING, place, owner))
        if vector is None:
            raise SearchError("That picture is not there any more: search again.")
        return vector

    def search(
        self, place: Place, vector: np.ndarray, *, only: Filter = EVERYTHING, owner: str = "", **how: Any
    ) -> list[Hit]:
        """The pictures of a place that match a unit vector best.

        Args:
            owner: who asks; in public, nobody finds another's runs.
            how: how many and which, as ``pixgen.vision.search.search.find_nearest`` takes them.

        Raises SearchError.
        """
        only = self._allowed(only, place, owner)
        return find_nearest(self.collection(place), vector, only=only, **how)

    def file(self, place: Place, path: str) -> Path:
        """A found picture's file. Raises PictureError if it is gone, or lies outside by now."""
        found = place.folder / path
        try:
            if found.resolve().is_relative_to(place.folder.resolve()) and found.is_file():
                return found
        except (OSError, ValueError, RuntimeError):
            pass  # no path at all
        raise PictureError("“{name}” is not there any more: index its folder again.", name=Path(path).name)

    def _perceptor(self, model: str) -> "Perceptor":
        """The CLIP of that name, if it is offered here. Raises RecipeError, ModelError."""
        self.studio.policy.check_model(model)
        return self.studio.perceptor((model,))

    def _forget_if_moved(self, place: Place) -> None:
        """pixgen or its runs may have been moved to another folder: they are indexed anew there."""
        known = [each for each in self.library.collections() if each.name == place.name]
        if any(each.source != str(place.folder) for each in known):
            self.library.remove(place.name)

    def _allowed(self, only: Filter, place: Place, owner: str) -> Filter:
        own = self.studio.policy.public and place.name == RUNS
        return replace(only, owner=owner) if own else only

    def _finished_runs(self) -> Iterator[PictureFile]:
        """The picture of every run that nobody paints now."""
        for folder in run_folders(self.studio.folder):
            try:
                facts = (folder / "picture.png").lstat()
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode) and not is_locked(folder):
                yield PictureFile(f"{folder.name}/picture.png", facts.st_size, facts.st_mtime_ns)


def _dimensions(perceptor: "Perceptor") -> int:
    """How many numbers its vectors have."""
    import torch

    with torch.no_grad():
        return perceptor.embed_texts([""]).shape[-1]


def _run_facts(studio: Path, found: PictureFile) -> Mapping[str, Any]:
    """What a run's row says beside its picture; nothing if its files are incomplete."""
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

"""The runs of a store as run folders: the list of all of them, and the files of those that are needed.

A run that another page has painted gets a folder with its recipe, facts and tags, so that the gallery lists and finds it
like any other; its picture, video and state come when somebody opens it.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pixgen.errors import PixgenError, StorageError
from pixgen.studio.runs.run import folder_times, is_locked, is_locked_here, is_run_id, mark_elsewhere
from pixgen.studio.runs.trash import TRASH, list_trash, move_to_trash, remove_run, restore_from_trash
from pixgen.studio.storage import atomic_write, remove_file, storage_errors, temporary_path
from pixgen.studio.store.leases import Leases
from pixgen.studio.store.manifest import (
    COPY_FILE,
    TEXTS,
    LocalCopy,
    Manifest,
    RunLabels,
    StoredFile,
    changed_files,
    has_sha256,
    local_files,
    local_labels,
    merge_labels,
    missing_files,
    read_copy,
    read_labels,
    read_manifest,
    save_tags,
)
from pixgen.studio.store.objects import Listed, ObjectStore

log = logging.getLogger(__name__)
_LIST_EVERY = 5.0  # seconds at least between two listings,
_LIST_SHARE = 10.0  # and times as long as a listing takes
_AT_ONCE = 200  # manifests that are read in one piece
_THREADS = 8  # files that are downloaded at once
_ATTEMPTS = 3  # at a run that another page saves again and again
_IN_USE = 600.0  # seconds for which the files of a run stay after somebody has asked for them
LABELS = ".labels.json"


class Mirror:
    """Brings runs from a store into a studio's folder. Any thread may call any method.

    Args:
        identity: the store's id.
        cache: bytes of files that the folder keeps of runs that the store has; the oldest runs' go first.
    """

    def __init__(
        self, folder: Path, objects: ObjectStore, leases: Leases, *, identity: str, cache: int
    ) -> None:
        self.folder, self._objects, self._leases = folder, objects, leases
        self._identity, self._cache = identity, cache
        self._lock = threading.Lock()  # guards the guards
        self._guards: dict[str, threading.RLock] = {}
        self._pulling = threading.Lock()
        self._due = 0.0  # when to list again, by time.monotonic()
        self._has_listed = False  # or has tried to
        self._versions: dict[str, tuple[str, str]] | None = (
            None  # of the manifest and the labels that were read
        )
        self._marked: set[str] = set()  # the runs whose folders say that another page paints them
        self._used: dict[str, float] = {}  # when files of runs were asked for, by time.monotonic()
        self.pushed: dict[str, float] = {}  # when runs were copied from here, by time.monotonic()
        self.has_grown = True  # whether files were added since the last ``evict``

    @contextmanager
    def guard(self, run_id: str) -> Iterator[None]:
        """Keep other threads from changing what a folder knows about a run's copy."""
        with self._lock:
            lock = self._guards.setdefault(run_id, threading.RLock())
        with lock:
            yield

    def find(self, run_id: str) -> Path | None:
        """The folder of a run, in the trash or not; None if there is none."""
        places = (self.folder / run_id, self.folder / TRASH / run_id) if is_run_id(run_id) else ()
        return next((place for place in places if place.is_dir()), None)

    def copy_of(self, folder: Path) -> LocalCopy | None:
        """What a run's folder knows about its copy in this store."""
        return read_copy(folder, self._identity)

    # The list of runs

    def pull(self) -> None:
        """Bring the folder up to date with the store's list, unless that was done a few seconds ago; the first time,
        every caller waits for it. Raises StorageError."""
        if not self._pulling.acquire(blocking=not self._has_listed):
            return
        try:
            if time.monotonic() < self._due:
                return
            began = time.monotonic()
            try:
                self._pull(began)
            finally:
                self._has_listed = True
                took = time.monotonic() - began
                self._due = time.monotonic() + max(_LIST_EVERY, _LIST_SHARE * took)
        finally:
            self._pulling.release()

    def _pull(self, began: float) -> None:
        if self._versions is None:
            self._versions = {}
            for run_id in [*folder_times(self.folder), *list_trash(self.folder)]:
                folder = self.find(run_id)
                if folder is not None and (copy := self.copy_of(folder)) is not None:
                    self._versions[run_id] = (copy.version, copy.labels_version)
        listed = self._objects.list("runs")
        runs = [name.removesuffix(".json") for name in listed if not name.endswith(LABELS)]
        runs = sorted(filter(is_run_id, runs), reverse=True)  # the newest first
        changed = [run_id for run_id in runs if self._versions.get(run_id) != _versions(listed, run_id)]
        for start in range(0, len(changed), _AT_ONCE):
            some = changed[start : start + _AT_ONCE]
            names = [f"runs/{run_id}{ending}" for run_id in some for ending in (".json", LABELS)]
            read = self._objects.read_many(name for name in names if name.removeprefix("runs/") in listed)
            for run_id in some:
                if self.pushed.get(run_id, -1.0) >= began:  # what was read may be older
                    continue
                if (data := read.get(f"runs/{run_id}.json")) is not None:
                    self._apply(run_id, data, read.get(f"runs/{run_id}{LABELS}"), _versions(listed, run_id))
        for run_id in self._versions.keys() - set(runs):
            if self.pushed.get(run_id, -1.0) < began:
                self._forget(run_id)
        self._mark_painted()

    def refresh(self, run_id: str) -> None:
        """Bring one run up to date with the store. Raises StorageError."""
        names = [f"runs/{run_id}.json", f"runs/{run_id}{LABELS}"]
        read = self._objects.read_many(names)
        if names[0] in read:
            self._apply(run_id, read[names[0]], read.get(names[1]), ("", ""))
        self._mark_painted()

    def _apply(self, run_id: str, data: bytes, labels: bytes | None, versions: tuple[str, str]) -> None:
        """Bring the folder of a run up to date with its manifest and labels, unless it has changes of its own."""
        try:
            with self.guard(run_id):
                taken = self._take(run_id, read_manifest(data), read_labels(labels), versions)
                if taken and self._versions is not None:
                    self._versions[run_id] = versions
        except (
            PixgenError
        ) as error:  # one that is broken, or is moved at this moment, must not hide the others
            log.info("run %s was not brought up to date: %s", run_id, error)

    def _take(self, run_id: str, manifest: Manifest, remote: RunLabels, versions: tuple[str, str]) -> bool:
        """As ``_apply``; false if the run is to be looked at again."""
        folder = self.find(run_id)
        copy = None if folder is None else self.copy_of(folder)
        if folder is None:
            self._make(run_id, manifest, remote, versions)
            return True
        if copy is None or copy.manifest.revision != manifest.revision:
            if is_locked_here(folder) or changed_files(folder, None if copy is None else copy.manifest):
                return False  # it is painted here, or the copies find out which one is newer
            self.replace(folder, manifest)
        base = RunLabels() if copy is None else copy.labels
        merged = merge_labels(base, local=local_labels(folder), remote=remote)
        folder = self.set_labels(folder, merged)
        LocalCopy(self._identity, manifest, versions[0], remote, versions[1]).save(folder)
        return True

    def _make(self, run_id: str, manifest: Manifest, labels: RunLabels, versions: tuple[str, str]) -> None:
        """Make the folder of a run with its texts, all at once."""
        target = (self.folder / TRASH if labels.trashed else self.folder) / run_id
        made = temporary_path(target)
        with storage_errors(target):
            made.mkdir(parents=True)
            try:
                for path in TEXTS:
                    if path in manifest.files:
                        _write_text(made / path, manifest.files[path])
                save_tags(labels, made)
                LocalCopy(self._identity, manifest, versions[0], labels, versions[1]).save(made)
                made.rename(target)
            except BaseException:
                shutil.rmtree(made, ignore_errors=True)
                raise

    def replace(self, folder: Path, manifest: Manifest) -> None:
        """Let a run's folder have the texts of a manifest and none of the files that differ from it."""
        for path in changed_files(folder, manifest):
            remove_file(folder / path)
        for path in TEXTS:
            if path in manifest.files and not (folder / path).is_file():
                _write_text(folder / path, manifest.files[path])

    def set_labels(self, folder: Path, labels: RunLabels) -> Path:
        """Give a run's folder labels; returns where it is then. One that is being painted is not moved."""
        local = local_labels(folder)
        if (local.favourite, local.tags) != (labels.favourite, labels.tags):
            save_tags(labels, folder)
        if local.trashed == labels.trashed or is_locked(folder):
            return folder
        if labels.trashed:
            move_to_trash(folder)
        else:
            restore_from_trash(self.folder, folder.name)
        return self.find(folder.name) or folder

    def _forget(self, run_id: str) -> None:
        """After a run has left the store's list: delete it if a page has deleted it, else copy it again."""
        try:
            with self.guard(run_id):
                folder = self.find(run_id)
                if folder is not None and is_locked(folder):
                    return
                if folder is not None:
                    deleted = self._objects.read(f"deleted/{run_id}") is not None
                    if deleted or not (folder / "picture.png").is_file():
                        remove_run(folder)
                    else:
                        log.warning("the storage has lost the run %s: it is copied again", run_id)
                        remove_file(folder / COPY_FILE)
                if self._versions is not None:
                    self._versions.pop(run_id, None)
        except PixgenError as error:
            log.info("run %s was not removed: %s", run_id, error)

    def _mark_painted(self) -> None:
        """Let the folders of runs say whether another page paints them, for as long as its lease is valid."""
        painted = self._leases.others()
        for run_id in self._marked - painted.keys():
            if (folder := self.find(run_id)) is not None:
                mark_elsewhere(folder, None)
        for run_id, seconds in painted.items():
            folder = self.find(run_id)
            if folder is not None and not is_locked_here(folder):
                mark_elsewhere(folder, time.time() + seconds)
        self._marked = set(painted)

    # The files of a run

    def fetch(self, run_id: str, *names: str) -> None:
        """Get the files of a run that its folder does not have, all or those with these names. Raises StorageError."""
        self._used[run_id] = time.monotonic()
        for attempt in range(_ATTEMPTS):
            folder = self.find(run_id)
            copy = None if folder is None else self.copy_of(folder)
            if folder is None or copy is None:
                return
            if not (missing := _named(missing_files(folder, copy.manifest), names)):
                return
            with self.guard(run_id):
                missing = [path for path in missing if not (folder / path).is_file()]
                with ThreadPoolExecutor(_THREADS, thread_name_prefix="storage files") as pool:
                    self.has_grown = True
                    found = list(pool.map(partial(self._download, folder, copy), missing))
                if all(found):
                    return
            if attempt < _ATTEMPTS - 1:
                self.refresh(run_id)  # another page has saved a newer state meanwhile
        raise StorageError("Files of the run {name} are missing in the storage.", name=run_id)

    def _download(self, folder: Path, copy: LocalCopy, path: str) -> bool:
        """Get one file of a run; false if the store does not have it any more."""
        stored = copy.manifest.files[path]
        if not stored.key:
            return False
        target = folder / path
        temporary = temporary_path(target)
        try:
            with storage_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            if not self._objects.download(stored.key, temporary):
                return False
            with storage_errors(target):
                if not has_sha256(stored.key, temporary):
                    raise StorageError("The storage has a broken file of the run {name}.", name=folder.name)
                os.utime(temporary, ns=(stored.modified, stored.modified))
                temporary.replace(target)
        finally:
            remove_file(temporary)
        return True

    def evict(self) -> None:
        """Delete files that the store has until the folder's are within the limit: those of the oldest runs first, and
        none of runs that are being painted, have changed, or were opened a few minutes ago."""
        self.has_grown = False
        runs = [*folder_times(self.folder), *list_trash(self.folder)]
        sizes = {run_id: self._large_files(run_id) for run_id in sorted(runs)}
        total = sum(sum(each.values()) for each in sizes.values())
        for run_id, files in sizes.items():
            if total <= self._cache:
                return
            if time.monotonic() - self._used.get(run_id, -_IN_USE) < _IN_USE:
                continue
            with self.guard(run_id):
                folder = self.find(run_id)
                copy = None if folder is None else self.copy_of(folder)
                if (
                    folder is None
                    or copy is None
                    or is_locked(folder)
                    or changed_files(folder, copy.manifest)
                ):
                    continue
                for path, size in files.items():
                    remove_file(folder / path)
                    total -= size

    def _large_files(self, run_id: str) -> dict[str, int]:
        folder = self.find(run_id)
        files = {} if folder is None else local_files(folder)
        return {path: facts.st_size for path, facts in files.items() if path not in TEXTS}


def _versions(listed: dict[str, Listed], run_id: str) -> tuple[str, str]:
    manifest, labels = listed.get(f"{run_id}.json"), listed.get(f"{run_id}{LABELS}")
    return ("" if manifest is None else manifest.version, "" if labels is None else labels.version)


def _named(paths: list[str], names: tuple[str, ...]) -> list[str]:
    return [path for path in paths if path in names] if names else paths


def _write_text(path: Path, stored: StoredFile) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(stored.text, "utf-8")
        os.utime(temporary, ns=(stored.modified, stored.modified))

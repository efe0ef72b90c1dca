"""A studio's runs in an object store: copies what jobs write, off their threads, and brings back what other pages wrote.

A run is painted in the studio's folder as without a store. It is copied when it starts, at most every half a minute
while it is painted, and when it ends; tags and the trash follow. What cannot be copied yet is copied later, and a file is
never deleted here before the store has it.
"""

import json
import logging
import os
import re
import secrets
import shutil
import threading
import time
from itertools import islice
from pathlib import Path

from pixgen.errors import PixgenError, StorageError, StudioError
from pixgen.messages import _
from pixgen.studio.runs.run import RunLock, folder_times, is_locked_here, is_painted_elsewhere, new_folder
from pixgen.studio.runs.trash import list_trash, remove_run
from pixgen.studio.store.leases import Leases
from pixgen.studio.store.manifest import (
    TEXTS,
    LocalCopy,
    Manifest,
    RunLabels,
    StoredFile,
    changed_files,
    key_of,
    local_labels,
    merge_labels,
    read_copy,
    read_labels,
    read_manifest,
)
from pixgen.studio.store.mirror import LABELS, Mirror
from pixgen.studio.store.objects import ObjectStore, identify
from pixgen.text_files import parse_json

log = logging.getLogger(__name__)
_COPY_EVERY = 30.0  # seconds between two copies of a run that is being painted
# Seconds between two looks at the folder, while something is painted and else, and after a failure.
_LOOK_EVERY, _LOOK_IDLE, _RETRY_EVERY = 2.0, 10.0, 15.0
_AT_ONCE = 20  # runs that are copied between two looks, which put those that have just ended first
_EVICT_EVERY = 60.0  # seconds
_FRESH = 100_000_000  # nanoseconds within which a folder may change again without a newer modification time
CACHE = 20 * 10**9  # bytes
_UNITS = {"mb": 10**6, "gb": 10**9, "tb": 10**12}


class RunStore:
    """A studio's folder and an object store, kept alike. Any thread may call any method.

    Args:
        folder: the studio's folder.
        address: a URL that fsspec knows, such as ``s3://BUCKET/PREFIX``.
        cache: bytes of files of stored runs that the folder keeps.

    Raises StudioError with the reason if the store cannot be used.
    """

    def __init__(self, folder: Path, address: str, *, cache: int = CACHE) -> None:
        self.folder = folder
        self._objects = ObjectStore(address)
        self.address = self._objects.address
        self._leases = Leases(self._objects)
        self._objects.check(self._leases.heartbeat)
        self.identity = identify(self._objects)
        self._mirror = Mirror(folder, self._objects, self._leases, identity=self.identity, cache=cache)
        self._changed = threading.Condition()  # guards the fields below
        self._painted: set[str] = set()  # runs that jobs of this process paint, or that wait for it
        self._ended: set[str] = set()  # and those whose last state is not copied yet
        self._wake = self._closing = False
        self._seen: dict[
            str, tuple[bool, int]
        ] = {}  # the place and time of each folder that is like its copy
        self._next: dict[str, float] = {}  # when a painted run may be copied again, by time.monotonic()
        self._waiting = 0  # runs that could not be copied
        self._failing = False
        self._evict_at = 0.0
        self._thread = threading.Thread(target=self._serve, name="storage copies", daemon=True)
        self._thread.start()

    # For jobs

    def lock(self, folder: Path) -> RunLock:
        """The lock of a run's folder, and with it the lease of a run that the store has. Its ``release`` lets the last
        state be copied before other pages may paint the run. Raises StudioError if another page paints it or has
        changed it, StorageError if it may be painted elsewhere and the store does not answer."""
        run_lock = _StoredRunLock(folder, self)
        try:
            if (copy := self._mirror.copy_of(folder)) is not None and not self._leases.holds(folder.name):
                self._leases.acquire(folder.name)
                stored = self._read_manifest(folder.name)
                if stored is not None and stored.revision != copy.manifest.revision:
                    raise StudioError(
                        "The run {name} has just been changed by another page: try again.", name=folder.name
                    )
        except BaseException:
            run_lock.release()
            raise
        return run_lock

    def hold(self, run_id: str) -> None:
        """From now on, a job of this process paints the run."""
        with self._changed:
            self._ended.discard(run_id)
            self._painted.add(run_id)
            self._wake = True
            self._changed.notify_all()

    def end(self, run_id: str) -> None:
        """The job has ended: copy the last state of the run and give up its lease."""
        with self._changed:
            if run_id in self._painted:
                self._painted.discard(run_id)
                self._ended.add(run_id)
        self.wake()

    # For the gallery

    def pull(self) -> None:
        """Bring the folder up to date with the runs of other pages; without an answer, it stays as it is."""
        try:
            self._mirror.pull()
            self._answered()
        except StorageError as error:
            self._fails(error)

    def refresh(self, run_id: str) -> None:
        """Bring one run up to date, with all of its files. Raises StorageError."""
        self._mirror.refresh(run_id)
        self._mirror.fetch(run_id)

    def fetch(self, run_id: str, *names: str) -> None:
        """Get the files of a run that its folder does not have, all or those with these names. Raises StorageError."""
        self._mirror.fetch(run_id, *names)

    def picture_of(self, folder: Path) -> StoredFile | None:
        """The picture of a run in the store, with the size and time that its file will have; None if it has none."""
        copy = self._mirror.copy_of(folder)
        return None if copy is None else copy.manifest.files.get("picture.png")

    def size_of(self, folder: Path) -> int:
        """The bytes of a run's files in the store; 0 if it has none."""
        copy = self._mirror.copy_of(folder)
        return 0 if copy is None else sum(each.size for each in copy.manifest.files.values())

    def find_input(self, path: str) -> Path | None:
        """A copied input, by its path in a run's folder, from any run of the store. Raises StorageError."""
        for run_id in folder_times(self.folder):
            copy = self._mirror.copy_of(self.folder / run_id)
            if copy is not None and path in copy.manifest.files:
                self._mirror.fetch(run_id, path)
                return self.folder / run_id / path
        return None

    def delete(self, run_id: str) -> None:
        """Delete a run from the store for all pages. Raises StudioError if one of them paints it, StorageError."""
        with self._mirror.guard(run_id):
            self._leases.acquire(run_id)
            self._delete(run_id)
            if (folder := self._mirror.find(run_id)) is not None:
                remove_run(folder)

    def _delete(self, run_id: str) -> None:
        self._objects.write(f"deleted/{run_id}", b"")  # other pages delete their files only if they find it
        self._objects.remove([f"runs/{run_id}.json", f"runs/{run_id}{LABELS}"])
        self._objects.remove(f"files/{run_id}/{name}" for name in self._objects.list(f"files/{run_id}"))
        self._leases.release(run_id)

    # Copies

    def wake(self) -> None:
        """Look for changes in the folder now."""
        with self._changed:
            self._wake = True
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many runs could not be copied when it was tried last."""
        return self._waiting

    def close(self, timeout: float | None = None) -> bool:
        """Copy what is left and end; returns whether everything was copied within ``timeout`` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        done = not (self._thread.is_alive() or self._waiting)
        if not done:
            log.warning("some runs are not in the storage yet: the next start with this folder copies them")
        self._leases.close()
        return done

    def _serve(self) -> None:
        """Copy what has changed, until the store is closed and everything is copied or the store does not answer."""
        pause = 0.0
        while True:
            with self._changed:
                if not self._closing and not (self._wake and not self._failing):
                    self._changed.wait(pause)
                closing, self._wake = self._closing, False
            copied = self._look(last=closing)
            if closing and not copied:
                return
            with self._changed:
                busy = bool(self._painted or self._ended)
            pause = _LOOK_EVERY if busy else _LOOK_IDLE
            if copied is not None:
                pause = 0.0 if copied else _RETRY_EVERY

    def _look(self, *, last: bool) -> bool | None:
        """Copy runs that have changed. True if there may be more, false if one could not be copied, else None."""
        try:
            due = self._due(last=last)
            done = 0
            for run_id, place in islice(due.items(), _AT_ONCE):
                try:
                    done += 1
                    if not self._copy(run_id):
                        self._next[run_id] = time.monotonic() + _RETRY_EVERY
                    elif place is not None and time.time_ns() - place[1] > _FRESH:
                        self._seen[run_id] = place
                except StorageError as error:
                    self._fails(error)
                    self._waiting = len(due) - done + 1
                    return False
                except (PixgenError, OSError) as error:  # it is moved or resumed at this moment
                    log.info("run %s was not copied: %s", run_id, error)
                    self._next[run_id] = time.monotonic() + _RETRY_EVERY
            self._waiting = 0
            if due:
                self._answered()
                self._mirror.has_grown = True
            if self._mirror.has_grown and time.monotonic() > self._evict_at:
                self._evict_at = time.monotonic() + _EVICT_EVERY
                self._mirror.evict()
            return True if len(due) > _AT_ONCE else None
        except Exception:  # the next look may succeed
            log.exception("the folder of the runs could not be copied")
            return False

    def _due(self, *, last: bool) -> dict[str, tuple[bool, int] | None]:
        """The runs that may have changed, with the places and times of their folders; those that ended first."""
        with self._changed:
            painted, ended = set(self._painted), set(self._ended)
        places = {run_id: (False, time) for run_id, time in folder_times(self.folder).items()}
        places |= {run_id: (True, time) for run_id, time in list_trash(self.folder).items()}
        due: dict[str, tuple[bool, int] | None] = {run_id: places.get(run_id) for run_id in sorted(ended)}
        for run_id in sorted(places, reverse=True):
            place = places[run_id]
            if self._seen.get(run_id) == place or run_id in due:
                continue
            if time.monotonic() < self._next.get(run_id, 0.0) and not (last and run_id in painted):
                continue
            if run_id in painted:
                self._next[run_id] = time.monotonic() + _COPY_EVERY
            due[run_id] = place
        return due

    def _copy(self, run_id: str) -> bool:
        """Make the store's copy of a run like its folder; false if it is to be looked at again. Raises StorageError."""
        with self._mirror.guard(run_id):
            with self._changed:
                painted, ended = run_id in self._painted, run_id in self._ended
            folder, alike = self._mirror.find(run_id), True
            if folder is None:
                if ended and self._leases.holds(run_id):  # it could not begin, and its folder was removed
                    self._delete(run_id)
            elif not painted and is_locked_here(folder):
                alike = False  # another process on this folder paints it
            elif (folder / "run.json").is_file():
                alike = is_painted_elsewhere(folder) is False and self._copy_files(folder, painted=painted)
                self._copy_labels(folder)
            if ended:
                self._leases.release(run_id)
                with self._changed:
                    self._ended.discard(run_id)
                    self._next.pop(run_id, None)
            return alike

    def _copy_files(self, folder: Path, *, painted: bool) -> bool:
        run_id, copy = folder.name, self._mirror.copy_of(folder)
        base = None if copy is None else copy.manifest
        if base is not None and not changed_files(folder, base):
            return True
        stored = self._read_manifest(run_id)
        if stored is None and base is not None:
            if not painted and self._objects.read(f"deleted/{run_id}") is not None:
                return False  # the next listing removes it here, too
            self._objects.remove([f"deleted/{run_id}"])
            base = None  # everything is copied
        elif stored is not None and (base is None or stored.revision != base.revision):
            if not painted:  # else when it has ended
                self._resolve(folder, stored)
            return not painted
        if painted:
            self._leases.acquire(run_id)
        manifest = self._upload(folder, base)
        labels, labels_version = (RunLabels(), "") if copy is None else (copy.labels, copy.labels_version)
        LocalCopy(self.identity, manifest, "", labels, labels_version).save(folder)
        self._mirror.pushed[run_id] = time.monotonic()
        if stored is not None:
            kept = {each.key for each in manifest.files.values()}
            self._objects.remove(
                each.key for each in stored.files.values() if each.key and each.key not in kept
            )
        return True

    def _upload(self, folder: Path, base: Manifest | None) -> Manifest:
        """Copy the files that differ from a manifest, and then a new one; returns it."""
        files = {} if base is None else dict(base.files)
        for path in changed_files(folder, base):
            try:
                with (folder / path).open("rb") as file:  # one that is replaced meanwhile stays as it was
                    facts, data = os.fstat(file.fileno()), file.read()
            except FileNotFoundError:
                continue
            key = "" if path in TEXTS else key_of(folder.name, path, data)
            if key and (path not in files or files[path].key != key):
                self._objects.write(key, data)
            text = "" if key else data.decode()
            files[path] = StoredFile(key, len(data), facts.st_mtime_ns, text)
        for path in TEXTS:
            if path in files and not files[path].text:
                files[path] = _with_text(files[path], (folder / path).read_text("utf-8"))
        manifest = Manifest(secrets.token_hex(8), files)
        self._objects.write(f"runs/{folder.name}.json", manifest.to_bytes())
        return manifest

    def _resolve(self, folder: Path, stored: Manifest) -> None:
        """Where another page has changed a run that has changes here, keep both: those of this page as a new run."""
        picture, theirs = folder / "picture.png", stored.files.get("picture.png")
        if picture.is_file():
            data = picture.read_bytes()
            if theirs is None or theirs.key != key_of(folder.name, "picture.png", data):
                self._separate(folder)
        self._mirror.replace(folder, stored)
        copy = self._mirror.copy_of(folder)
        labels, version = (RunLabels(), "") if copy is None else (copy.labels, copy.labels_version)
        LocalCopy(self.identity, stored, "", labels, version).save(folder)

    def _separate(self, folder: Path) -> None:
        made = new_folder(self.folder)
        try:
            shutil.copytree(
                folder,
                made,
                dirs_exist_ok=True,
                ignore=lambda _folder, names: [n for n in names if n[0] == "."],
            )
            facts = parse_json((made / "run.json").read_text("utf-8"))
            notice = _(
                "Another page continued run {run} while the storage did not answer; this is the picture of this page.",
                run=folder.name,
            )
            facts |= {"parent": folder.name, "notice": notice, "notice_parts": notice.to_json()}
            (made / "run.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        log.warning(
            "run %s was painted by two pages: this page's picture is now run %s", folder.name, made.name
        )

    def _copy_labels(self, folder: Path) -> None:
        """Copy tags, favourite and trash, if they have changed here."""
        copy = self._mirror.copy_of(folder)
        if copy is None or local_labels(folder) == copy.labels:
            return
        name = f"runs/{folder.name}{LABELS}"
        remote = read_labels(self._objects.read(name))
        merged = merge_labels(copy.labels, local=local_labels(folder), remote=remote)
        if merged != remote:
            self._objects.write(name, merged.to_bytes())
        folder = self._mirror.set_labels(folder, merged)
        LocalCopy(self.identity, copy.manifest, copy.version, merged, "").save(folder)

    def _read_manifest(self, run_id: str) -> Manifest | None:
        data = self._objects.read(f"runs/{run_id}.json")
        return None if data is None else read_manifest(data)

    def _fails(self, error: StorageError) -> None:
        if not self._failing:
            self._failing = True
            cause = error.__cause__ or error
            log.warning("the storage does not answer (%s): runs are saved here and copied later", cause)

    def _answered(self) -> None:
        if self._failing:
            self._failing = False
            log.info("the storage answers again")


def compare_with_store(folder: Path, address: str) -> tuple[int, int]:
    """How many runs a store has, and how many of a studio's folder are not in it as they are. Changes no run.

    Raises StudioError if the store cannot be used, StorageError.
    """
    objects = ObjectStore(address)
    objects.check("leases/pages/doctor")
    stored = sum(name.endswith(".json") and not name.endswith(LABELS) for name in objects.list("runs"))
    runs = [folder / run_id for run_id in folder_times(folder)] if folder.is_dir() else []
    identity = identify(objects)
    copies = {run: read_copy(run, identity) for run in runs}
    waiting = [run for run, copy in copies.items() if copy is None or changed_files(run, copy.manifest)]
    return stored, len(waiting)


def open_store(folder: Path, address: str | None = None) -> RunStore | None:
    """The store at an address, by default ``$PIXGEN_STORAGE``; None if there is no address. ``$PIXGEN_STORAGE_CACHE`` is
    how much of it the folder keeps, such as ``20 GB``. Raises StudioError if it cannot be used."""
    address = os.environ.get("PIXGEN_STORAGE", "") if address is None else address
    if not address:
        return None
    kept = os.environ.get("PIXGEN_STORAGE_CACHE", "")
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([mgt]b)", kept.strip().lower())
    if kept and found is None:
        raise StudioError("PIXGEN_STORAGE_CACHE is a size, such as “20 GB” (not “{text}”).", text=kept[:40])
    cache = CACHE if found is None else int(float(found[1]) * _UNITS[found[2]])
    return RunStore(folder, address, cache=cache)


def lock_run(folder: Path, store: RunStore | None) -> RunLock:
    """The lock of a run's folder, and of its copy in a store if there is one, as ``RunStore.lock``."""
    return RunLock(folder) if store is None else store.lock(folder)


class _StoredRunLock(RunLock):
    """The lock of a run's folder, whose release tells the store that the job has ended."""

    def __init__(self, folder: Path, store: RunStore) -> None:
        self._store, self._run_id = store, folder.name
        super().__init__(folder)
        store.hold(folder.name)

    def release(self) -> None:
        """As ``RunLock.release``."""
        super().release()
        self._store.end(self._run_id)


def _with_text(stored: StoredFile, text: str) -> StoredFile:
    return StoredFile(stored.key, stored.size, stored.modified, text)

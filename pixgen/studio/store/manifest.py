"""What a store has of a run: a manifest of its files, and the tags; and how a run's folder compares with them.

A manifest is written after the files that it names, whose names contain their sha256: so a reader sees the run as it
was at one moment, never half of one. Tags, favourites and the trash are an object beside it, as any page may change
them at any time.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pixgen.errors import StorageError
from pixgen.studio.runs.run import TAGS_FILE, RunTags, read_tags
from pixgen.studio.runs.trash import TRASH
from pixgen.studio.storage import write_bytes
from pixgen.text_files import parse_json

COPY_FILE = ".stored.json"  # in a run's folder: what the store had of it when they were compared last
TEXTS = ("recipe.json", "run.json")  # are in the manifest itself, so that a list of runs needs no more
_NOT_COPIED = (TAGS_FILE, "change.json")
# A state is read before the video that belongs to it, which may be longer; the facts are read last.
_ORDER = {"state.pt": -1, "run.json": 1}


@dataclass(frozen=True)
class StoredFile:
    """A file of a run in a store.

    Args:
        key: the object's name; empty for one whose text is in the manifest.
        modified: the file's modification time, in nanoseconds since 1970.
    """

    key: str
    size: int
    modified: int
    text: str = ""


@dataclass(frozen=True)
class Manifest:
    """The files of a run in a store, by their paths in the run's folder; each copy has another revision."""

    revision: str
    files: dict[str, StoredFile] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The manifest as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises StorageError if it is broken, or names a file outside the run's folder."""
    try:
        return _manifest(parse_json(data.decode()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError("The storage has a run that cannot be read.") from error


def _manifest(value: Any) -> Manifest:
    files = {str(path): StoredFile(**each) for path, each in value["files"].items()}
    for path in files:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\\" in path or path in ("", COPY_FILE):
            raise ValueError(path)
    return Manifest(str(value["revision"]), files)


@dataclass(frozen=True)
class RunLabels:
    """What any page may change of a run: its tags, and whether it is a favourite or in the trash."""

    favourite: bool = False
    tags: tuple[str, ...] = ()
    trashed: bool = False

    def to_bytes(self) -> bytes:
        """The labels as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()


def read_labels(data: bytes | None) -> RunLabels:
    """Read labels; none if there are none, or they are broken."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        value = parse_json((data or b"").decode())
        return RunLabels(bool(value["favourite"]), tuple(map(str, value["tags"])), bool(value["trashed"]))
    return RunLabels()


def local_labels(folder: Path) -> RunLabels:
    """The labels of a run's folder."""
    run_tags = read_tags(folder)
    return RunLabels(run_tags.favourite, run_tags.tags, folder.parent.name == TRASH)


def merge_labels(base: RunLabels, *, local: RunLabels, remote: RunLabels) -> RunLabels:
    """The labels after the changes that were made here and on other pages since ``base``; here wins where both changed
    the same.

    >>> merge_labels(RunLabels(tags=("sea",)), local=RunLabels(tags=("fox", "sea")), remote=RunLabels(favourite=True))
    RunLabels(favourite=True, tags=('fox',), trashed=False)
    """
    tags = (set(remote.tags) | set(local.tags) - set(base.tags)) - (set(base.tags) - set(local.tags))
    return RunLabels(
        favourite=remote.favourite if local.favourite == base.favourite else local.favourite,
        tags=tuple(sorted(tags)),
        trashed=remote.trashed if local.trashed == base.trashed else local.trashed,
    )


def save_tags(labels: RunLabels, folder: Path) -> None:
    """Write tags and favourite into a run's folder. Raises StorageError."""
    RunTags(labels.favourite, labels.tags).save(folder)


@dataclass(frozen=True)
class LocalCopy:
    """What a run's folder knows about the run in a store.

    Args:
        store: the store's id.
        manifest: that of the state that the folder's files came from or were copied to; without texts.
        version, labels_version: of the objects when they were read, as ``Listed`` has them; empty if they were written
            from here since.
        labels: as the store has them.
    """

    store: str
    manifest: Manifest
    version: str = ""
    labels: RunLabels = RunLabels()
    labels_version: str = ""

    def save(self, folder: Path) -> None:
        """Write it into the run's folder. Raises StorageError."""
        files = {path: replace(each, text="") for path, each in self.manifest.files.items()}
        value = asdict(replace(self, manifest=Manifest(self.manifest.revision, files)))
        write_bytes(folder / COPY_FILE, json.dumps(value, ensure_ascii=False).encode())


def read_copy(folder: Path, store: str) -> LocalCopy | None:
    """What a run's folder knows about its copy in this store; None if it has none."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        value = parse_json((folder / COPY_FILE).read_text("utf-8"))
        if value["store"] == store:
            labels = value["labels"]
            return LocalCopy(
                store,
                _manifest(value["manifest"]),
                value["version"],
                RunLabels(labels["favourite"], tuple(labels["tags"]), labels["trashed"]),
                value["labels_version"],
            )
    return None


def local_files(folder: Path) -> dict[str, os.stat_result]:
    """The files of a run's folder that are copied, by their paths in it, in the order in which they are read."""
    found = dict(_walk(folder, ""))
    return dict(sorted(found.items(), key=lambda item: _ORDER.get(item[0], 0)))


def _walk(folder: Path, before: str) -> Iterator[tuple[str, os.stat_result]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            path = f"{before}{entry.name}"
            if entry.name.startswith(".") or path in _NOT_COPIED:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(folder / entry.name, f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # replaced at this moment
                    yield path, entry.stat(follow_symlinks=False)


def changed_files(folder: Path, manifest: Manifest | None) -> list[str]:
    """The files of a run's folder that a manifest does not have as they are."""
    files = {} if manifest is None else manifest.files
    return [
        path
        for path, facts in local_files(folder).items()
        if path not in files or (facts.st_size, facts.st_mtime_ns) != (files[path].size, files[path].modified)
    ]


def missing_files(folder: Path, manifest: Manifest) -> list[str]:
    """The files of a manifest that a run's folder does not have."""
    return [path for path in manifest.files if not (folder / path).is_file()]


def key_of(run_id: str, path: str, data: bytes) -> str:
    """The name of the object that holds a file of a run."""
    return f"files/{run_id}/{hashlib.sha256(data).hexdigest()}/{PurePosixPath(path).name}"


def has_sha256(key: str, path: Path) -> bool:
    """Whether a file's bytes are those that the name of an object promises."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return key.split("/")[2] == digest.hexdigest()

"""A run: the folder of one picture, with its recipe, facts, tags, video and the state to resume from.

A folder is locked while a job works on it, among all processes on the machine. Tags are in ``marks.json``.
"""

import errno
import json
import os
import re
import secrets
import string
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from pixgen.errors import PixgenError, StudioError, VideoError
from pixgen.messages import Message
from pixgen.paths import output_folder
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.storage import remove_file, storage_errors, write_bytes
from pixgen.text_files import parse_json

State = Literal["waiting", "loading", "painting", "done", "stopped", "failed"]
FINAL_STATES = ("done", "stopped", "failed")

_ID = re.compile(r"\d{8}-\d{6}-[a-z]{6}")
_LOCK_FILE = ".lock"
_LOCK_PATIENCE = 0.1  # seconds: is_locked holds a lock for a moment
_FOLDER_PATIENCE = 10.0  # seconds for a change that another page makes
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
MOST_TAGS = 20
LONGEST_TAG = 40
TAGS_FILE = "marks.json"
_ELSEWHERE_FILE = ".elsewhere"  # until when a page with another folder paints the run


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run at one moment. The files that it names may not exist yet."""

    folder: Path
    recipe: Recipe
    state: State
    started: datetime
    finished: datetime | None = None
    step: int = 0
    seconds: float = 0.0  # of loading and painting, over all sessions
    similarities: tuple[tuple[str, float], ...] = ()  # of the newest frame: prompt, cosine
    owner: str = ""
    parent: str = ""  # the id of the run that this one was derived from
    notice: str = ""  # why it ended early, or what could not be saved
    metadata: bool = True  # whether picture and video carry the recipe; the folder always has it

    @property
    def id(self) -> str:
        """The folder's name, ``YYYYMMDD-HHMMSS-abcdef``."""
        return self.folder.name

    @property
    def embedded_recipe(self) -> Recipe | None:
        """The recipe to embed in picture and video; None without ``metadata``."""
        return self.recipe if self.metadata else None

    @property
    def picture(self) -> Path:
        """The newest saved picture, a PNG that carries its recipe if ``metadata`` is on."""
        return self.folder / "picture.png"

    @property
    def video(self) -> Path:
        """The video of the run, an MP4."""
        return self.folder / "progress.mp4"

    film = video  # its name in earlier versions

    @property
    def sketches(self) -> Path:
        """The sketches that the init was picked from, side by side, if it was sketched."""
        return self.folder / "sketches.png"

    @property
    def curve(self) -> Path:
        """The metrics by step, a JSON file."""
        return self.folder / "curve.json"

    @property
    def state_file(self) -> Path:
        """The state that the run resumes from."""
        return self.folder / "state.pt"

    @property
    def has_started(self) -> bool:
        """Whether anything was painted; a run that was stopped in the queue has nothing yet."""
        return self.step > 0 or self.picture.is_file() or self.state_file.is_file()

    @property
    def stopped_in_queue(self) -> bool:
        """Whether it was stopped before it started; it can still be resumed."""
        return self.state == "stopped" and not self.has_started

    def is_newer(self, other: "Run") -> bool:
        """Whether this is the same run at a later moment than another, which has ended."""
        if self.state not in FINAL_STATES:
            return True
        return None not in (self.finished, other.finished) and self.finished > other.finished  # type: ignore[operator]

    def save(self) -> None:
        """Write ``recipe.json`` and ``run.json``. Raises StorageError."""
        _write_json(self.folder / "recipe.json", json.loads(self.recipe.to_json()))
        _write_json(
            self.folder / "run.json",
            {
                "state": self.state,
                "step": self.step,
                "seconds": round(self.seconds, 3),
                "similarities": self.similarities,
                "started": self.started.isoformat(),
                "finished": self.finished and self.finished.isoformat(),
                "owner": self.owner,
                "parent": self.parent,
                **_stored(self.notice),
                "metadata": self.metadata,
            },
        )


def _stored(notice: str) -> dict[str, Any]:
    """A notice as fields of ``run.json``: in English, and as message and values for translation."""
    if isinstance(notice, Message) and notice.values:
        return {"notice": notice, "notice_parts": notice.to_json()}
    return {"notice": notice}


def _notice(facts: dict[str, Any]) -> str:
    return Message.from_json(facts["notice_parts"]) if "notice_parts" in facts else facts["notice"]


def mean_similarity(run: Run) -> float | None:
    """The weighted mean cosine of a run's picture to its positive prompts; None before the first frame, or
    without a positive prompt."""
    weights = {prompt.label: prompt.weight for prompt in run.recipe.scene(run.step)}
    pulls = [
        (weights.get(label, 1.0), cosine) for label, cosine in run.similarities if weights.get(label, 1.0) > 0
    ]
    if not pulls:
        return None
    return sum(weight * cosine for weight, cosine in pulls) / sum(weight for weight, _ in pulls)


def new_folder(studio: Path) -> Path:
    """Create a folder with a new run id. Raises StorageError."""
    now = datetime.now()
    while True:
        letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(6))
        folder = studio / f"{now:%Y%m%d-%H%M%S}-{letters}"
        with storage_errors(folder):
            try:
                folder.mkdir(parents=True)  # another studio may have removed the empty parent
                return folder
            except FileExistsError:
                continue


def is_run_id(name: str) -> bool:
    """Whether a name is that of a run."""
    return _ID.fullmatch(name) is not None


def run_folders(studio: Path) -> list[Path]:
    """The run folders in a studio's folder. Raises StorageError."""
    with storage_errors(studio):
        return [path for path in studio.iterdir() if _ID.fullmatch(path.name) and _is_folder(path)]


def folder_times(studio: Path) -> dict[str, int]:
    """The modification times of the run folders by run id, in nanoseconds since 1970; fast for thousands.
    Raises StorageError."""
    times = {}
    with storage_errors(studio), os.scandir(studio) as entries:
        for entry in entries:
            if _ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(FileNotFoundError):  # moved or removed at this moment
                    times[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
    return times


def folder_time(folder: Path) -> int | None:
    """The modification time of a run folder, as in ``folder_times``; None if it is not there."""
    with suppress(OSError):
        if _ID.fullmatch(folder.name) and _is_folder(folder):
            return folder.lstat().st_mtime_ns
    return None


def read_run(studio: Path, run_id: str) -> Run:
    """Read the run with this id. An unfinished run that no process paints is ``stopped``. Raises
    StudioError if there is none, or if it cannot be read."""
    folder = studio / run_id
    if not _ID.fullmatch(run_id) or not _is_folder(folder):
        raise _no_run(run_id)
    try:
        recipe = read_recipe((folder / "recipe.json").read_text("utf-8"))
        facts = parse_json((folder / "run.json").read_text("utf-8"))
        run = Run(
            folder=folder,
            recipe=recipe,
            state=facts["state"],
            step=facts["step"],
            seconds=facts["seconds"],
            similarities=tuple(map(tuple, facts["similarities"])),
            started=datetime.fromisoformat(facts["started"]),
            finished=facts["finished"] and datetime.fromisoformat(facts["finished"]),
            owner=facts["owner"],
            parent=facts.get("parent", ""),
            notice=_notice(facts),
            metadata=facts.get("metadata", True),
        )
    except (OSError, ValueError, KeyError, TypeError, PixgenError) as error:
        raise StudioError(
            "The run {run_id} cannot be read: its files are incomplete or broken.", run_id=run_id
        ) from error
    if run.state not in FINAL_STATES and not is_locked(folder):
        return replace(run, state="stopped")
    return run


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_json(path: Path, value: Any) -> None:
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def find_run(run: str | Path, folder: Path | str | None = None) -> Run:
    """A run by its id or folder.

    Args:
        folder: the studio's folder; by default as for ``Studio``.

    Raises StudioError.
    """
    path = Path(run)
    if path.name != str(run) and path.is_dir():  # the path of a run also gives the studio's folder
        folder, run = path.parent, path.name
    return read_run(output_folder(folder), str(run))


def find_video(run: str | Path, folder: Path | str | None = None) -> Path:
    """The video of a run.

    Args:
        run: a run's id or folder, or the path of a video, which is returned as it is.
        folder: the studio's folder; by default as for ``Studio``.

    Raises VideoError if there is no video yet, StudioError.
    """
    path = Path(run)
    if path.is_file():
        return path
    found = find_run(run, folder).video
    if not found.is_file():
        raise VideoError("The run {run} has no video yet: paint it first.", run=run)
    return found


class RunLock:
    """Holds a run's folder until ``release``; the system releases it when the process dies.

    Raises StudioError if another job holds it, StorageError if the folder cannot be written or is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = _file_lock(folder)
        with storage_errors(folder / _LOCK_FILE):
            if is_painted_elsewhere(folder):
                raise being_painted_error(folder.name)
            before = folder.stat().st_ino  # filelock would make a folder that is gone
            try:
                self._lock.acquire(timeout=_LOCK_PATIENCE, poll_interval=_LOCK_PATIENCE / 5)
            except Timeout as error:
                raise being_painted_error(folder.name) from error
            try:
                if folder.stat().st_ino != before:
                    raise _no_run(folder.name)
            except (OSError, StudioError):  # it was moved at this moment
                self.release()
                raise

    def release(self) -> None:
        """Let other jobs work on the run; calling it again does nothing."""
        self._lock.release()


def being_painted_error(run_id: str) -> StudioError:
    """The error of what cannot be done to a run while it is being painted."""
    return StudioError(
        "The run {name} is being painted: stop it first, or wait until it is finished.", name=run_id
    )


def _no_run(run_id: str) -> StudioError:
    return StudioError("There is no run “{run_id}”.", run_id=run_id[:60])


def is_locked(folder: Path) -> bool:
    """Whether a living job, of this or another process or page, works on the run.

    A run that this process may not write counts as free: nothing can be changed in it from here.
    """
    return is_painted_elsewhere(folder) or is_locked_here(folder)


def is_locked_here(folder: Path) -> bool:
    """As ``is_locked``, without pages that have a folder of their own."""
    if not (folder / _LOCK_FILE).exists():
        return False
    lock = _file_lock(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError as error:
        return error.errno not in _READ_ONLY
    lock.release()
    return False


def is_painted_elsewhere(folder: Path) -> bool:
    """Whether a page with another folder, which shares a storage with this one, paints the run."""
    try:
        return time.time() < float((folder / _ELSEWHERE_FILE).read_text("ascii"))
    except (OSError, ValueError):
        return False


def mark_elsewhere(folder: Path, until: float | None) -> None:
    """Say in a run's folder until when such a page paints it, in seconds since 1970; None if none does. Raises
    StorageError."""
    if until is None:
        remove_file(folder / _ELSEWHERE_FILE)
    else:
        write_bytes(folder / _ELSEWHERE_FILE, f"{until:.3f}".encode())


@contextmanager
def folder_lock(studio: Path) -> Iterator[None]:
    """Hold the lock of a studio's folder, for a change that only one thread of all its pages makes at a time: of
    tags, or of what is in the trash. Raises StorageError."""
    with storage_errors(studio / _LOCK_FILE), FileLock(studio / _LOCK_FILE, timeout=_FOLDER_PATIENCE):
        yield


def _file_lock(folder: Path) -> FileLock:
    # A job's lock is taken by the thread that asks for it, and released by the one that paints.
    return FileLock(folder / _LOCK_FILE, thread_local=False)


@dataclass(frozen=True)
class RunTags:
    """Whether a run is a favourite, and its tags in alphabetical order."""

    favourite: bool = False
    tags: tuple[str, ...] = ()

    def changed(
        self, *, favourite: bool | None = None, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> "RunTags":
        """The tags after some changes. Raises StudioError if a tag is not allowed, or there are too many."""
        tags = (set(self.tags) - set(map(clean_tag, remove))) | set(map(clean_tag, add))
        if len(tags) > MOST_TAGS:
            raise StudioError("A run can have at most {limit} tags: remove one first.", limit=MOST_TAGS)
        kept = self.favourite if favourite is None else favourite
        return RunTags(kept, tuple(sorted(tags)))

    def save(self, folder: Path) -> None:
        """Write the tags into a run's folder. Raises StorageError."""
        value = {"favourite": self.favourite, "tags": self.tags}
        text = json.dumps(value, ensure_ascii=False) + "\n"
        write_bytes(folder / TAGS_FILE, text.encode())


def read_tags(folder: Path) -> RunTags:
    """Read the tags of the run in a folder; empty if there are none, or the file is broken."""
    try:
        kept = parse_json((folder / TAGS_FILE).read_text("utf-8"))
        return RunTags(bool(kept["favourite"]), tuple(sorted(map(clean_tag, kept["tags"]))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StudioError):
        return RunTags()


def clean_tag(tag: str) -> str:
    """A tag in its saved form: trimmed, single spaces, lower case. Raises StudioError if it is not allowed."""
    cleaned = " ".join(tag.split()).lower()
    if not cleaned or len(cleaned) > LONGEST_TAG or "," in cleaned or not cleaned.isprintable():
        raise StudioError(
            "The tag “{tag}” is not allowed: write a word or two without a comma, at most {limit} "
            "characters.",
            tag=tag[:LONGEST_TAG],
            limit=LONGEST_TAG,
        )
    return cleaned

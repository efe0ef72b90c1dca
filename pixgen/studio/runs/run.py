"""A run: a folder that holds a picture, how it was made, its film and the state to go on from."""

import json
import os
import re
import secrets
import string
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pixgen.errors import PixgenError, StudioError, VideoError
from pixgen.messages import Message
from pixgen.paths import output_folder
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.runs.lock import is_locked
from pixgen.studio.storage import storing, write_bytes

State = Literal["waiting", "loading", "painting", "done", "stopped", "failed"]
ENDED = ("done", "stopped", "failed")

_ID = re.compile(r"\d{8}-\d{6}-[a-z]{6}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is known of a run at one moment. The files that it names may not be there yet."""

    folder: Path
    recipe: Recipe
    state: State
    started: datetime
    finished: datetime | None = None
    step: int = 0
    seconds: float = 0.0  # of loading and painting, over all sessions
    similarities: tuple[tuple[str, float], ...] = ()  # of the newest frame: prompt, cosine
    owner: str = ""
    parent: str = ""  # the id of the run that this one was made from
    notice: str = ""  # what to know about how it ended, or what could not be saved
    metadata: bool = True  # whether picture and film carry the recipe; its folder keeps it anyway

    @property
    def id(self) -> str:
        """The folder's name, ``YYYYMMDD-HHMMSS-abcdef``."""
        return self.folder.name

    @property
    def carried(self) -> Recipe | None:
        """The recipe that picture and film carry, if they are to carry it."""
        return self.recipe if self.metadata else None

    @property
    def picture(self) -> Path:
        """The newest picture saved, a PNG that carries its recipe if ``metadata`` says so."""
        return self.folder / "picture.png"

    @property
    def film(self) -> Path:
        """The film of the run, an MP4."""
        return self.folder / "progress.mp4"

    @property
    def sketches(self) -> Path:
        """The sketches that the start was picked from, side by side, if it was sketched."""
        return self.folder / "sketches.png"

    @property
    def curve(self) -> Path:
        """Its figures step by step, a JSON file."""
        return self.folder / "curve.json"

    @property
    def state_file(self) -> Path:
        """What the run goes on from."""
        return self.folder / "state.pt"

    @property
    def begun(self) -> bool:
        """Whether there is anything of it: what was stopped while it waited has nothing yet."""
        return self.step > 0 or self.picture.is_file() or self.state_file.is_file()

    @property
    def stopped_waiting(self) -> bool:
        """Whether it was stopped before it began; it can still be begun."""
        return self.state == "stopped" and not self.begun

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
    """A notice as ``run.json`` has it: in English, and beside that with its values apart, for other languages."""
    if isinstance(notice, Message) and notice.values:
        return {"notice": notice, "notice_parts": notice.to_json()}
    return {"notice": notice}


def _notice(facts: dict[str, Any]) -> str:
    return Message.from_json(facts["notice_parts"]) if "notice_parts" in facts else facts["notice"]


def similarity(run: Run) -> float | None:
    """The mean cosine of a run's picture to the prompts that pull, each by its weight; None before
    its first frame, or if all push."""
    weights = {prompt.label: prompt.weight for prompt in run.recipe.scene(run.step)}
    pulls = [
        (weights.get(label, 1.0), cosine) for label, cosine in run.similarities if weights.get(label, 1.0) > 0
    ]
    if not pulls:
        return None
    return sum(weight * cosine for weight, cosine in pulls) / sum(weight for weight, _ in pulls)


def new_folder(studio: Path) -> Path:
    """Make the folder of a new run, which no other run has. Raises StorageError."""
    now = datetime.now()
    while True:
        letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(6))
        folder = studio / f"{now:%Y%m%d-%H%M%S}-{letters}"
        with storing(folder):
            try:
                folder.mkdir(parents=True)  # another studio may have removed its parent, empty as it was
                return folder
            except FileExistsError:
                continue


def run_folders(studio: Path) -> list[Path]:
    """The folders in a studio's folder that are named as runs. Raises StorageError."""
    with storing(studio):
        return [path for path in studio.iterdir() if _ID.fullmatch(path.name) and _is_folder(path)]


def folder_times(studio: Path) -> dict[str, int]:
    """When the folder of each run last changed, in nanoseconds since 1970, by the run's id; quick
    for thousands. Raises StorageError."""
    times = {}
    with storing(studio), os.scandir(studio) as entries:
        for entry in entries:
            if _ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(FileNotFoundError):  # moved or removed at this moment
                    times[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
    return times


def read_run(studio: Path, run_id: str) -> Run:
    """The run of that id. One that no process paints any more is ``stopped``, whatever was written
    last. Raises StudioError if there is none, or if it cannot be read."""
    folder = studio / run_id
    if not _ID.fullmatch(run_id) or not _is_folder(folder):
        raise StudioError("There is no run “{run_id}”.", run_id=run_id[:60])
    try:
        recipe = read_recipe((folder / "recipe.json").read_text("utf-8"))
        facts = json.loads((folder / "run.json").read_text("utf-8"))
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
    if run.state not in ENDED and not is_locked(folder):
        return replace(run, state="stopped")
    return run


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_json(path: Path, value: Any) -> None:
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def find_video(run: str | Path, folder: Path | str | None = None) -> Path:
    """The film of a run, by its name in ``folder`` (as ``Studio`` chooses it by default) or by its own
    folder; a film's own path is itself. Raises VideoError if there is none, StudioError."""
    path = Path(run)
    if path.is_file():
        return path
    if path.name != str(run) and path.is_dir():  # a folder's name also says where runs are kept
        folder, run = path.parent, path.name
    home = output_folder(folder)
    found = read_run(home, str(run)).film
    if not found.is_file():
        raise VideoError("The run {run} has no film yet: let it paint first.", run=run)
    return found

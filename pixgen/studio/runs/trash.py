"""Where deleted runs lie until somebody empties it: a folder beside the runs, out of everybody's way."""

import shutil
from pathlib import Path

from pixgen.errors import StudioError
from pixgen.studio.runs.lock import RunLock
from pixgen.studio.runs.run import folder_times
from pixgen.studio.storage import storing

FOLDER = "bin"  # in the studio's


def move_to_trash(folder: Path) -> None:
    """Move a run's folder into the bin. Raises StudioError if it is being painted, StorageError."""
    RunLock(folder).release()  # raises if a job has it; let go, for not every system moves open files
    target = folder.parent / FOLDER / folder.name
    with storing(target):
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)


def restore(studio: Path, run_id: str) -> None:
    """Move a run out of the bin of a studio's folder. Raises StorageError."""
    with storing(studio / run_id):
        (studio / FOLDER / run_id).rename(studio / run_id)


def delete(folder: Path) -> None:
    """Remove a run that lies in the bin, its files and all. Raises StudioError if it lies elsewhere,
    StorageError."""
    if folder.parent.name != FOLDER:
        raise StudioError("The run {name} is not in the bin: delete it first.", name=folder.name)
    with storing(folder):
        shutil.rmtree(folder)


def remove(folder: Path) -> None:
    """Remove a run for good, wherever it lies. Raises StudioError if it is being painted, StorageError."""
    if folder.parent.name != FOLDER:
        move_to_trash(folder)
        folder = folder.parent / FOLDER / folder.name
    delete(folder)


def list_trash(studio: Path) -> dict[str, int]:
    """When the folder of each run in a studio's bin last changed, by the run's id. Raises StorageError."""
    folder = studio / FOLDER
    return folder_times(folder) if folder.is_dir() else {}

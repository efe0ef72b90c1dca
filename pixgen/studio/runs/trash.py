"""The trash: deleted runs in the folder ``bin`` beside the others, until it is emptied."""

import shutil
from pathlib import Path

from pixgen.errors import StudioError
from pixgen.studio.runs.run import RunLock, folder_times
from pixgen.studio.storage import storage_errors

FOLDER = "bin"  # in the studio's


def move_to_trash(folder: Path) -> None:
    """Move a run to the trash. Raises StudioError if it is being painted, StorageError."""
    RunLock(folder).release()  # raises if a job has it; released, as some systems do not move open files
    target = folder.parent / FOLDER / folder.name
    with storage_errors(target):
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)


def restore(studio: Path, run_id: str) -> None:
    """Move a run from the trash back to the studio's folder. Raises StorageError."""
    with storage_errors(studio / run_id):
        (studio / FOLDER / run_id).rename(studio / run_id)


def delete(folder: Path) -> None:
    """Delete the files of a run in the trash. Raises StudioError if it is not in the trash, StorageError."""
    if folder.parent.name != FOLDER:
        raise StudioError("The run {name} is not in the trash: delete it first.", name=folder.name)
    with storage_errors(folder):
        shutil.rmtree(folder)


def remove(folder: Path) -> None:
    """Delete a run permanently, in the trash or not. Raises StudioError if it is being painted,
    StorageError."""
    if folder.parent.name != FOLDER:
        move_to_trash(folder)
        folder = folder.parent / FOLDER / folder.name
    delete(folder)


def list_trash(studio: Path) -> dict[str, int]:
    """The modification times of the runs in the trash, by run id. Raises StorageError."""
    folder = studio / FOLDER
    return folder_times(folder) if folder.is_dir() else {}

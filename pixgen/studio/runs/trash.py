"""The trash: deleted runs in the folder ``bin`` beside the others, until it is emptied."""

import os
import shutil
from pathlib import Path

from pixgen.errors import StudioError
from pixgen.studio.runs.run import RunLock, folder_lock, folder_times
from pixgen.studio.storage import storage_errors

TRASH = "bin"  # the folder in the studio's


def move_to_trash(folder: Path) -> None:
    """Move a run to the trash. Raises StudioError if it is being painted, StorageError."""
    target = folder.parent / TRASH / folder.name
    with folder_lock(folder.parent):
        run_lock = RunLock(folder)
        try:
            if os.name == "nt":  # which does not move open files
                run_lock.release()
            with storage_errors(target):
                target.parent.mkdir(exist_ok=True)
                folder.rename(target)
        finally:
            run_lock.release()


def restore_from_trash(studio: Path, run_id: str) -> None:
    """Move a run from the trash back to the studio's folder. Raises StorageError."""
    with folder_lock(studio), storage_errors(studio / run_id):
        (studio / TRASH / run_id).rename(studio / run_id)


def delete_from_trash(folder: Path) -> bool:
    """Delete the files of a run in the trash; returns whether it was still there. Raises StudioError if it is not in
    the trash, StorageError."""
    if folder.parent.name != TRASH:
        raise StudioError("The run {name} is not in the trash: delete it first.", name=folder.name)
    with folder_lock(folder.parent.parent), storage_errors(folder):
        if not folder.is_dir():  # another page has emptied the trash, or restored it
            return False
        shutil.rmtree(folder)
        return True


def remove_run(folder: Path) -> bool:
    """Delete a run permanently, in the trash or not; returns whether it was still there. Raises StudioError if it is
    being painted, StorageError."""
    if folder.parent.name != TRASH:
        move_to_trash(folder)
        folder = folder.parent / TRASH / folder.name
    return delete_from_trash(folder)


def list_trash(studio: Path) -> dict[str, int]:
    """The modification times of the runs in the trash, by run id. Raises StorageError."""
    folder = studio / TRASH
    return folder_times(folder) if folder.is_dir() else {}

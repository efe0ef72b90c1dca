"""Hands a run's files to the browser: copied into gradio's cache, so that no folder is opened."""

import hashlib
import os
import shutil
from pathlib import Path

from gradio.components.base import Component


def servable(path: Path, component: Component, *, name: str) -> str:
    """A copy of a file under a name for downloading, byte by byte the same.

    It lies in a folder named by its content, which cannot be guessed; gradio deletes it after
    a day, and the run's own file stays where it is.
    """
    copy = Path(component.GRADIO_CACHE) / hashlib.sha256(path.read_bytes()).hexdigest() / name
    if copy.is_file():
        os.utime(copy)  # it is as good as new: its age counts from now
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy.with_suffix(".part"))
        copy.with_suffix(".part").replace(copy)
    return str(copy)

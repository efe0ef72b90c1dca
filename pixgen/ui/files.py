"""Hands files to the browser: copied into gradio's cache, so that no folder is opened."""

import hashlib
import os
from pathlib import Path

from gradio.components.base import Component


def servable(path: Path, component: Component, *, name: str) -> str:
    """A copy of a file under a name for downloading, byte by byte the same; the file stays where it is."""
    return servable_bytes(path.read_bytes(), component, name=name)


def servable_bytes(data: bytes, component: Component, *, name: str) -> str:
    """A file with these bytes under a name for downloading.

    It lies in a folder named by its content, which cannot be guessed; gradio deletes it after a day.
    """
    copy = Path(component.GRADIO_CACHE) / hashlib.sha256(data).hexdigest() / name
    if copy.is_file():
        os.utime(copy)  # it is as good as new: its age counts from now
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.with_suffix(".part").write_bytes(data)
        copy.with_suffix(".part").replace(copy)
    return str(copy)

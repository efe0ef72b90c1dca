"""Where pixgen's own files are, in a clone and in an installed package, and where runs are kept.

Every path that is relative to the source starts here, so that a module can be moved without breaking one.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).parent


def _bundled(name: str) -> Path:
    """A folder of the repository: beside the package in a clone, inside it in a wheel."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


ASSETS = _bundled("assets")  # bundled models, label sets, example pictures
PRESETS = _bundled("presets")  # presets, styles and word lists
STATIC = PACKAGE / "ui"  # the page's scripts, styles and icon
OWN_DRAWINGS = PACKAGE / "training" / "own"  # an SVG of each, called as the thing is


def output_folder(folder: str | Path | None = None) -> Path:
    """The absolute path of the folder where runs are kept.

    The folder that is given, else ``$PIXGEN_OUTPUT_DIR``, else ``outputs`` in the current folder: a
    command leaves its pictures where it was called, as an installed program should, and never beside
    the package.
    """
    return Path(folder or os.environ.get("PIXGEN_OUTPUT_DIR") or "outputs").expanduser().absolute()

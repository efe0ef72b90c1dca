"""Where pixgen's own files are, in a clone and in an installed package, where runs are kept, and how
people's own paths are read.

Every path that is relative to the source starts here, so that a module can be moved without breaking one.
"""

import os
from pathlib import Path, PurePath

PACKAGE = Path(__file__).parent
# What the names of hidden files begin with.
_OF_SYSTEMS = (".", "__MACOSX", "@eaDir", "$RECYCLE.BIN")


def _bundled(name: str) -> Path:
    """A folder of the repository: beside the package in a clone, inside it in a wheel."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


ASSETS = _bundled("assets")  # bundled models, label sets, example pictures
PRESETS = _bundled("presets")  # presets, styles and word lists
STATIC = PACKAGE / "ui" / "static"  # the page's scripts, styles and icon
LOCALES = PACKAGE / "ui" / "i18n" / "locale"  # the page's catalogues, by language
OWN_DRAWINGS = PACKAGE / "training" / "own"  # an SVG of each, called as the thing is


def output_folder(folder: str | Path | None = None) -> Path:
    """The absolute path of the folder where runs are kept.

    The folder that is given, else ``$PIXGEN_OUTPUT_DIR``, else ``outputs`` in the current folder: a
    command leaves its pictures where it was called, as an installed program should, and never beside
    the package.
    """
    return expand(folder or os.environ.get("PIXGEN_OUTPUT_DIR") or "outputs").absolute()


def expand(path: str | Path) -> Path:
    """A path with the home folder in place of a ``~`` at its beginning, as a shell writes it.

    A ``~`` that names nobody is part of a file's name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_hidden(path: str | PurePath) -> bool:
    """Whether a file, by its path below the folder that was named, is a system's and not a person's.

    A macOS disk has a ``._fox.png`` beside each ``fox.png``, a NAS small copies in ``@eaDir``.
    """
    return any(part.startswith(_OF_SYSTEMS) for part in PurePath(path).parts)

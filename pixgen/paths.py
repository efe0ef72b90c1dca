"""Paths of pixgen's bundled files (in a clone or a wheel), the output folder, and reading of users' paths.

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
PERSISTENT = Path("/data")  # of a Space that has storage
LOCAL = "local-dir:"
CHECKPOINTS = (".ckpt", ".pt", ".pth", ".bin", ".safetensors")  # suffixes of files of weights
STATIC = PACKAGE / "ui" / "static"  # the page's scripts, styles and icon
LOCALES = PACKAGE / "ui" / "i18n" / "locale"  # the page's catalogues, by language
OWN_DRAWINGS = PACKAGE / "training" / "own"  # an SVG of each, called as the thing is


def output_folder(folder: str | Path | None = None) -> Path:
    """The absolute path of the folder where runs are kept.

    The folder that is given, else ``$PIXGEN_OUTPUT_DIR``, else in a Space with persistent storage its
    ``/data/outputs``, else ``outputs`` in the current folder: a command leaves its pictures where it was
    called, as an installed program should, and never beside the package.
    """
    kept = "SPACE_ID" in os.environ and os.access(PERSISTENT, os.W_OK)
    found = folder or os.environ.get("PIXGEN_OUTPUT_DIR") or (PERSISTENT / "outputs" if kept else "outputs")
    return expand(found).absolute()


def expand(path: str | Path) -> Path:
    """A path whose leading ``~`` is replaced by the home folder, as a shell does.

    A ``~`` that names nobody is part of a file's name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_hidden(path: str | PurePath) -> bool:
    """Whether a file is hidden or was made by the operating system, by its path below the chosen folder.

    A macOS disk has a ``._fox.png`` beside each ``fox.png``, a NAS small copies in ``@eaDir``.
    """
    return any(part.startswith(_OF_SYSTEMS) for part in PurePath(path).parts)


def split_name(name: str) -> tuple[str, Path] | None:
    """Split the name of an own CLIP into its architecture (may be empty) and path; None for other names."""
    if name.startswith(LOCAL):
        return "", Path(name.removeprefix(LOCAL)).expanduser()
    told, colon, rest = name.partition(":")
    # One letter before a colon is a drive of Windows.
    if colon and len(told) > 1 and not set(told) & set("/\\") and _is_path(rest):
        return told, Path(rest).expanduser()
    return ("", Path(name).expanduser()) if _is_path(name) else None


def absolute_name(name: str) -> str:
    """Make the path in the name of an own CLIP absolute, so that it is found from any folder."""
    found = split_name(name)
    if found is None:
        return name
    before = LOCAL if name.startswith(LOCAL) else f"{found[0]}:" if found[0] else ""
    return before + str(found[1].absolute())


def _is_path(text: str) -> bool:
    if Path(text).suffix in CHECKPOINTS:
        return True
    # A folder that has a model's name by chance is none: it is named as a path.
    return bool(set(text) & set("/\\~")) and Path(text).expanduser().is_dir()

"""Sources of the training drawings: openly licensed picture families, downloaded by package name.

Every family's licence allows training and is repeated in ``assets/pocket/README.md``.
"""

import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from pixgen.errors import TrainingError


@dataclass(frozen=True)
class Family:
    """One set of drawings in one style, published as an iconify package of SVG bodies."""

    name: str
    package: str
    version: str
    licence: str
    author: str
    style: tuple[str, ...]  # the words for this style; the first is the usual one


FAMILIES = (
    Family("noto", "@iconify-json/noto", "1.2.9", "Apache-2.0", "Google", ("emoji", "cartoon drawing")),
    Family(
        "noto-v1",
        "@iconify-json/noto-v1",
        "1.2.5",
        "Apache-2.0",
        "Google",
        ("old emoji", "cartoon drawing"),
    ),
    Family(
        "fluent",
        "@iconify-json/fluent-emoji",
        "1.2.7",
        "MIT",
        "Microsoft",
        ("3d render", "3d model", "shiny 3d picture"),
    ),
    Family(
        "fluent-flat",
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "MIT",
        "Microsoft",
        ("flat illustration", "flat drawing", "vector illustration"),
    ),
    Family(
        "openmoji",
        "@iconify-json/openmoji",
        "1.2.29",
        "CC-BY-SA-4.0",
        "OpenMoji",
        ("line drawing", "outlined drawing", "comic drawing"),
    ),
    Family(
        "twemoji",
        "@iconify-json/twemoji",
        "1.2.5",
        "CC-BY-4.0",
        "Twitter",
        ("sticker", "simple drawing"),
    ),
    Family(
        "emojione",
        "@iconify-json/emojione",
        "1.2.3",
        "CC-BY-4.0",
        "Emoji One",
        ("icon", "simple icon"),
    ),
)
WORDS_PACKAGE = ("emojibase-data", "17.0.0")  # MIT: labels, keywords and groups of every emoji
CLIPART_PACKAGE = "openclipart-svg"  # Debian, public domain: drawings with titles and keywords
CLIPART_STYLE = ("clip art", "clipart drawing")


def fetch(folder: Path) -> None:
    """Download and unpack every package into ``folder``; existing ones are kept.

    Raises TrainingError if ``npm`` or ``apt-get`` is missing or cannot reach its registry.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packages = [(family.package, family.version) for family in FAMILIES] + [WORDS_PACKAGE]
    for package, version in packages:
        fetch_package(folder, package, version)
    fetch_debian(folder, CLIPART_PACKAGE)


def fetch_debian(folder: Path, package: str) -> Path:
    """Download and unpack a Debian package into ``folder`` if it is not there; returns its folder.

    Raises TrainingError as ``fetch`` does.
    """
    if not (folder / package).exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", package], folder)
        archive = next(folder.glob(f"{package}*.deb"))
        _run(["dpkg-deb", "-x", archive.name, package], folder)
        archive.unlink()
    return folder / package


def fetch_package(folder: Path, package: str, version: str) -> Path:
    """Download and unpack an npm package into ``folder`` if it is not there; returns its folder.

    Raises TrainingError as ``fetch`` does.
    """
    target = package_folder(folder, package)
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["npm", "pack", "--silent", f"{package}@{version}"], folder)
        archive = next(folder.glob("*.tgz"))
        unpacked = folder / "unpacked"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        archive.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(unpacked / "package", target)
    return target


def package_folder(folder: Path, package: str) -> Path:
    """The folder that holds an unpacked npm package."""
    return folder / package.replace("@", "").replace("/", "-")


def clipart_folder(folder: Path) -> Path:
    """The folder that holds Open Clip Art's SVG files, by subject."""
    return folder / CLIPART_PACKAGE / "usr" / "share" / "openclipart" / "svg"


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise TrainingError(
            "{command} is needed to fetch the drawings: install it first.", command=command[0]
        ) from error
    except subprocess.CalledProcessError as error:
        raise TrainingError(
            "{command} failed: {reason}",
            command=" ".join(command),
            reason=error.stderr.strip()[-300:],
        ) from error

"""The wheel and the sdist: what is in them, and that an installed pixgen paints in any folder."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FOLDERS = ("assets", "pixgen", "presets", "scripts", "tests")
BUILD = "import sys, setuptools.build_meta as backend; backend.build_{}(sys.argv[1])"


def files_below(folder: Path) -> set[str]:
    """The files of a folder by their paths in it, without what Python compiles."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix() for path in paths}


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints in a folder; fails with what it says if it does."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, source: Path, target: Path) -> Path:
    """A ``wheel`` or ``sdist`` of a source folder, made by the build backend itself: no network."""
    target.mkdir()
    run([sys.executable, "-c", BUILD.format(kind), str(target)], source)
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of the repository, since a build leaves folders behind."""
    copy = tmp_path_factory.mktemp("source") / "pixgen"
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(source) -> Path:
    return build("wheel", source, source.parent / "wheel")


@pytest.fixture(scope="module")
def sdist(source) -> Path:
    return build("sdist", source, source.parent / "sdist")


@pytest.fixture(scope="module")
def installed(wheel) -> Path:
    """A folder in which the wheel is installed, and nothing that it needs."""
    target = wheel.parent.parent / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, "--no-deps", "--no-index", "--target", str(target), str(wheel)], target.parent)
    return target


def contents(wheel: Path) -> dict[str, int]:
    """The checksum of every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {each.filename: each.CRC for each in archive.infolist()}


@pytest.mark.parametrize("folder", ["assets", "presets"])
def test_every_file_of_the_data_folders_travels_in_the_wheel(wheel, folder):
    start = f"pixgen/{folder}/"
    inside = {name.removeprefix(start) for name in contents(wheel) if name.startswith(start)}
    assert inside == files_below(ROOT / folder)


def test_every_file_of_the_package_travels_in_the_wheel(wheel):
    data = ("pixgen/assets/", "pixgen/presets/")
    inside = {name for name in contents(wheel) if name.startswith("pixgen/") and not name.startswith(data)}
    assert {name.removeprefix("pixgen/") for name in inside} == files_below(ROOT / "pixgen")
    assert {name.split("/")[0] for name in contents(wheel)} == {
        "pixgen",
        wheel.name.partition("-py3")[0] + ".dist-info",
    }


def test_the_sdist_builds_the_same_wheel_and_brings_the_tests(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert contents(build("wheel", unpacked, tmp_path / "again")) == contents(wheel)
    assert files_below(unpacked / "tests") == files_below(ROOT / "tests")
    assert (unpacked / "app.py").is_file()


def test_an_installed_pixgen_paints_in_an_empty_folder(installed, tmp_path):
    environment = {"PYTHONPATH": str(installed), "PIXGEN_OUTPUT_DIR": ""}
    home = run([sys.executable, "-c", "import pixgen; print(pixgen.__file__)"], tmp_path, **environment)
    assert Path(home.strip()).is_relative_to(installed)
    command = ["generate", "a red fox", "--size", "64x64", "--steps", "2", "--device", "cpu"]
    run([str(installed / "bin" / "pixgen"), *command], tmp_path, **environment)
    (picture,) = tmp_path.glob("outputs/*/picture.png")
    assert picture.stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


def test_what_paints_nothing_leaves_nothing_behind(installed, tmp_path):
    environment = {"PYTHONPATH": str(installed), "PIXGEN_OUTPUT_DIR": ""}
    pixgen = str(installed / "bin" / "pixgen")
    assert "draft" in run([pixgen, "presets"], tmp_path, **environment)
    assert "No runs yet" in run([pixgen, "runs"], tmp_path, **environment)
    assert list(tmp_path.iterdir()) == []

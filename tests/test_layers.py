"""The house's floors: who may import whom, read from the source."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "errors": 0, "messages": 0, "logs": 0, "paths": 0, "text_files": 0, "encodings": 0,
    "image_formats": 0, "random_numbers": 0, "images": 1, "recipe": 1, "losses": 1, "translation": 1,
    "models": 2,
    "synthesis": 3, "vision": 3,
    "studio": 4, "cluster": 5,
    "api": 6, "ui": 6,
    "bench": 7, "training": 7,
    "cli": 8,
    "__main__": 9,
}  # fmt: skip
TOGETHER = (0, 1)  # floors whose modules may import each other
MOST_MODULES = 15  # in a folder, without its __init__
MOST_IN_ALL = 296  # modules of the package, without the folders' __init__
MOST_LINES = 460  # in a module
# Words that the field has other names for, as names of modules or classes.
PRIVATE_WORDS = {
    "eye", "eyes", "hand", "hands", "pen", "pens", "wish", "wishes", "taste", "arriving", "glimpse",
    "glimpses", "outlook", "room", "bin", "marks", "claim", "claims", "orders", "seat", "visitor",
    "mishaps", "stops", "told", "found", "offered", "desk", "portrayal", "portrait", "portraits",
    "remembered", "imagining", "imagination", "basis", "working", "swiftly", "sparingly", "frugal",
    "sketchbook", "keeper", "wanted", "film", "films",
}  # fmt: skip
NO_PLACE_FOR_PAGES_OR_FILES = {"pathlib", "os", "io", "threading", "gradio"}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots: write the whole name"
            yield node.module
            # ``from pixgen import studio`` imports pixgen.studio.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> list[Path]:
    """The package's files, without its first."""
    return sorted(path for path in (ROOT / "pixgen").rglob("*.py") if path != ROOT / "pixgen/__init__.py")


def part(path: Path) -> str:
    """The top-level module or package that a file belongs to."""
    return path.relative_to(ROOT / "pixgen").parts[0].removesuffix(".py")


def imported_parts(path: Path) -> set[str]:
    """The top-level modules and packages of pixgen that a file imports."""
    names = [name.split(".") for name in imports(path) if name.startswith("pixgen.")]
    return {name[1] for name in names if name[1] in FLOORS}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def folders() -> list[Path]:
    """The package's folders that hold modules."""
    return sorted({path.parent for path in modules()})


def words_of(name: str) -> set[str]:
    """The words of a module's or a class's name, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


@pytest.mark.parametrize("path", modules(), ids=named)
def test_every_module_has_a_floor(path):
    assert part(path) in FLOORS


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_floor_imports_only_floors_below_it(path):
    own = part(path)
    # The bench may measure with the training's drawings, where they are.
    for other in imported_parts(path) - {own, *(["training"] if own == "bench" else [])}:
        below = FLOORS[other] < FLOORS[own]
        beside = FLOORS[other] == FLOORS[own] and FLOORS[own] in TOGETHER
        assert below or beside, f"{named(path)} imports {other}, which is not below it"


@pytest.mark.parametrize("folder", folders(), ids=named)
def test_a_folder_holds_few_modules_and_says_what_it_is_for(folder):
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    assert len(names) <= MOST_MODULES, f"{named(folder)} has {len(names)} modules: make a folder"
    text = (folder / "__init__.py").read_text("utf-8")
    assert len((ast.get_docstring(ast.parse(text)) or "").split(".")) > 2, "say what goes in and out"


def test_modules_are_few_and_short():
    names = [path for path in modules() if path.stem != "__init__"]
    assert len(names) <= MOST_IN_ALL, "merge modules that are only read together"
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in names}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}, "make two of one"


@pytest.mark.parametrize("path", modules(), ids=named)
def test_names_are_the_words_of_the_field(path):
    tree = ast.parse(path.read_text("utf-8"))
    names = [path.stem, *(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    private = {name: words_of(name) & PRIVATE_WORDS for name in names}
    assert not any(private.values()), f"{named(path)}: {private}"


@pytest.mark.parametrize("path", [*modules(), ROOT / "pixgen/__init__.py"], ids=named)
def test_only_the_page_imports_gradio(path):
    if part(path) != "ui":
        assert "gradio" not in {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", sorted((ROOT / "pixgen/synthesis").rglob("*.py")), ids=named)
def test_synthesis_knows_no_path_no_page_and_no_thread(path):
    assert not NO_PLACE_FOR_PAGES_OR_FILES & {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", [*modules(), ROOT / "pixgen/__init__.py"], ids=named)
def test_only_paths_asks_where_a_module_lies(path):
    if part(path) != "paths":
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Name)
        }
        assert "__file__" not in names, "a constant of pixgen.paths survives a move, this does not"


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after some code."""
    ending = "\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + ending],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split(".")[0] for line in done.stderr.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import pixgen",
        "import pixgen; dir(pixgen); pixgen.PixgenError, pixgen.Recipe",
        "from pixgen.cli.app import main; main(['--help'])",
        "from pixgen.cli.app import main; main(['generate', '--help'])",
        "from pixgen.cli.app import main; main(['classify', '--help'])",
        "from pixgen.cli.app import main; main(['bench', 'speed', '--help'])",
        "from pixgen.cli.app import main; main(['search', '--help'])",
        "from pixgen.cli.app import main; main(['search', 'a + '])",
        "from pixgen.cli.app import main; main(['presets'])",
        "import tempfile; from pixgen.cli.app import main\n"
        "with tempfile.TemporaryDirectory() as folder: main(['runs', '--output-dir', folder])",
        "from pixgen.cli.app import main; main(['models', 'list'])",
        "from pixgen.cli.app import main; main(['generate', 'a fox', '--size', '1x1'])",
    ],
)
def test_what_needs_neither_torch_nor_gradio_loads_neither(code):
    loaded = loaded_by(code)
    assert "pixgen" in loaded
    assert not loaded & {"torch", "gradio", "lancedb", "pyarrow"}


def test_the_public_surface_is_there():
    import pixgen

    for name in pixgen.__all__:
        assert getattr(pixgen, name)


def test_an_unknown_public_name_is_an_attribute_error():
    import pixgen

    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        pixgen.paint  # noqa: B018

"""The house's floors: who may import whom, read from the source."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "errors": 0, "messages": 0, "paths": 0,
    "alternatives": 1, "augmentations": 1, "drawing": 1, "engine": 1, "eyes": 1, "growing": 1, "images": 1,
    "kornia_classes": 1,
    "journeys": 1, "losses": 1, "optimizer": 1, "partial": 1, "presets": 1, "prompts": 1,
    "recipe": 1, "settings": 1, "sketches": 1, "start": 1, "story": 1, "styles": 1, "text_files": 0, "values": 1, "words": 1,
    "models": 2,
    "synthesis": 3, "vision": 3,
    "studio": 4,
    "__main__": 5, "bench": 5, "cli": 5, "commands": 5, "films": 5, "painting": 5, "ui": 5,
}  # fmt: skip
TOGETHER = (0, 1, 5)  # floors whose modules may import each other
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
    return {name[1] for name in names if name[1] in FLOORS or name[1] == "training"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(), ids=named)
def test_every_module_has_a_floor(path):
    assert part(path) in FLOORS or part(path) == "training"


@pytest.mark.parametrize("path", [path for path in modules() if part(path) != "training"], ids=named)
def test_a_floor_imports_only_floors_below_it(path):
    own = part(path)
    # The bench may measure with the training's drawings, where they are.
    for other in imported_parts(path) - {own, *(["training"] if own == "bench" else [])}:
        assert other != "training", f"{named(path)} imports the training"
        below = FLOORS[other] < FLOORS[own]
        beside = FLOORS[other] == FLOORS[own] and FLOORS[own] in TOGETHER
        assert below or beside, f"{named(path)} imports {other}, which is not below it"


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

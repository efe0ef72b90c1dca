"""Every fact of the README and of the guides that a program can check.

Commands parse, options, fields, names and links exist, Python blocks run, labels are those of the page,
spelling is clean, and no page is longer than it may be.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from PIL import Image

from pixgen.cli.app import app
from pixgen.errors import PixgenError
from pixgen.paths import ASSETS
from pixgen.recipe.base import set_field
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.options import Options, check_field, parse_init, parse_size, recipe_from
from pixgen.recipe.presets import available_presets, load_preset
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.grids.plans import read_axis
from pixgen.training.__main__ import app as training
from pixgen.ui.i18n.extraction import extract
from pixgen.vision.search.query import parse_date, parse_query
from pixgen.vision.zeroshot.labels import available_templates, bundled_label_sets, parse_labels

ROOT = Path(__file__).parent.parent
GUIDES = [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]
CARDS = sorted(
    str(path.relative_to(ROOT))
    for path in ROOT.glob("*/*/README.md")
    if path.parts[-3] in ("assets", "presets")
)
NAMES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *GUIDES, *CARDS]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in NAMES}
ALL = "\n".join(PAGES.values())
PROGRAM = "python -m pixgen"
WORDS_OF_THE_README, LINES_OF_A_PAGE = 1500, 250


def blocks(language: str, text: str) -> list[str]:
    """The code blocks of a language; those marked ``skip`` need something that no test has."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def lines(text: str = ALL) -> list[str]:
    """Every line for a shell, with those joined that a backslash divides."""
    joined = "\n".join(blocks("sh", text)).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip()]


def commands(text: str = ALL) -> list[str]:
    """The calls of pixgen, in blocks and between backticks."""
    inline = re.findall(rf"`({PROGRAM} [^`]+)`", text)
    found = [line for line in dict.fromkeys([*lines(text), *inline]) if re.match(rf"{PROGRAM}\s", line)]
    return [line for line in found if line != f"{PROGRAM} --version"]


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The command's name and the arguments of its function; raises what a person would see."""
    arguments = shlex.split(line.removeprefix(PROGRAM), comments=True)
    command, names = typer.main.get_command(app), []
    context = command.make_context("pixgen", arguments)
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        if not rest:  # a group that does something by itself
            break
        name, command, rest = command.resolve_command(context, rest)
        names.append(name)
        context = command.make_context(name, rest, parent=context)
    return " ".join(names), context.params


def each(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, (list, tuple)) else [value]


def check_set(name: str) -> None:
    assert name in bundled_label_sets() or name == "birds.txt", name


def check_templates(name: str) -> None:
    assert "{}" in name or name in available_templates(), name


# Checks of options' values, by the option's name. Each raises if the value is wrong.
CHECKS: dict[str, Callable[[Any], Any]] = {
    "preset": load_preset,
    "size": parse_size,
    "init": parse_init,
    "over": read_axis,
    "label_set": check_set,
    "labels": parse_labels,
    "templates": check_templates,
    "after": parse_date,
    "before": parse_date,
    "query": parse_query,
}


def test_there_are_commands_to_check():
    assert len(commands(PAGES["README.md"])) >= 4
    assert len(commands()) > 90


@pytest.mark.parametrize("line", commands())
def test_every_command_parses_and_its_values_are_allowed(line):
    name, given = parsed(line)
    for option, value in given.items():
        if value in (None, "", (), []) or (name, option) == ("search", "preset"):
            continue
        if option in CHECKS and not (name == "augment" and option == "size"):
            for one in each(value):
                CHECKS[option](one)
        if option == "assignments":
            fields: dict[str, Any] = {}
            for assignment in value:
                check_field(assignment)
                set_field(fields, assignment)
            make_recipe({"prompts": "a fox"}, fields)
    if name == "generate" and given.get("prompt"):
        recipe_from(Options(prompt=given["prompt"], negative=given.get("negative") or ()))


def test_a_wrong_command_and_a_wrong_value_are_found():
    with pytest.raises(Exception, match="No such option"):
        parsed(f"{PROGRAM} generate fox --paint-it blue")
    with pytest.raises(Exception, match="No such command"):
        parsed(f"{PROGRAM} painted fox")
    with pytest.raises(PixgenError):
        CHECKS["preset"]("quick")


def options_of(command: Any) -> set[str]:
    """The long options of a command and of its subcommands."""
    found = {name for each in command.params for name in each.opts if name.startswith("--")}
    for below in getattr(command, "commands", {}).values():
        found |= options_of(below)
    return found


def test_every_option_exists():
    known = options_of(typer.main.get_command(app)) | options_of(typer.main.get_command(training))
    known.add("--help")  # click adds it to every command when it parses
    # Options of other programs.
    own = re.sub(
        r"uvx .*? pixgen\b|ruff format --check|scripts/test --long|(?:ray start|srun|#SBATCH) .*", "", ALL
    )
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", own)) - {"--help"}
    assert len(named) > 60
    assert named - known == set()


def assignments() -> list[str]:
    """Every ``--set field=value``, also from tables whose heading is ``--set`` with a prefix."""
    found = re.findall(r"--set '?([a-z_.0-9]+=[^`'\s]*)", ALL)
    for heading, rows in re.findall(
        r"^\| `--set(?: ([a-z_.]*)…)?`.*\n\|[-| ]+\n((?:\|.*\n)+)", ALL, re.MULTILINE
    ):
        for row in rows.splitlines():
            cell = row.split("|")[1]
            found += [heading + each for each in re.findall(r"`([a-z_.0-9]+=[^`]*)`", cell)]
    return sorted({*found} - {"key=value", "losses.brightness=0.5"})  # the latter is how to add a loss


@pytest.mark.parametrize("assignment", assignments())
def test_every_setting_exists(assignment):
    check_field(assignment)


def test_the_tables_of_settings_are_among_them():
    assert {"losses.tiling=5", "story.fade=0.6", "engine.tf32=false"} <= set(assignments())


def test_every_preset_and_cutout_set_exists():
    assert [name for name in re.findall(r"--preset ([a-z-]+)", ALL) if name not in available_presets()] == []
    kinds = [*re.findall(r"cutouts\.kind=([a-z-]+)", ALL)]
    sets = re.findall(r"^\| `([a-z-]+)` \| .*\n", PAGES["docs/augmentations.md"], re.MULTILINE)
    assert [kind for kind in kinds if kind not in CUTOUT_SETS] == []
    assert set(sets) == set(CUTOUT_SETS)


def test_the_presets_are_all_described():
    text = PAGES["docs/getting-started.md"] + PAGES["docs/models.md"]
    assert [name for name in available_presets() if f"`{name}`" not in text] == []


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings(name):
    text = re.sub(r"^```.*?^```", "", PAGES[name], flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\((?!https?://)([^)\s]+)\)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    for target in targets:
        file, _, anchor = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("name", PAGES)
def test_paths_of_the_source_exist(name):
    paths = re.findall(r"`((?:pixgen|tests|assets|presets|scripts|docs)/[\w./-]+)`", PAGES[name])
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/contributing.md"])
def test_names_of_the_code_exist(name):
    """Those in backquotes and on the drawing's arrows, in the source or in the page's own examples; what follows a
    class, in the file of that class."""
    text = PAGES[name]
    folders = ("pixgen", "tests", "scripts")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in ("", ".py", ".js")
    ]
    sources = [path.read_text("utf-8") for path in (*files, ROOT / "requirements-dev.txt") if path.is_file()]
    sources += blocks("python", text)
    known = set(re.findall(r"\w+", "\n".join(sources)))
    prose = re.sub(r"^```(?!mermaid).*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"`([A-Za-z_][\w.]*)(?:\(\))?`|\|(\w+\.\w+)\|", prose)
    names = {each for pair in found for each in pair if each}
    assert len(names) > 20
    assert [each for each in sorted(names) if not set(each.split(".")) <= known] == []
    for whole, part in (each.split(".") for each in names if each.count(".") == 1):
        homes = [source for source in sources if re.search(rf"^class {whole}\b", source, re.MULTILINE)]
        assert not homes or any(re.search(rf"\b{part}\b", home) for home in homes), f"{whole}.{part}"


def test_every_guide_is_in_the_index():
    index = PAGES["docs/README.md"]
    assert [name for name in GUIDES if f"]({Path(name).name})" not in index] == ["docs/README.md"]


def test_the_drawing_of_the_architecture_names_modules_that_exist():
    (drawing,) = blocks("mermaid", PAGES["docs/architecture.md"])
    paths = re.findall(r"\w+/[\w/]+\.py", drawing)
    assert len(paths) > 8
    assert [path for path in paths if not (ROOT / "pixgen" / path).is_file()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_short_enough(name):
    assert len(PAGES[name].splitlines()) <= LINES_OF_A_PAGE


def test_the_readme_is_short_enough():
    assert len(PAGES["README.md"].split()) <= WORDS_OF_THE_README


# Bold in these pages is for the page's labels; bold elsewhere is for emphasis.
OF_THE_PAGE = [
    "getting-started", "prompts", "starting-points", "regions", "drawers", "losses", "augmentations", "models", "runs",
    "grids", "video", "gallery", "classification", "search",
]  # fmt: skip


def labels() -> list[str]:
    bold = [each for name in OF_THE_PAGE for each in re.findall(r"\*\*([^*]+)\*\*", PAGES[f"docs/{name}.md"])]
    return sorted({" ".join(each.split()) for each in bold})


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """Every English text of the page."""
    found: set[str] = set()
    for message in extract():
        found.update([message.id] if isinstance(message.id, str) else message.id)
    return found


@pytest.mark.parametrize("label", labels())
def test_labels_are_those_of_the_page(label, texts):
    assert label in texts or re.sub(r"\d+", "{steps}", label, count=1) in texts


@pytest.mark.parametrize("name", PAGES)
def test_every_python_block_compiles(name):
    for block in blocks("python(?: skip)?", PAGES[name]):
        compile(block, name, "exec")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with the pictures that the examples name."""
    shutil.copy(ASSETS / "examples" / "fox.png", tmp_path / "fox.png")
    Image.open(ASSETS / "examples" / "dog.png").convert("RGB").save(tmp_path / "photo.jpg")
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    own = {**os.environ, "PYTHONPATH": str(ROOT), "PIXGEN_OUTPUT_DIR": str(folder / "outputs")}
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if blocks("python", PAGES[name])])
def test_the_python_blocks_of_a_page_run(name, folder):
    script = folder / "blocks.py"
    script.write_text("\n".join(blocks("python", PAGES[name])), "utf-8")
    run(sys.executable, str(script), folder=folder)


@pytest.mark.slow
def test_the_commands_of_the_readme_run_in_order_and_print_what_it_shows(folder):
    (folder / "fox.png").unlink()  # the first command paints it
    said = ""
    for line in commands(PAGES["README.md"]):
        if line.startswith((f"{PROGRAM} bench", f"{PROGRAM} index")):
            continue
        arguments = shlex.split(line.removeprefix("python"), comments=True)
        done = run(sys.executable, *arguments, folder=folder)
        said += done.stdout + done.stderr
    assert (folder / "fox.png").is_file()
    assert (folder / "fox.mp4").is_file()
    shown = printed_lines("\n".join(blocks("text", PAGES["README.md"])))
    assert {"Picture: fox.png", "fox.png: fox"} <= shown
    assert shown <= printed_lines(said.replace(f"{ROOT}/", ""))


def printed_lines(text: str) -> set[str]:
    """Lines without blanks at their ends, in which figures and bars, which differ between machines, are equal."""
    figures = re.sub(r"\d+\.\d+", "0.0", re.sub(r"█+ *", " ", text))
    return {" ".join(line.split()) for line in figures.splitlines() if line.strip()}


def test_spelling():
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *NAMES], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_trainings_exist():
    text = (ROOT / "pixgen/training/__main__.py").read_text("utf-8")
    named = set(re.findall(r"python -m pixgen\.training (\w+)", ALL))
    assert named
    assert [name for name in named if f'"{name}"' not in text and f"def {name}" not in text] == []


def test_the_space_is_configured_with_the_gradio_that_is_allowed():
    front = yaml.safe_load(PAGES["README.md"].split("---")[1])
    low, high = re.search(
        r"^gradio(?:\[\w+\])?>=([\d.]+),<(\d+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    ).groups()
    version = [int(part) for part in front["sdk_version"].split(".")]
    assert [int(part) for part in low.split(".")] <= version < [int(high)]
    assert (ROOT / front["app_file"]).is_file()


def test_pre_commit_and_the_workflow_run_the_checks_of_the_suite():
    suite = (ROOT / "scripts/test").read_text("utf-8")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    for hook in config["repos"][0]["hooks"]:
        assert hook["entry"].removeprefix("python ") in suite, hook["id"]
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
    assert {"run": "scripts/test"} in workflow["jobs"]["test"]["steps"]

"""Every fact of the README that a program can check: commands, options, fields, names and files."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import app as page
from pixgen.cli.app import app
from pixgen.errors import PixgenError
from pixgen.recipe.base import set_field
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.options import Options, check_field, parse_size, parse_start, recipe_from
from pixgen.recipe.presets import available_presets, load_preset
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.grids.plans import read_axis
from pixgen.training.__main__ import app as training
from pixgen.vision.search.filters import parse_date
from pixgen.vision.search.query import parse_query
from pixgen.vision.zeroshot.labels import available_templates, bundled_sets, parse_labels

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
PROGRAM = "python -m pixgen"


def lines() -> list[str]:
    """Every line for a shell, with those joined that a backslash divides."""
    joined = "\n".join(BLOCKS).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip()]


def commands() -> list[str]:
    """What the README calls pixgen with, in blocks and between backticks."""
    inline = re.findall(rf"`({PROGRAM} [^`]+)`", README)
    return [line for line in [*lines(), *inline] if re.match(rf"{PROGRAM}\s", line)]


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The command's name and what its function would be called with; raises what a person would see."""
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
    assert name in bundled_sets(), name


def check_templates(name: str) -> None:
    assert "{}" in name or name in available_templates(), name


# What a value of an option must be, beside being there. Each raises if it is not.
CHECKS: dict[str, Callable[[Any], Any]] = {
    "preset": load_preset, "size": parse_size, "start": parse_start, "over": read_axis,
    "label_set": check_set, "labels": parse_labels, "templates": check_templates, "after": parse_date,
    "before": parse_date, "query": parse_query,
}  # fmt: skip


def test_there_are_commands_to_check():
    assert len(commands()) > 40


@pytest.mark.parametrize("line", commands())
def test_every_command_parses_and_means_something(line):
    name, given = parsed(line)
    for option, value in given.items():
        if value in (None, "", (), []) or (name, option) == ("search", "preset"):
            continue
        if option in CHECKS:
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


def test_a_command_that_is_none_is_found_out():
    with pytest.raises(Exception, match="No such option"):
        parsed(f"{PROGRAM} generate fox --paint-it blue")
    with pytest.raises(Exception, match="No such command"):
        parsed(f"{PROGRAM} painted fox")


def options_of(command: Any) -> set[str]:
    """The long options of a command and of those below it."""
    found = {name for each in command.params for name in each.opts if name.startswith("--")}
    for below in getattr(command, "commands", {}).values():
        found |= options_of(below)
    return found


def test_every_option_that_is_named_exists(capsys):
    with pytest.raises(SystemExit):
        page.arguments(["--help"])
    known = options_of(typer.main.get_command(app)) | options_of(typer.main.get_command(training))
    known |= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    own = re.sub(r"^uvx .*? pixgen\b", "", README, flags=re.MULTILINE)  # uvx has options of its own
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", own))
    assert named - known == set()


def assignments() -> list[str]:
    """Every ``--set field=value`` of the text, and what the table of losses sets."""
    found = re.findall(r"--set '?([a-z_.]+=[^`'\s]*)", README)
    table = README.partition("| `--set losses.…`")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    of_losses = [
        f"losses.{name}"
        for cell in cells
        for name, sign in re.findall(r"`([a-z_.]+)([=`])", cell)
        if sign == "=" or "=" not in cell  # else it is one more value
    ]
    return sorted({*found, *of_losses} - {"key=value"})


@pytest.mark.parametrize("assignment", assignments())
def test_every_field_that_is_set_exists(assignment):
    check_field(assignment)


def test_tables_and_links_name_what_exists():
    assert [
        name for name in re.findall(r"--preset ([a-z-]+)", README) if name not in available_presets()
    ] == []
    linked = re.findall(r"\]\((?!https?://)([^)#]+)", README)
    assert [path for path in linked if not (ROOT / path).exists()] == []
    kinds = re.findall(r"--set cutouts\.kind=([a-z]+)", README)
    assert [kind for kind in kinds if kind not in CUTOUT_SETS] == []


def test_every_python_block_compiles():
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        compile(block, "README.md", "exec")


def test_the_trainings_that_are_named_exist():
    text = (ROOT / "pixgen/training/__main__.py").read_text("utf-8")
    named = set(re.findall(r"python -m pixgen\.training (\w+)", README))
    assert named
    assert [name for name in named if f'"{name}"' not in text and f"def {name}" not in text] == []


def test_a_wrong_value_is_found_out():
    with pytest.raises(PixgenError):
        CHECKS["preset"]("quick")

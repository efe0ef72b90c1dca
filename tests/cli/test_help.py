"""``--help`` of every command: one line, grouped options, an example that parses, and the field's words."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from pixgen.cli._options import OLD_OPTIONS
from pixgen.cli.app import app, main

# Words of the glossary's left column, which no help text may have.
PRIVATE_WORDS = (
    r"films?", r"foretold", r"eyes?", r"hands?", r"judge", r"what looks", r"looked at by", r"drawn by",
    r"sketched by", r"in the making", r"of its own", r"for ever", r"likest", r"leave out", r"words and step",
    r"how much work", r"what to paint", r"the bin", r"go on with", r"take back", r"alternatives",
)  # fmt: skip
MOST_LETTERS = 100  # of a command's first line: it fits a terminal beside the name


def commands_below(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        yield " ".join((*path, name)), command
        if hasattr(command, "commands"):
            yield from commands_below(command, (*path, name))


COMMANDS = dict(commands_below(typer.main.get_command(app)))


def help_text(command: Any) -> str:
    texts = [command.help or "", *(getattr(each, "help", None) or "" for each in command.params)]
    return "\n".join(texts)


def parse(line: str) -> None:
    """Parse a command line without running it. Raises what a person would see."""
    program, *arguments = shlex.split(line)
    assert program == "pixgen"
    command = typer.main.get_command(app)
    context = command.make_context("pixgen", arguments)
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_there_are_commands_to_check():
    assert len(COMMANDS) > 40


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_in_one_line_what_it_does(name):
    first = (COMMANDS[name].help or "").split("\n\n")[0].strip()
    assert 0 < len(first) <= MOST_LETTERS
    assert "\n" not in first
    assert first.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_that_parses(name):
    label, _, line = (COMMANDS[name].epilog or "").replace("\\[", "[").partition(": ")
    assert label == "Example"
    assert line.startswith(f"pixgen {name}")
    parse(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_stand_in_panels_and_say_what_they_do(name):
    for option in COMMANDS[name].params:
        if option.param_type_name == "argument" or "--help" in option.opts:
            continue
        assert option.help
        assert getattr(option, "rich_help_panel", None), option.opts


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_the_words_of_the_field(name):
    found = re.findall(rf"\b(?:{'|'.join(PRIVATE_WORDS)})\b", help_text(COMMANDS[name]), re.IGNORECASE)
    assert found == []


@pytest.mark.parametrize(
    ("old", "line"),
    [
        ("--bin", "pixgen runs list --bin"),
        ("--looks", "pixgen runs list --looks 'a fox'"),
        ("--looks", "pixgen runs list --looks=fox"),
        ("--drawn-by", "pixgen search fox --drawn-by pocket"),
        ("--way", "pixgen bench quality --way preset"),
    ],
)
def test_an_option_is_read_by_its_old_name_too(old, line, capsys):
    parse(line)
    name = line.partition(f" {old}")[0].removeprefix("pixgen ").removesuffix(" fox")
    assert main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert OLD_OPTIONS[old] in shown
    assert not re.search(rf"{old}(?![\w-])", shown)


def test_an_old_name_behind_two_minuses_is_a_word():
    parse("pixgen runs list -- --bin")


def test_export_video_is_read_by_its_old_name_too(capsys):
    parse("pixgen film RUN --out fox.gif")
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "export-video" in shown
    assert "film" not in shown

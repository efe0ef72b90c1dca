"""How the command line is read: old option names, words that begin with a minus, ``~`` in paths, examples.

``Command`` and ``WordsCommand`` are the classes of all commands; ``example`` gives a command the line that ends
its ``--help``.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand

from pixgen.paths import expand

Function = TypeVar("Function", bound=Callable[..., Any])

# Options by their names in earlier versions: they are read, and not shown.
OLD_OPTIONS = {
    "--bin": "--trash",
    "--looks": "--looks-like",
    "--drawn-by": "--image-model",
    "--way": "--variant",
}


class Command(TyperCommand):
    """A command that also reads the options by their old names."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Put each option's present name in place of an old one, before any ``--``."""
        known = {name for option in self.params for name in option.opts}
        end = args.index("--") if "--" in args else len(args)
        renamed = []
        for argument in args[:end]:
            name, equals, value = argument.partition("=")
            new = OLD_OPTIONS.get(name, name)
            renamed.append(f"{new}{equals}{value}" if new in known and name not in known else argument)
        return super().parse_args(ctx, [*renamed, *args[end:]])


class WordsCommand(Command):
    """A command whose words may begin with a minus: ``pixgen search "- rider + horse"``.

    An argument is an option if the command knows it or if it is written like one, ``--name``; any other
    argument with a minus before it is words.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Move such words to where click expects words that look like options: behind ``--``."""
        takes_value = dict.fromkeys(ctx.help_option_names, False)
        for option in self.params:
            takes_value |= dict.fromkeys(option.opts, not getattr(option, "is_flag", False))
            takes_value |= dict.fromkeys(option.secondary_opts, False)
        takes_value |= {old: takes_value[new] for old, new in OLD_OPTIONS.items() if new in takes_value}
        options: list[str] = []
        words: list[str] = []
        left = list(args)
        while left:
            argument = left.pop(0)
            if argument == "--":
                words += left
                break
            if takes_value.get(argument, False):
                options += [argument, *left[:1]]
                left = left[1:]
            elif argument not in takes_value and re.match(r"-[^-]|--?[^=]*\s", argument):
                words.append(argument)
            elif argument.startswith("-") and argument != "-":
                options.append(argument)
            else:
                words.append(argument)
        return super().parse_args(ctx, [*options, *(["--", *words] if words else [])])


def example(line: str) -> Callable[[Function], Function]:
    """Give a command the line that its ``--help`` ends with."""

    def decorate(command: Function) -> Function:
        command.example = line  # type: ignore[attr-defined]
        return command

    return decorate


def finish_commands(group: typer.Typer, cls: type[TyperCommand] = Command) -> None:
    """Let every command of a group read old option names and ``~``, and end its help with its example."""
    for command in group.registered_commands:
        if (function := command.callback) is None:
            continue
        if not (isinstance(command.cls, type) and issubclass(command.cls, Command)):
            command.cls = cls
        if line := getattr(function, "example", ""):
            command.epilog = escape(f"Example: {line}")
        command.callback = expand_home_paths(function)


def expand_home_paths(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the home folder in place of a ``~`` at the beginning of every path it is given.

    A shell does that at the beginning of a word, but not in ``--out=~/fox.png``; Windows' shell never does.
    """

    @functools.wraps(command)
    def call(*given: Any, **named: Any) -> Any:
        return command(*given, **{name: _expand(value) for name, value in named.items()})

    return call


def _expand(value: Any) -> Any:
    if isinstance(value, Path):
        return expand(value)
    return [_expand(each) for each in value] if isinstance(value, list) else value

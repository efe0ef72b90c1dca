"""What is typed behind a command's name: words that begin with a minus, and paths that begin with ``~``."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from pixgen.paths import expand


class WordsCommand(TyperCommand):
    """A command whose words may begin with a minus: ``pixgen search "- rider + horse"``.

    An argument is an option if it is one that the command knows or is written like one, ``--name``; any
    other with a minus before it is words.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put such words where click expects words that look like options: behind ``--``."""
        taking = dict.fromkeys(ctx.help_option_names, False)
        for option in self.params:
            taking |= dict.fromkeys(option.opts, not getattr(option, "is_flag", False))
            taking |= dict.fromkeys(option.secondary_opts, False)
        options: list[str] = []
        words: list[str] = []
        left = list(args)
        while left:
            each = left.pop(0)
            if each == "--":
                words += left
                break
            if taking.get(each, False):
                options += [each, *left[:1]]
                left = left[1:]
            elif each not in taking and re.match(r"-[^-]|--?[^=]*\s", each):
                words.append(each)
            elif each.startswith("-") and each != "-":
                options.append(each)
            else:
                words.append(each)
        return super().parse_args(ctx, [*options, *(["--", *words] if words else [])])


def at_home(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the home folder in place of a ``~`` at the beginning of every path that it is given.

    A shell does that at the beginning of a word, but not in ``--out=~/fox.png``, and that of Windows never.
    """

    @functools.wraps(command)
    def call(*given: Any, **named: Any) -> Any:
        return command(*given, **{name: _expanded(value) for name, value in named.items()})

    return call


def _expanded(value: Any) -> Any:
    if isinstance(value, Path):
        return expand(value)
    return [_expanded(each) for each in value] if isinstance(value, list) else value

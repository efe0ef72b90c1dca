r"""Wildcards in a prompt: ``a {red|blue} fox __place__`` stands for several texts.

``{a|b}`` names the texts, and may hold others; ``__name__`` stands for the lines of
``presets/words/name.txt``. Braces without a ``|`` between them are text. A backslash makes ``{``, ``}``
and ``__`` plain; elsewhere it is itself. ``escape_wildcards`` makes any text plain.
"""

import itertools
import random
import re
from collections.abc import Callable, Sequence
from functools import cache

from pixgen.errors import RecipeError
from pixgen.paths import PRESETS
from pixgen.recipe.prompts import LONGEST_PROMPTS

MOST_ALTERNATIVES = 256  # texts that one prompt may become
_DEEPEST = 8
_COUNTED_TO = 10**9  # alternatives; more are as many as that

# Backslashes and the mark behind them. Also matches where no mark is, so that a run of backslashes is read once.
_MARK = re.compile(r"(\\*)([{}|]|__[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*__|__)?")

# Parts, one after the other: a text, or the templates of which one stands there.
Template = tuple["str | tuple[Template, ...]", ...]


def expand_wildcards(text: str) -> tuple[str, ...]:
    """Expand a prompt into every text that its wildcards allow, the last choice varying fastest.

    Raises RecipeError for an unknown word list, and if there are more than ``MOST_ALTERNATIVES``.

    >>> expand_wildcards("a {red|blue} fox")
    ('a red fox', 'a blue fox')
    """
    template = _read(text)
    count = _count(template)
    if count > MOST_ALTERNATIVES:
        raise RecipeError(
            "The prompt has {count} alternatives: keep at most {limit}, or let the seed choose one.",
            count=count,
            limit=MOST_ALTERNATIVES,
        )
    return tuple(_expand(template))


def draw_wildcards(text: str, seed: int) -> str:
    """Replace each wildcard by a random choice; the same seed gives the same text. Raises RecipeError."""
    # ``random`` is the one method that stays the same from one Python to the next.
    chance = random.Random(str(seed))
    return _fill(_read(text), lambda options: options[int(chance.random() * len(options))])


def escape_wildcards(text: str) -> str:
    """Escape a text so that ``expand_wildcards`` and ``draw_wildcards`` leave it unchanged."""
    return re.sub(
        r"(\\*)([{}]|__)?",
        lambda found: 2 * found[1] + "\\" + found[2] if found[2] else found[0],
        text,
    )


@cache
def word_lists() -> dict[str, tuple[str, ...]]:
    """The lines of every bundled word list, by its name."""
    return {
        path.stem: tuple(filter(None, map(str.strip, path.read_text("utf-8").splitlines())))
        for path in sorted((PRESETS / "words").glob("*.txt"))
    }


def _read(text: str) -> Template:
    if len(text) > LONGEST_PROMPTS:
        raise RecipeError("The prompt is too long: write at most {limit} characters.", limit=LONGEST_PROMPTS)
    marks = [found for found in _MARK.finditer(text) if found[2]]
    return _template(text, marks, _groups(marks), span=(0, len(text)), within=(0, len(marks)))


def _is_mark(found: re.Match[str]) -> bool:
    return len(found[1]) % 2 == 0


def _groups(marks: Sequence[re.Match[str]]) -> dict[int, list[int]]:
    """By the index of a group's ``{``: the indices of its ``|`` and, at last, of its ``}``."""
    groups, opened = {}, []
    for index, found in enumerate(marks):
        if not _is_mark(found):
            continue
        if found[2] == "{":
            opened.append([index])
        elif found[2] == "|" and opened:
            opened[-1].append(index)
        elif found[2] == "}" and opened:
            first, *bars = opened.pop()
            if bars:
                groups[first] = [*bars, index]
                if len(opened) >= _DEEPEST:
                    raise RecipeError(
                        "The braces in the prompt are nested more than {deepest} levels deep: remove some.",
                        deepest=_DEEPEST,
                    )
    return groups


def _template(
    text: str,
    marks: Sequence[re.Match[str]],
    groups: dict[int, list[int]],
    *,
    span: tuple[int, int],
    within: tuple[int, int],
) -> Template:
    """The parts of ``text[span]``, whose marks are ``marks[within]``."""
    parts: list = []
    (place, end), (index, last) = span, within
    while index < last:
        found = marks[index]
        if found[2] == "|":  # no group's: the grammar of prompts reads it, with its backslashes
            parts.append(text[place : found.end()])
            place, index = found.end(), index + 1
            continue
        slashes = "\\" * (len(found[1]) // 2)
        parts.append(text[place : found.start()] + slashes)
        place = found.end()
        if _is_mark(found) and index in groups:
            options, start, before = [], place, index + 1
            for bar in groups[index]:
                option = _template(
                    text, marks, groups, span=(start, marks[bar].start()), within=(before, bar)
                )
                kept = len(marks[bar][1]) // (2 if marks[bar][2] == "}" else 1)
                options.append((*option, "\\" * kept))
                start, before = marks[bar].end(), bar + 1
            parts.append(tuple(options))
            place, index = start, before
            continue
        if _is_mark(found) and len(found[2]) > 2:
            parts.append(tuple((word,) for word in _words(found[2])))
        else:
            parts.append(found[2])
        index += 1
    parts.append(text[place:end])
    return tuple(part for part in parts if part != "")


def _words(mark: str) -> tuple[str, ...]:
    lists = word_lists()
    name = mark.strip("_")
    if name not in lists:
        raise RecipeError(
            "There is no word list “{mark}”: choose {choices}, or write \\{mark} for the text itself.",
            mark=mark,
            choices=", ".join(f"__{each}__" for each in lists),
        )
    return lists[name]


def _count(template: Template) -> int:
    count = 1
    for part in template:
        if not isinstance(part, str):
            count = min(count * sum(map(_count, part)), _COUNTED_TO)
    return count


def _expand(template: Template) -> list[str]:
    choices = [
        [part] if isinstance(part, str) else [text for option in part for text in _expand(option)]
        for part in template
    ]
    return ["".join(parts) for parts in itertools.product(*choices)]


def _fill(template: Template, choose: Callable[[Sequence[Template]], Template]) -> str:
    return "".join(part if isinstance(part, str) else _fill(choose(part), choose) for part in template)

"""Backslashes and numbers in what people type: prompts, wildcards and search queries.

A mark behind an odd number of backslashes is text. Everything here takes time in proportion to the text's
length, whatever is typed: these texts come from strangers too.
"""

import re
from collections.abc import Iterator

# A number as people type it. Each text has one reading, so that a mismatch is found in one pass.
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
LONGEST_NUMBER = 64  # characters; longer ones are text


def find_marks(text: str, marks: str) -> Iterator[tuple[int, int]]:
    """The place of each of these characters in a text, and how many backslashes stand directly before it."""
    for found in re.finditer(rf"(\\+)([{re.escape(marks)}])?|[{re.escape(marks)}]", text):
        if found[1] is None:
            yield found.start(), 0
        elif found[2] is not None:
            yield found.end() - 1, len(found[1])


def split_unescaped(text: str, mark: str) -> list[str]:
    """Split a text at a character where it is not escaped."""
    parts, start = [], 0
    for place, slashes in find_marks(text, mark):
        if slashes % 2 == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return parts


def unescape(text: str, marks: str) -> str:
    """Halve the backslashes before marks, as they escape each other; others are text."""
    return re.sub(
        rf"(\\+)([{re.escape(marks)}])?",
        lambda found: found[0] if found[2] is None else "\\" * (len(found[1]) // 2) + found[2],
        text,
    )


def double_backslashes(text: str, marks: str) -> str:
    """Double the backslashes before marks, so that ``unescape`` leaves them as they are."""
    return re.sub(
        rf"(\\+)([{re.escape(marks)}])?",
        lambda found: found[0] if found[2] is None else found[1] * 2 + found[2],
        text,
    )


def read_number(text: str) -> float | None:
    """The number that a text is, or None."""
    text = text.strip()
    return float(text) if len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) else None

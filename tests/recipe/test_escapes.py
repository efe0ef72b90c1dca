"""Backslashes and numbers in typed texts, read in time that grows with the text's length alone."""

import contextlib
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import PixgenError
from pixgen.recipe.escapes import double_backslashes, find_marks, read_number, split_unescaped, unescape
from pixgen.recipe.journey import parse_keyframes
from pixgen.recipe.options import find_mistyped_weights, parse_region, parse_size
from pixgen.recipe.prompts import find_ambiguous_weights, find_unfinished, format_prompts, parse
from pixgen.recipe.wildcards import draw_wildcards, escape_wildcards, expand_wildcards
from pixgen.studio.grids.plans import read_axis
from pixgen.studio.metadata.foreign import read_foreign
from pixgen.studio.prompt_help import check_typed_prompt
from pixgen.ui.create.prompt_help import replace_word
from pixgen.vision.search.query import parse_query

MARKS = "|^:[@"
TYPED = st.text(st.sampled_from("ab \\|^:[]@{}_1.+-"), max_size=40)


@given(text=TYPED)
def test_escaping_and_its_inverse(text):
    escaped = double_backslashes(text, MARKS)
    assert unescape(escaped, MARKS) == text
    assert [place for place, _ in find_marks(text, MARKS)] == [
        place for place, sign in enumerate(text) if sign in MARKS
    ]
    assert "|".join(split_unescaped(text, "|")) == text


@given(text=TYPED)
def test_find_marks_counts_the_backslashes_before(text):
    for place, slashes in find_marks(text, MARKS):
        before = text[:place]
        assert slashes == len(before) - len(before.rstrip("\\"))


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), (" -1.5 ", -1.5), (".5", 0.5), ("1.", 1), ("1e3", 1000), ("", None), ("1:2", None), ("1" * 65, None)],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(text, number):
    assert read_number(text) == number


def format_again(text: str) -> None:
    format_prompts(parse(text))


PARSERS: dict[str, Callable[[str], object]] = {
    "prompts": parse,
    "printed prompts": format_again,
    "ambiguous weights": find_ambiguous_weights,
    "mistyped weights": find_mistyped_weights,
    "unfinished prompts": find_unfinished,
    "wildcards": expand_wildcards,
    "drawn wildcards": lambda text: draw_wildcards(text, 0),
    "escaped wildcards": escape_wildcards,
    "keyframes": parse_keyframes,
    "size": parse_size,
    "region": parse_region,
    "grid": read_axis,
    "query": parse_query,
    "prompt help": check_typed_prompt,
    "replaced word": lambda text: replace_word(text, "fox", "wolf"),
    "replaced list": lambda text: replace_word(text, "__", "__animal__"),
    "webui": lambda text: read_foreign({"parameters": f"a\nSteps: 20, Seed: 5, Size: 64x64, {text}"}),
}
HOSTILE = [  # a beginning, what is repeated, and an end that makes a backtracking expression try again
    ("a:", "1", "x"), ("", "\\", "x"), ("a", "\\", "|"), ("a@", " ", "x"), ("", "\\@", "x"), ("a :1", " ", "x"),
    ("__", "-", "!a"), ("", "__", ""), ("", "{a|b}", ""), ("", "1:", "x"), ("", ":1", "x"), ("1", " ", ":x"),
    ("", "1.", ":x"), ("", "[", "]"), ("(", "a:1 ", ""), ("", "x: \"", "\\"), ("-", "-", ".x"), ("", "a.", "!:1"),
    ("a", " ", "x"), ("x=", "1", ""),
]  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS)
def test_hostile_texts_take_no_longer_than_others(parser):
    """A quadratic parser takes ten seconds and more for each of these."""
    for begin, repeated, end in HOSTILE:
        text = begin + repeated * (40_000 // len(repeated)) + end
        began = time.thread_time()
        with contextlib.suppress(PixgenError):
            PARSERS[parser](text)
        assert time.thread_time() - began < 4, (begin, repeated, end)

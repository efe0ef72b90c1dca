"""Expressions of the time and the sound: what they compute, and what they refuse."""

import math

import pytest

from pixgen.errors import InvalidValue
from pixgen.recipe.effects.expressions import Moment, evaluate, parse_expression, uses_sound

START = Moment()


def value(text, moment=START, low=-100.0, high=100.0, otherwise=7.0):
    return evaluate(text, moment, low=low, high=high, otherwise=otherwise)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5 + 0.5*sin(t*2)", 0.5 + 0.5 * math.sin(3)),
        ("frame % 4", 2),
        ("-2**2", -4),
        ("1 if t < 1 else 2", 2),
        ("(t > 1) * 3", 3),
        ("clamp(frame, 0, 10)", 10),
        ("mix(1, 3, bass)", 2),
        ("max(bass, mid, onset)", 0.5),
        ("round(2.5) + floor(1.9) + ceil(0.1)", 4),
        ("cos(pi) + sqrt(4) + exp(0) + log(1) + abs(-1)", 3),
    ],
)
def test_an_expression_has_its_value(text, expected):
    moment = Moment(30, 1.5, {"bass": 0.5})
    assert value(text, moment) == pytest.approx(expected)


def test_values_are_limited_and_have_a_substitute():
    assert value("1000*t", Moment(0, 3.0)) == 100
    assert value("9.0**9**9**9") == 7  # too large to be a number
    assert value("1/t") == 7
    assert value("(-1)**0.5") == 7  # not a real number
    assert value("log(0)") == 7
    assert value("1e308*10 - 1e308*10") == 7  # not a number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sin(t", "is not an expression"),
        ("", "is not an expression"),
        ("x + 1", "does not know “x”: use t, frame"),
        ("open(1)", "does not know the function “open”"),
        ("t.__class__", "contains something that an expression cannot"),
        ("[t for t in (1,)]", "contains something that an expression cannot"),
        ("lambda: 1", "contains something that an expression cannot"),
        ("'a' * 9", "contains something that an expression cannot"),
        ("True", "contains something that an expression cannot"),
        ("1j", "contains something that an expression cannot"),
        ("(t := 3)", "contains something that an expression cannot"),
        ("1 < t < 3", "contains something that an expression cannot"),
        ("sin(t, 2)", "the function sin takes 1 numbers"),
        ("sin(x=t)", "the function sin takes 1 numbers"),
        ("min(*t)", "contains something"),
        ("t" + "+t" * 300, "at most 400 characters"),
        ("(" * 40 + "t" + ")" * 40, "at most 30 brackets"),
        ("-" * 300 + "t", "nested too deeply"),
        ("9" * 399, "a number that is too large"),
    ],
)
def test_what_is_no_expression_is_refused_with_a_reason(text, said):
    with pytest.raises(InvalidValue) as raised:
        parse_expression(text)
    assert said in str(raised.value)


def test_a_long_sum_is_fine():
    assert value("+".join(["t"] * 199), Moment(0, 0.5)) == pytest.approx(99.5)


def test_it_says_whether_it_follows_the_sound():
    assert uses_sound("1 + bass")
    assert not uses_sound("1 + t")

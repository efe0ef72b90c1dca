"""Expressions of the time and the sound: ``0.5 + 0.5*sin(t*2)``, ``1 + 0.04*bass``.

A text is read by Python's own parser and turned into nested functions; only the nodes, names and functions listed
here are allowed, and nothing is ever evaluated as Python code. All numbers are floats, so no power can grow without
bound.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pixgen.errors import InvalidValue

LONGEST_EXPRESSION = 400  # characters
DEEPEST = 30  # brackets inside each other
_DEEPEST_TREE = 220  # operations inside each other: a sum of many terms is one, too
SOUND_NAMES = ("bass", "mid", "treble", "onset")
NAMES = ("t", "frame", *SOUND_NAMES)
_CONSTANTS = {"pi": math.pi, "tau": math.tau}
SILENCE: Mapping[str, float] = dict.fromkeys(SOUND_NAMES, 0.0)

Compute = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True)
class Moment:
    """A moment of a video: the frame, its second, and the levels of the sound there, each in [0, 1]."""

    frame: int = 0
    seconds: float = 0.0
    sound: Mapping[str, float] = field(default_factory=lambda: SILENCE)

    @property
    def variables(self) -> dict[str, float]:
        """The values of the names in an expression."""
        return {"t": self.seconds, "frame": float(self.frame), **SILENCE, **self.sound}


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _mix(one: float, other: float, share: float) -> float:
    return one + (other - one) * share


def _round(value: float) -> float:
    return float(round(value))


# Name: (function, fewest and most arguments).
_FUNCTIONS: Mapping[str, tuple[Callable[..., float], int, int]] = {
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "exp": (math.exp, 1, 1),
    "log": (math.log, 1, 1),
    "abs": (abs, 1, 1),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "round": (_round, 1, 1),
    "min": (min, 2, 8),
    "max": (max, 2, 8),
    "clamp": (_clamp, 3, 3),
    "mix": (_mix, 3, 3),
}
FUNCTION_NAMES = tuple(_FUNCTIONS)
_BINARY: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: Mapping[type, Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_COMPARED: Mapping[type, Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@lru_cache(maxsize=512)
def parse_expression(text: str) -> Compute:
    """The function of the variables that a text describes. Raises InvalidValue, which says what is wrong."""
    text = text.strip()
    if len(text) > LONGEST_EXPRESSION:
        raise InvalidValue("an expression has at most {limit} characters", limit=LONGEST_EXPRESSION)
    if _nesting(text) > DEEPEST:
        raise InvalidValue("an expression has at most {limit} brackets inside each other", limit=DEEPEST)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise InvalidValue(
            "“{text}” is not an expression: write for example 0.5 + 0.5*sin(t*2)", text=text[:60]
        ) from error
    return _compile(tree, text, _DEEPEST_TREE)


def is_expression(text: str) -> bool:
    """Whether a text is a valid expression."""
    try:
        parse_expression(text)
    except InvalidValue:
        return False
    return True


def evaluate(text: str, moment: Moment, *, low: float, high: float, otherwise: float) -> float:
    """The value of an expression at a moment, limited to a range.

    Args:
        otherwise: the value where the expression has none, such as ``1/t`` at 0.

    Raises InvalidValue if the text is not an expression.
    """
    compute = parse_expression(text)
    try:
        value = compute(moment.variables)
    except (ArithmeticError, ValueError, TypeError):  # TypeError: a power of a negative number is complex
        return otherwise
    if isinstance(value, complex) or math.isnan(value):
        return otherwise
    return float(_clamp(value, low, high))


def uses_sound(text: str) -> bool:
    """Whether an expression depends on the sound. Raises InvalidValue if it is not one."""
    parse_expression(text)
    tree = ast.parse(text.strip(), mode="eval")
    return any(isinstance(node, ast.Name) and node.id in SOUND_NAMES for node in ast.walk(tree))


def _nesting(text: str) -> int:
    """How many brackets are open at once at most."""
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _compile(node: ast.AST, text: str, depth: int) -> Compute:
    if depth <= 0:
        raise InvalidValue("“{text}” is nested too deeply: write it in fewer steps", text=text[:60])

    def part(inner: ast.AST) -> Compute:
        return _compile(inner, text, depth - 1)

    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        if isinstance(node.value, bool):
            raise _forbidden(text)
        return _constant(node.value, text)
    if isinstance(node, ast.Name):
        return _variable(node.id)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        apply, left, right = _BINARY[type(node.op)], part(node.left), part(node.right)
        return lambda values: apply(left(values), right(values))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        turn, operand = _UNARY[type(node.op)], part(node.operand)
        return lambda values: turn(operand(values))
    if isinstance(node, ast.IfExp):
        test, then, otherwise = part(node.test), part(node.body), part(node.orelse)
        return lambda values: then(values) if test(values) else otherwise(values)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        compare, first, second = _COMPARED[type(node.ops[0])], part(node.left), part(node.comparators[0])
        return lambda values: float(compare(first(values), second(values)))
    if isinstance(node, ast.Call):
        return _call(node, text, [part(each) for each in node.args])
    raise _forbidden(text)


def _forbidden(text: str) -> InvalidValue:
    return InvalidValue(
        "“{text}” contains something that an expression cannot: use numbers, + - * / % **, comparisons, "
        "“a if b else c”, and {functions}",
        text=text[:60],
        functions=", ".join(FUNCTION_NAMES),
    )


def _constant(value: float, text: str) -> Compute:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidValue("“{text}” contains a number that is too large", text=text[:60])
    return lambda values: number


def _variable(name: str) -> Compute:
    if name in _CONSTANTS:
        return lambda values: _CONSTANTS[name]
    if name not in NAMES:
        raise InvalidValue(
            "an expression does not know “{name}”: use {names}",
            name=name[:30],
            names=", ".join((*NAMES, *_CONSTANTS)),
        )
    return lambda values: values[name]


def _call(node: ast.Call, text: str, arguments: list[Compute]) -> Compute:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _FUNCTIONS:
        raise InvalidValue(
            "an expression does not know the function “{name}”: use {names}",
            name=(name or text)[:30],
            names=", ".join(FUNCTION_NAMES),
        )
    function, fewest, most = _FUNCTIONS[name]
    if node.keywords or not fewest <= len(arguments) <= most:
        raise InvalidValue(
            "the function {name} takes {count} numbers in an expression",
            name=name,
            count=str(fewest) if fewest == most else f"{fewest}–{most}",
        )
    return lambda values: float(function(*(each(values) for each in arguments)))

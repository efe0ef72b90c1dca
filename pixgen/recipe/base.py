"""Base classes of a recipe's parts, partial recipes as dictionaries, how a setting is declared, and what is wrong with
a value.

A setting is declared once, as a pydantic field. The page's control, the command line's help and the table
of ``docs/settings.md`` are made from its title, description, range, step and the titles of its choices.
"""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic.fields import FieldInfo

from pixgen.errors import PixgenError, RecipeError
from pixgen.messages import Message, _, ngettext
from pixgen.text_files import parse_json

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Value(BaseModel):
    """Base of all parts of a recipe: frozen, validated, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(Value):
    """Base of a union's members, told apart by ``kind``, which is always written to JSON."""

    kind: str

    @model_serializer(mode="wrap")
    def _with_kind(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **serialize(self)}


def read_partial(text: str) -> dict[str, Any]:
    """Read a partial recipe from JSON. Raises RecipeError."""
    try:
        value = parse_json(text)
    except json.JSONDecodeError as error:
        raise RecipeError(
            "This is not a recipe: its JSON is invalid at line {line}.", line=error.lineno
        ) from error
    except ValueError as error:  # a number of thousands of digits, or far too deep
        raise RecipeError("This is not a recipe: its JSON is too large.") from error
    if not isinstance(value, dict):
        raise RecipeError("This is not a recipe: a JSON object is expected.")
    return value


def set_field(recipe: dict[str, Any], assignment: str) -> None:
    """Apply ``key.path=value`` to a partial recipe in place. The value is JSON if it parses, else text.
    Raises RecipeError."""
    key, equals, value = assignment.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            "“{assignment}” is not of the form key=value, for example cutouts.count=16.",
            assignment=assignment,
        )
    with suppress(ValueError):
        value = parse_json(value)
    set_path(recipe, key.strip(), value)


def set_path(recipe: dict[str, Any], path: str, value: Any) -> None:
    """Set the field at a dotted path of a partial recipe in place. Raises RecipeError."""
    *outer, last = current_path(path).split(".")
    for part in outer:
        recipe = recipe.setdefault(part, {})
        if not isinstance(recipe, dict):
            raise RecipeError("“{path}” is not a field of a recipe.", path=path)
    recipe[last] = value


VERSION: Final = 2  # of a recipe; 1 samples its cutouts by its own formulas
_EARLIER_NAMES = {"start": "init"}  # fields of a recipe by the names that they had in earlier versions


def current_path(path: str) -> str:
    """A field's dotted path in a recipe by today's names: ``init.fit`` for ``start.fit``."""
    field, dot, inner = path.partition(".")
    return f"{_EARLIER_NAMES.get(field, field)}{dot}{inner}"


def with_current_names(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """A partial recipe by today's names. Where a field is given by both its names, the two are merged, and
    today's name wins."""
    if not _EARLIER_NAMES.keys() & part.keys():
        return part
    renamed: dict[str, Any] = {}
    for name in sorted(part, key=lambda name: name not in _EARLIER_NAMES):
        merge(renamed, {current_path(name): part[name]})
    return renamed


def merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Merge a partial recipe into another in place: its values win, and nested objects are merged."""
    for key, value in part.items():
        if isinstance(value, Mapping):
            known = into.get(key)
            into[key] = dict(known) if isinstance(known, Mapping) else {}
            merge(into[key], value)
        else:
            into[key] = value


def setting(
    title: str,
    description: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    offered: tuple[float, float] | None = None,
    choices: Mapping[str, str] | None = None,
    example: str = "",
    hint: str = "",
    **bounds: Any,
) -> Any:
    """Declare a setting, for use in ``Annotated``.

    Args:
        low, high: the allowed range, both ends included; for open ends pass pydantic's own, such as ``gt``.
        offered: the range of the slider, if it is narrower.
        step: of the slider.
        choices: the values and their titles, in the order of the menu.
        example: the placeholder of an empty text box.
        hint: typical values, for the table in the docs.
        bounds: further arguments of pydantic's ``Field``.
    """
    if low is not None:
        bounds["ge"] = low
    if high is not None:
        bounds["le"] = high
    extra = {
        "step": step,
        "offered": offered,
        "choices": dict(choices or {}),
        "example": example,
        "hint": hint,
    }
    shown: dict[str, Any] = {name: value for name, value in extra.items() if value}
    return Field(title=title, description=description or None, json_schema_extra=shown, **bounds)


@dataclass(frozen=True)
class Setting:
    """The title, description, range and choices of one field, for the page, the help and the docs."""

    path: str  # such as "losses.symmetry.kind"
    default: Any
    title: str
    description: str
    low: float | None  # the range of a slider
    high: float | None
    step: float | None
    choices: Mapping[str, str]  # titles by value
    example: str
    hint: str
    kind: type | None  # int, float, bool or str, where it is one of these

    @property
    def summary(self) -> str:
        """Title, description and typical values, for the table in the docs."""
        said = f"{self.title}. {self.description}".strip()
        return f"{said} Typical values: {self.hint}." if self.hint else said

    @property
    def range(self) -> str:
        """The range of the slider, such as ``0 to 1``; empty if it is not a number."""
        if self.kind not in (int, float) or self.low is None or self.high is None:
            return ""
        return f"{self.low:g} to {self.high:g}"

    @property
    def default_text(self) -> str:
        """The default as text; empty if there is none."""
        if isinstance(self.default, (tuple, list)):
            return ", ".join(map(str, self.default))
        return "" if self.default is None else str(self.default)

    @property
    def help(self) -> str:
        """Title, description and choices in one line, for the command line."""
        said = f"{self.title}. {self.description}".strip()
        values = ", ".join(value for value in self.choices if value)
        return f"{said} {values}." if values else said


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Every setting of a model that has a title, including those of nested models, in order."""
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None:
            yield from settings_of(inner, f"{prefix}{name}.")
        elif field.title:
            yield read_setting(field, f"{prefix}{name}")


def find_setting(model: type[BaseModel], path: str) -> Setting:
    """The setting at a dotted path. Raises KeyError if there is none."""
    *outer, last = path.split(".")
    for name in outer:
        inner = model_in(model.model_fields[name].annotation)
        if inner is None:
            raise KeyError(path)
        model = inner
    return read_setting(model.model_fields[last], path)


def read_setting(field: FieldInfo, path: str) -> Setting:
    """Read a setting from a pydantic field."""
    extra: dict[str, Any] = {}
    if isinstance(field.json_schema_extra, dict):
        extra |= field.json_schema_extra
    bounds = {
        name: value
        for each in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if (value := getattr(each, name, None)) is not None
    }
    low, high = extra.get("offered") or (
        bounds.get("ge", bounds.get("gt")),
        bounds.get("le", bounds.get("lt")),
    )
    return Setting(
        path=path,
        default=field.get_default(call_default_factory=True),
        title=field.title or "",
        description=field.description or "",
        low=low,
        high=high,
        step=extra.get("step"),
        choices=extra.get("choices") or {value: value for value in _literals(field.annotation)},
        example=extra.get("example", ""),
        hint=extra.get("hint", ""),
        kind=_simple_type(field.annotation),
    )


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in ``Model``, ``Model | None`` or ``Annotated[Model, …]``; None if there is none."""
    for each in _union_members(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _union_members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is typing.Annotated:
        return _union_members(get_args(annotation)[0])
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(each for part in get_args(annotation) for each in _union_members(part))
    return (annotation,)


def _literals(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is typing.Literal:
        return get_args(annotation)
    return ()


def _simple_type(annotation: Any) -> type | None:
    found = [each for each in _union_members(annotation) if each in (int, float, bool, str)]
    return found[0] if len(found) == 1 else None


def describe_validation(error: ValueError) -> Message:
    """The first complaint of a validation: where, what is allowed, what was given."""
    if not isinstance(error, ValidationError):
        return error.message if isinstance(error, PixgenError) else Message(str(error))
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "value_error":  # a whole sentence of ours
        raised = first["ctx"]["error"]
        said = raised.message if isinstance(raised, PixgenError) else Message(str(raised))
        return _("{field}: {problem}", field=where, problem=said) if where else said
    said = _describe_problem(first)
    if where:
        said = _("{field} {problem}", field=where, problem=said)
    given = first.get("input")
    if isinstance(given, (int, float, str)) and len(str(given)) < 60:
        return _("{problem} (not {given})", problem=said, given=repr(given))
    return said


_PROBLEMS = {  # pydantic's kinds of errors
    "greater_than_equal": _("must be greater than or equal to {limit}"),
    "less_than_equal": _("must be less than or equal to {limit}"),
    "greater_than": _("must be greater than {limit}"),
    "less_than": _("must be less than {limit}"),
    "finite_number": _("must be a finite number"),
    "float_type": _("must be a valid number"),
    "float_parsing": _("must be a valid number, unable to parse string as a number"),
    "int_type": _("must be a valid integer"),
    "int_parsing": _("must be a valid integer, unable to parse string as an integer"),
    "int_from_float": _("must be a valid integer, got a number with a fractional part"),
    "bool_type": _("must be a valid boolean"),
    "bool_parsing": _("must be a valid boolean, unable to interpret input"),
    "string_type": _("must be a valid string"),
    "literal_error": _("must be {limit}"),
    "missing": _("is required"),
    "extra_forbidden": _("is not an allowed field"),
}


def _describe_problem(error: "ErrorDetails") -> Message:
    """Pydantic's complaint about a value as a translatable message; unknown kinds of complaint stay in
    English."""
    kind, facts = error["type"], error.get("ctx", {})
    if kind == "string_too_long":
        return ngettext(
            "must have at most {count} character",
            "must have at most {count} characters",
            facts["max_length"],
        )
    if kind == "string_too_short":
        return ngettext(
            "must have at least {count} character",
            "must have at least {count} characters",
            facts["min_length"],
        )
    if kind not in _PROBLEMS:
        return Message(error["msg"].replace("Input should be", "must be"))
    limit = next(iter(facts.values()), None)
    if limit is None or "{limit}" not in _PROBLEMS[kind]:
        return _PROBLEMS[kind]
    whole = isinstance(limit, float) and limit.is_integer()
    return Message(_PROBLEMS[kind], limit=int(limit) if whole else limit)

"""Queries of a search, such as ``horse + snow :2 - rider``, embedded as sums of CLIP vectors; and its filters.

Weights are written as in prompts: ``snow :2`` after a term, and ``|`` separates terms as `` + `` does; `` - `` is a
negative weight. rclip's ``2:snow`` is read too. ``[path]`` is a picture; ``a t-shirt``, ``rock-and-roll`` and
``10:30`` are plain texts. A backslash escapes ``+``, ``-``, ``|``, ``[`` and a colon; elsewhere it is a backslash.
Parsing and printing are inverse. The arithmetic is that of rclip, https://github.com/yurijmikhalevich/rclip.

Filters are by date, folder and size, and by recipe for the gallery's runs.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from pixgen.errors import SearchError
from pixgen.recipe.escapes import double_backslashes, unescape
from pixgen.translation import translate

if TYPE_CHECKING:
    from lancedb.expr import Expr
    from PIL import Image

    from pixgen.models import Perceptor


LONGEST_TEXT = 2000
MOST_TERMS = 32
_LONGEST = LONGEST_TEXT * MOST_TERMS  # characters of a whole query
LARGEST_WEIGHT = 1000.0
_SPECIAL = "+-|[:"
_SMALLEST_NORM = 1e-3  # of the sum of unit vectors: below, the rest is rounding
_OPERATOR = re.compile(r"(?:^\s*|\s)([+|-])(?=\s)")
_LAST_WEIGHT = re.compile(r"(?:(?<=\s)|(?<=[^\d\s\\])):(-?(?:\d+(?:\.\d*)?|\.\d+))$")  # at a term's end
_WEIGHT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*:(?!\d)")  # before a term, as rclip has it; 10:30 is a time
LONGEST_FILTER = 1000  # characters of a folder or of a prompt's part


@dataclass(frozen=True)
class Term:
    """A text or the path of a picture, and its weight; a negative one searches away from it."""

    text: str = ""
    picture: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if bool(self.text) == bool(self.picture):
            raise SearchError("A term of a search needs words or a picture: write “a red car”.")
        if not _is_text(self.text or self.picture):
            raise SearchError("A search term contains invalid characters: type it again.")
        if len(self.text) > LONGEST_TEXT:
            raise SearchError(
                "A term of a search has at most {limit} characters: shorten it.", limit=LONGEST_TEXT
            )
        if not 0 < abs(self.weight) <= LARGEST_WEIGHT:
            raise SearchError(
                "The weight of “{text}” must be above 0 and at most {limit:g}: to steer away from it, put "
                "a minus before it.",
                text=_shorten(self.text or self.picture),
                limit=LARGEST_WEIGHT,
            )


Query = tuple[Term, ...]


def parse_query(text: str) -> Query:
    """Parse a query. Raises SearchError if it is empty or a term is invalid."""
    if len(text) > _LONGEST:
        raise SearchError("The query is too long: write at most {limit} characters.", limit=_LONGEST)
    signs, parts, start = ["+"], [], 0
    for found in _OPERATOR.finditer(text):
        if found.start() == 0 and not text[: found.start(1)].strip():
            signs[0] = found[1]  # the first term's own sign
        else:
            parts.append(text[start : found.start()])
            signs.append(found[1])
        start = found.end()
    parts.append(text[start:])
    if not text.strip():
        raise SearchError("The search is empty: say what to look for, for example “a red car”.")
    if len(parts) > MOST_TERMS:
        raise SearchError("A search has at most {limit} terms: leave some out.", limit=MOST_TERMS)
    if not all(part.strip() for part in parts):
        raise SearchError("A term of the search is missing beside a + or -: write “horse + snow”.")
    return tuple(
        _parse_term(part.strip(), -1.0 if sign == "-" else 1.0)
        for sign, part in zip(signs, parts, strict=True)
    )


def format_query(query: Query) -> str:
    """Print a query so that ``parse_query`` reads the same terms."""
    printed = ""
    for term in query:
        sign = "-" if term.weight < 0 else "+" if printed else ""
        printed += f"{' ' if printed else ''}{sign}{' ' if sign else ''}{_format(term)}"
    return printed


def embed_query(
    query: Query, perceptor: "Perceptor", *, open_term: Callable[[str], "Image.Image"]
) -> np.ndarray:
    """The weighted sum of the terms' unit vectors as one unit vector ``(D,)``, float32.

    Args:
        open_term: opens a term's picture, or raises PixgenError.

    Raises SearchError if the terms cancel each other.
    """
    import torch

    from pixgen.vision.images import resize_square, to_batch

    texts = [term.text for term in query if term.text]
    pictures = [resize_square(open_term(term.picture), perceptor.size) for term in query if term.picture]
    with torch.no_grad():
        worded = iter(perceptor.embed_texts(texts).cpu().numpy() if texts else ())
        seen = iter(
            perceptor.embed_images(to_batch(pictures, perceptor.device)).cpu().numpy() if pictures else ()
        )
    return weighted_sum([(term.weight, next(worded if term.text else seen)) for term in query])


def in_english(query: Query) -> Query:
    """A query with terms in other languages translated, for a CLIP that knows English alone."""
    found = {term.text: translate(term.text) for term in query if term.text}
    return tuple(
        replace(term, text=translation.text) if (translation := found.get(term.text)) else term
        for term in query
    )


def weighted_sum(weighted: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """The weighted sum of unit vectors ``(D,)``, as a unit vector. Raises SearchError if it is zero."""
    total = np.sum([weight * vector.astype(np.float64) for weight, vector in weighted], axis=0)
    norm = np.linalg.norm(total)
    if norm < _SMALLEST_NORM * max(abs(weight) for weight, _ in weighted):
        raise SearchError("The terms of the search cancel each other out: change a weight.")
    return (total / norm).astype(np.float32)


def _parse_term(text: str, sign: float) -> Term:
    weight = 1.0
    if found := _WEIGHT.match(text):
        weight, text = float(found[1]), text[found.end() :].lstrip()
    elif found := _LAST_WEIGHT.search(text):
        weight, text = float(found[1]), text[: found.start()].rstrip()
    picture = re.fullmatch(r"\[(.*)\]", text, re.DOTALL)
    if picture and picture[1].strip():
        return Term(picture=unescape(picture[1].strip(), _SPECIAL), weight=sign * weight)
    return Term(unescape(text.strip(), _SPECIAL), weight=sign * weight)


def _format(term: Term) -> str:
    """Print a term without its sign; characters that would be parsed as operators are escaped."""
    text = double_backslashes(term.text or term.picture, _SPECIAL)
    text = re.sub(r"(?:(?<=\s)|^)([+|-])(?=\s|$)", r"\\\1", text)
    if term.picture:
        text = f"[{text}]"
    else:
        text = re.sub(r"^\[", r"\\[", text)
        text = re.sub(r"^((?:\d+(?:\.\d*)?|\.\d+)\s*):", r"\1\\:", text)
        text = re.sub(r":(?=-?(?:\d+(?:\.\d*)?|\.\d+)$)", r"\\:", text)
    weight = abs(term.weight)
    if weight == 1:
        return text
    return f"{text} :{np.format_float_positional(weight, trim='-')}"


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Conditions that a picture must all meet; None or empty means any.

    ``after`` (inclusive) and ``before`` (exclusive) bound the file's time; ``folder`` includes its subfolders;
    ``side`` is the minimum of width and height in pixels; ``prompt`` is a part of the prompt; ``owner`` is the
    run's. Raises SearchError for a value that is too long.
    """

    after: datetime | None = None
    before: datetime | None = None
    folder: str = ""
    side: int = 0
    prompt: str = ""
    preset: str = ""
    model: str = ""
    seed: int | None = None
    owner: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str) and (len(value) > LONGEST_FILTER or not _is_text(value)):
                raise SearchError(
                    "The filter “{name}” is too long or is not text: shorten it.", name=field.name
                )
        if not 0 <= self.side < 2**31 or not 0 <= (self.seed or 0) < 2**63:
            raise SearchError("The size and seed filters must be whole numbers, 0 or more.")

    def as_condition(self) -> "Expr | None":
        """The filter as a LanceDB expression, built from literals and never from text; None if it is empty."""
        from lancedb.expr import col, lit

        conditions = []
        if self.after is not None:
            conditions.append(col("modified") >= lit(_nanoseconds(self.after)))
        if self.before is not None:
            conditions.append(col("modified") < lit(_nanoseconds(self.before)))
        if folder := self.folder.strip("/"):
            # "0" is the character after "/": every text between the two begins with "folder/".
            below = (col("folder") >= lit(f"{folder}/")) & (col("folder") < lit(f"{folder}0"))
            conditions.append((col("folder") == lit(folder)) | below)
        if self.side:
            conditions += [col(name) >= lit(self.side) for name in ("width", "height")]
        if self.prompt:
            conditions.append(col("prompt").lower().contains(lit(self.prompt.lower())))
        conditions += [
            col(name) == lit(value) for name in ("preset", "model") if (value := getattr(self, name))
        ]
        if self.seed is not None:
            conditions.append(col("seed") == lit(self.seed))
        if self.owner is not None:
            conditions.append(col("owner") == lit(self.owner))
        if not conditions:
            return None
        whole = conditions[0]
        for condition in conditions[1:]:
            whole = whole & condition
        return whole


def parse_date(text: str) -> datetime:
    """A date such as ``2026-11-23`` (its start in local time) or a date and time. Raises SearchError."""
    try:
        found = datetime.fromisoformat(text.strip())
        found.timestamp()
        return found
    except (ValueError, OverflowError, OSError) as error:
        raise SearchError(
            "“{text}” is not a date: write it as {example} or 2026-11-23T18:30.",
            text=text[:40],
            example=date(2026, 11, 23),
        ) from error


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


EVERYTHING = Filter()

r"""Prompts and their grammar: ``a red fox @left :2 | snow | text :-1 :-0.9 ^ the same fox asleep``.

``|`` divides prompts, ``^`` divides scenes, ``:weight`` and ``:weight:stop`` follow a text. ``[path]`` is a picture,
``[noise:42]`` a random direction, ``winter -> summer`` the difference of two texts; ``@left``, ``@[path]`` or
``@[the sky]`` says where a prompt applies. Numbers are peeled from the right only while they are numbers, so a colon
inside a text is text; so is an ``@`` without a place. Without a space before it, ``fox:2`` is a weight, but ``10:30``,
``16:9``, ``localhost:7860`` and the end of a URL are text; with one, ``at 10 :30``, it is a weight. A weight that
changes over time is an expression in brackets, ``snow :(0.5 + 0.5*sin(t))``. A backslash makes ``|``, ``^``, ``:``,
``[`` and ``@`` plain; elsewhere it is itself. Parsing and printing are inverse.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from pixgen.errors import InvalidValue, RecipeError
from pixgen.recipe.base import Value, describe_validation
from pixgen.recipe.effects.expressions import (
    LONGEST_EXPRESSION,
    NAMES,
    Moment,
    evaluate,
    parse_expression,
)
from pixgen.recipe.escapes import double_backslashes, find_marks, read_number, split_unescaped, unescape

NO_STOP = -1e9  # below any similarity loss: such a prompt never stops pulling
NEGATIVE_STOP = -0.9  # further away than this, nothing more is gained by pushing
LONGEST_TEXT = 2000
LONGEST_PROMPTS = 200_000  # characters of all scenes together

_SPECIAL = "|^:[@"
# What a number behind a colon belongs to if nothing is between them: a time, a ratio, a score, a chapter,
_COUNTED = re.compile(r"\d+(?:[.:]\d+)*")
# a machine's name, of which the number is a port, or an address of the web.
_HOST = re.compile(r"localhost|[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_URL = re.compile(r"\w://")
MOST_WEIGHT = 1000
VIDEO_SUFFIXES = (".mp4", ".mov", ".webm", ".mkv")  # of a region that moves
_NOISE = re.compile(r"\[noise:(\d{1,18})\]")
_NOT_NOISE = re.compile(r"\[noise:[^./\\\]]{0,40}\]")  # nor a file, which has a suffix or a folder
_ARROW = re.compile(r"\s(\\*)->\s")
# Brackets after a colon hold an expression if they contain a call, such as sin(, or an operator, or if they are
# one of its names alone; otherwise they are text, such as a smile.
_CALCULATED = re.compile(r"[a-z]+\(|[*/%<>]|\d\s*[+-]|[+-]\s*\d")

Place = Literal["left", "right", "top", "bottom", "centre", "everywhere"]
PLACES: tuple[str, ...] = get_args(Place)

_PLACE = rf"(?i:{'|'.join(PLACES)}|center)"


class Prompt(Value):
    """A text or a picture that pulls (or, with a negative weight, pushes) the painting.

    ``stop`` is the signed distance at which it stops: the loss of a positive prompt falls from about
    1 towards 0.7, so ``stop=0.75`` lets go when the picture matches well; a negative prompt's is
    negative (``-0.9``).
    """

    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    picture: Annotated[str, Field(max_length=4096)] = ""  # a path; empty for a text
    # A text that the picture moves away from, towards ``text``: the prompt is the difference of both.
    origin: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    noise: Annotated[int, Field(ge=0, lt=2**63)] | None = None  # or a random direction, by its seed
    weight: Annotated[float, Field(ge=-MOST_WEIGHT, le=MOST_WEIGHT, allow_inf_nan=False)] = 1.0
    # A factor of the weight that changes over time, such as “0.5 + 0.5*sin(t*2)”; empty: always 1.
    weight_expression: Annotated[str, Field(max_length=LONGEST_EXPRESSION)] = ""
    stop: Annotated[float, Field(ge=NO_STOP, le=10, allow_inf_nan=False)] = NO_STOP
    region: Place = "everywhere"
    # Or the path of a painted region or of a video of one, white where it is.
    mask: Annotated[str, Field(max_length=4096)] = ""
    # Or words: the region is where CLIP finds them in the picture that is being painted.
    where: Annotated[str, Field(max_length=200)] = ""
    first_step: Annotated[int, Field(ge=0)] = 0
    last_step: Annotated[int, Field(ge=0)] | None = None

    @field_validator("text", "origin", "picture", "mask", "where", mode="before")
    @classmethod
    def _stripped(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_thing(self) -> "Prompt":
        if bool(self.text) + bool(self.picture) + (self.noise is not None) != 1:
            raise InvalidValue("a prompt needs either a text or a picture, not both")
        if self.origin and not self.text:
            raise InvalidValue("a direction leads from one text to another: “winter -> summer”")
        if bool(self.mask) + bool(self.where) + (self.region != "everywhere") > 1:
            raise InvalidValue("the region of a prompt is either a word or a mask, not both")
        if self.where and not _are_words(self.where):
            raise InvalidValue("say a region in at least two words, for example “the sky”")
        if self.weight_expression:
            parse_expression(self.weight_expression)
        return self

    def at(self, moment: Moment) -> "Prompt":
        """The prompt with the weight that it has at a moment."""
        if not self.weight_expression:
            return self
        factor = evaluate(self.weight_expression, moment, low=-MOST_WEIGHT, high=MOST_WEIGHT, otherwise=1)
        weight = min(max(self.weight * factor, -MOST_WEIGHT), MOST_WEIGHT)
        return self.model_copy(update={"weight": weight, "weight_expression": ""})

    @property
    def texts(self) -> tuple[str, str, str]:
        """All its texts, each of which may be translated; empty ones where it has none."""
        return self.text, self.origin, self.where

    @property
    def area(self) -> tuple[str, str, str]:
        """What names the part of the picture where it applies; that of two prompts for the same part is equal."""
        return self.region, self.mask, self.where

    @property
    def label(self) -> str:
        """The prompt for display: its text, or the picture's file name."""
        if self.noise is not None:
            return f"noise {self.noise}"
        return f"{self.origin} → {self.text}" if self.origin else self.text or _file_name(self.picture)

    def with_bare_names(self) -> "Prompt":
        """The same prompt with file names instead of paths, for display only."""
        return self.model_copy(update={"picture": _file_name(self.picture), "mask": _file_name(self.mask)})


Scene = tuple[Prompt, ...]


def _file_name(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def parse(text: str, *, weighted: bool = False) -> tuple[Scene, ...]:
    """Read scenes of prompts from a text. Raises RecipeError if there is none.

    ``weighted``: every number behind a colon at the end of a prompt is a weight, ``10:30`` too, as pixray
    and VQGAN-CLIP read it.
    """
    if len(text) > LONGEST_PROMPTS:
        raise RecipeError("The prompt is too long: write at most {limit} characters.", limit=LONGEST_PROMPTS)
    scenes = []
    for part in split_unescaped(text, "^"):
        prompts = tuple(
            _prompt(term, weighted=weighted) for term in split_unescaped(part, "|") if term.strip()
        )
        if prompts:
            scenes.append(prompts)
    if not scenes:
        raise RecipeError("The prompt is empty: say what to paint, for example “a red fox”.")
    return tuple(scenes)


def format_prompts(scenes: tuple[Scene, ...]) -> str:
    """Print scenes so that ``parse`` reads the same back (steps are not in the text)."""
    return " ^ ".join(" | ".join(_format(prompt) for prompt in scene) for scene in scenes)


def find_ambiguous_weights(text: str) -> list[str]:
    """The ends of prompts that might be weights and are read as text, such as ``10:30``."""
    ends = []
    for term in re.split(r"[|^]", text):
        end = term.split()[-1] if term.strip() else ""
        before, colon, number = end.rpartition(":")
        if (
            colon
            and read_number(number) is not None
            and not (_URL.search(before) or _is_weight(before, number))
        ):
            ends.append(end)
    return ends


def find_unfinished(text: str) -> list[str]:
    """The prompts with an arrow that lacks a text, or with brackets of a region that do not end them; both are
    read as text."""
    terms = [term.strip() for part in split_unescaped(text, "^") for term in split_unescaped(part, "|")]
    return [
        _shorten(term)
        for term in terms
        if term.startswith("-> ") or term.endswith(" ->") or _has_open_region(_split_region(term)[0])
    ]


def _has_open_region(text: str) -> bool:
    return any(slashes % 2 == 0 and text[at + 1 : at + 2] == "[" for at, slashes in find_marks(text, "@"))


def texts_of(scenes: Iterable[Scene]) -> list[str]:
    """The texts of all prompts, each once; pictures have none."""
    texts = (text for scene in scenes for prompt in scene for text in prompt.texts)
    return list(dict.fromkeys(filter(None, texts)))


def replace_texts(scenes: Iterable[Scene], texts: Mapping[str, str]) -> tuple[Scene, ...]:
    """The scenes with other texts, as far as ``texts`` has one for a prompt's."""

    def replace(prompt: Prompt) -> Prompt:
        own = zip(("text", "origin", "where"), prompt.texts, strict=True)
        new = {name: texts[text] for name, text in own if text in texts}
        return prompt.model_copy(update=new) if new else prompt

    return tuple(tuple(map(replace, scene)) for scene in scenes)


def set_weights(scenes: tuple[Scene, ...], weights: Mapping[int, float]) -> tuple[Scene, ...]:
    """The same prompts with other weights, by their number in each scene, the first being 1.

    Raises RecipeError if no scene has so many prompts, or if a weight is not allowed.
    """
    most = max(map(len, scenes))
    for number in weights:
        if not 1 <= number <= most:
            raise RecipeError(
                "There is no prompt {number}: “{scenes}” has {most}, separated by |.",
                number=number,
                scenes=_shorten(format_prompts(scenes)),
                most=most,
            )
    try:
        return tuple(
            tuple(
                Prompt.model_validate({**prompt.model_dump(), "weight": weights[number]})
                if number in weights
                else prompt
                for number, prompt in enumerate(scene, start=1)
            )
            for scene in scenes
        )
    except ValueError as error:
        raise RecipeError(
            "This weight is not allowed: {reason}.", reason=describe_validation(error)
        ) from error


def _prompt(term: str, *, weighted: bool = False) -> Prompt:
    term, where = _split_region(term.strip())
    term, expression = _split_expression(term)
    term, numbers = (term, []) if expression else _without_numbers(term, weighted=weighted)
    if not where:  # it may stand on either side of the numbers
        term, where = _split_region(term)
    values = where | dict(zip(("weight", "stop"), numbers, strict=False)) | expression
    picture = re.fullmatch(r"\[(.*)\]", term, re.DOTALL)
    if _NOT_NOISE.fullmatch(term) and not _NOISE.fullmatch(term):
        raise RecipeError(
            "A noise prompt has a whole number, for example [noise:42], and not “{term}”.", term=term
        )
    try:
        if noise := _NOISE.fullmatch(term):
            return Prompt(noise=int(noise[1]), **values)
        origin, _arrow, towards = _split_direction(term)
        if towards:
            return Prompt(text=_unescape_text(towards), origin=_unescape_text(origin), **values)
        if picture and picture[1].strip():
            return Prompt(picture=unescape(picture[1], _SPECIAL), **values)
        return Prompt(text=_unescape_text(term), **values)
    except ValueError as error:
        raise RecipeError(
            "The prompt “{term}” is not allowed: {reason}.",
            term=_shorten(term),
            reason=describe_validation(error),
        ) from error


def _split_direction(term: str) -> tuple[str, str, str]:
    """The texts before and after an arrow between spaces that is not escaped; empty ones if there is none."""
    for found in _ARROW.finditer(term):
        before, after = term[: found.start()], term[found.end() :]
        if len(found[1]) % 2 == 0 and before.strip() and after.strip():
            return before + found[1][::2], "->", after
    return "", "", ""


def _unescape_text(text: str) -> str:
    """A text without the backslashes of the grammar."""
    return unescape(
        _ARROW.sub(lambda found: f"{found[0][0]}{found[1][: len(found[1]) // 2]}->{found[0][-1]}", text),
        _SPECIAL,
    )


def _without_numbers(term: str, *, weighted: bool = False) -> tuple[str, list[float]]:
    """A term without the weight and stop at its end, and those two."""
    numbers: list[float] = []
    while len(numbers) < 2:
        before, colon, end = term.rpartition(":")
        number = read_number(end) if colon else None
        slashes = len(before) - len(before.rstrip("\\"))
        if number is None or slashes % 2 or not before.strip():
            break
        if not weighted and not _is_weight(before, end.strip()):
            break
        numbers.insert(0, number)
        term = before.rstrip()
    return term, numbers


def _split_expression(term: str) -> tuple[str, dict[str, Any]]:
    """A term without the weight in brackets at its end and its stop, and those as a prompt's fields."""
    before, colon, end = term.rpartition(":")
    stop = read_number(end) if colon else None
    rest = before.rstrip() if stop is not None else term
    start = rest.rfind(":(")
    if start < 1 or not rest.endswith(")") or rest[:start].endswith("\\") or not rest[:start].strip():
        return term, {}
    inside = rest[start + 2 : -1].strip()
    if not _CALCULATED.search(inside) and inside not in NAMES:
        return term, {}
    try:
        parse_expression(inside)
    except InvalidValue as error:
        raise RecipeError(
            "The weight of “{term}” is not allowed: {reason}.",
            term=_shorten(rest[:start].strip()),
            reason=error.message,
        ) from error
    found = {"weight_expression": inside} | ({} if stop is None else {"stop": stop})
    return rest[:start].rstrip(), found


def _reads_expression(term: str) -> bool:
    """Whether the end of a term would be read as a weight in brackets."""
    try:
        return bool(_split_expression(term)[1])
    except RecipeError:
        return True


def _is_weight(before: str, number: str) -> bool:
    """Whether a number after a colon is the weight of the text before it, and not part of that text."""
    if before[-1:].isspace():
        return True
    word = before.split()[-1] if before.strip() else ""
    if _URL.search(word):
        return False
    word = word[next((at for at, each in enumerate(word) if each == "_" or each.isalnum()), len(word)) :]
    if not number.isdigit():  # no clock, ratio or port has a sign or a fraction
        return True
    return not (_COUNTED.fullmatch(word) or (_HOST.fullmatch(word) and len(number) > 1))


def _split_region(term: str) -> tuple[str, dict[str, Any]]:
    """A term without the region at its end, and that region as a prompt's field."""
    at = max((place for place, slashes in find_marks(term, "@") if slashes % 2 == 0), default=0)
    before, after = term[:at].rstrip(), term[at + 1 :].lstrip()
    if not before:
        return term, {}
    if re.fullmatch(_PLACE, after):
        place = after.lower()
        return before, {"region": "centre" if place == "center" else place}
    path = re.fullmatch(r"\[(.*)\]", after, re.DOTALL)
    if not path or not path[1].strip():
        return term, {}
    inside = unescape(path[1], _SPECIAL).strip()
    if _is_bracketed(inside) and inside[1:-1].strip():  # a path that looks like words
        return before, {"mask": inside[1:-1]}
    return before, {"where" if _are_words(inside) else "mask": inside}


def _are_words(text: str) -> bool:
    """Whether a region in brackets is words, such as “the sky”, and not a path: a path has a suffix or a slash."""
    return len(text.split()) > 1 and not _is_bracketed(text) and not re.search(r"[/\\]|\.\w{1,5}$", text)


def _is_bracketed(text: str) -> bool:
    return len(text) > 1 and text[0] == "[" and text[-1] == "]"


def is_video_path(path: str) -> bool:
    """Whether a region's path is that of a video."""
    return path.lower().endswith(VIDEO_SUFFIXES)


def _format(prompt: Prompt) -> str:
    if prompt.noise is not None:
        text = f"[noise:{prompt.noise}]"
    elif prompt.picture:
        text = f"[{_escape(prompt.picture, '|^@')}]"
    else:
        texts = (_escape_arrows(_escape(text, "|^")) for text in (prompt.origin, prompt.text) if text)
        text = " -> ".join(texts)
        text = re.sub(rf"@(?=\s*(?:{_PLACE}|\[))", r"\\@", text)
        if re.fullmatch(r"\[.*\]", text, re.DOTALL):
            text = "\\" + text
        if _without_numbers(text)[1]:  # the text's own end, which would be read as a weight
            text = _escape_numbers(text)
        if _reads_expression(text):
            start = text.rindex(":(")
            text = f"{text[:start]}\\{text[start:]}"
    where = []
    if prompt.mask or prompt.where:
        inside = prompt.mask or prompt.where
        if prompt.mask and (_are_words(prompt.mask) or _is_bracketed(prompt.mask)):
            inside = f"[{prompt.mask}]"
        where = [f"@[{_escape(inside, '|^@')}]"]
    elif prompt.region != "everywhere":
        where = [f"@{prompt.region}"]
    numbers = []
    if prompt.weight_expression:
        factor = "" if prompt.weight == 1 else f"{_number(prompt.weight)}*"
        inside = f"({prompt.weight_expression})" if factor else prompt.weight_expression
        numbers.append(f"({factor}{inside})")
    elif prompt.weight != 1 or prompt.stop != NO_STOP:
        numbers.append(_number(prompt.weight))
    if prompt.stop != NO_STOP:
        numbers.append(_number(prompt.stop))
    return " ".join([text, *where, *(f":{number}" for number in numbers)])


def _escape(text: str, marks: str) -> str:
    """Backslashes before every mark, and doubled where ``unescape`` would halve them."""
    doubled = double_backslashes(text, _SPECIAL)
    return re.sub(rf"([{re.escape(marks)}])", r"\\\1", doubled)


def _escape_arrows(text: str) -> str:
    return _ARROW.sub(lambda found: f"{found[0][0]}{found[1] * 2}\\->{found[0][-1]}", text)


def _escape_numbers(text: str) -> str:
    """A text with a backslash before each colon of the numbers at its end."""
    start = len(text)
    while (at := text.rfind(":", 0, start)) >= 0 and read_number(text[at + 1 : start]) is not None:
        start = at
    return text[:start] + text[start:].replace(":", "\\:")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"

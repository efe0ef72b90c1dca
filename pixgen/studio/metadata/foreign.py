"""Maps the settings that other programs write into pictures to a pixgen recipe.

pixray (https://github.com/pixray/pixray): a text ``pixray_NAME`` for every setting that is not its default.
stable-diffusion-webui (https://github.com/AUTOMATIC1111/stable-diffusion-webui): one text ``parameters``,
in a PNG's own or in the EXIF of a JPEG or WebP.
VQGAN-CLIP by Nerdy Rodent (https://github.com/nerdyrodent/VQGAN-CLIP), and many scripts after it: a text
``comment`` with the prompts.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pixgen.errors import RecipeError
from pixgen.recipe.drawers import DRAWERS
from pixgen.recipe.prompts import LONGEST_TEXT, NEGATIVE_STOP, NO_STOP, Prompt, parse
from pixgen.recipe.recipe import LARGEST_SEED, LARGEST_SIDE, MOST_STEPS, SMALLEST_SIDE
from pixgen.recipe.settings import OPTIMIZERS

_LONGEST_VALUE = 200  # of a setting that is left out
_MOST_LEFT_OUT = 60
Number = TypeVar("Number", int, float)
# pixray's qualities: iterations, and by how much its base sizes are multiplied.
_QUALITIES = {
    "draft": (200, 1),
    "normal": (250, 2),
    "better": (300, 3),
    "best": (350, 4),
    "supreme": (400, 5),
}
_BASES = {"square": (144, 144), "portrait": (128, 160), "widescreen": (192, 108)}
_DRAWERS = {
    "vqgan": "vqgan",
    "pixel": "pixels",
    "fast_pixel": "pixels",
    "fft": "fourier",
    "line_sketch": "lines",
}
_STARTS = {"pixels": "perlin", "gradient": "gradient", "snow": "snow"}
# Settings of pixray's display and output, which do not affect the picture.
_PIXRAY_ASIDE = {
    "output", "outdir", "output_dir", "save_every", "display_every", "display_clear", "make_video",
    "save_intermediates", "seed_used",
}  # fmt: skip
_PARAMETER = re.compile(r'([A-Za-z][\w /-]{0,40}):\s*("(?:\\.|[^"\\])*"|\{[^{}]*\}|[^,]*)(?:,|$)')
# A line of webui's settings has at least so many settings, among them one of these; other lines after a
# prompt are text.
_FEWEST_SETTINGS, _ITS_SETTINGS = 3, {"Steps", "Sampler", "CFG scale", "Seed", "Size", "Model hash"}
_MOST_READ = 50_000  # characters, from the end, in which its settings are looked for
_NEGATIVE = "negative prompt:"


@dataclass
class ForeignSettings:
    """The settings of another program: a partial recipe, and those without a counterpart."""

    program: str
    recipe: dict[str, Any]
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def leave_out(self, name: str, value: Any) -> None:
        """Record a setting that has no counterpart, or not with this value."""
        if len(self.left_out) < _MOST_LEFT_OUT:
            self.left_out.append((name[:60], str(value)[:_LONGEST_VALUE]))

    def number(
        self, name: str, value: Any, *, kind: Callable[[str], Number], low: float, high: float
    ) -> Number | None:
        """The value as a number within limits; otherwise it is left out, and None is returned."""
        try:
            found = kind(str(value).strip())
        except ValueError:
            found = None
        if found is not None and low <= found <= high:
            return found
        self.leave_out(name, value)
        return None

    def side(self, name: str, value: Any) -> int | None:
        """The value as a width or height in pixels, as for ``number``."""
        return self.number(name, value, kind=int, low=SMALLEST_SIDE, high=LARGEST_SIDE)


def read_foreign(texts: Mapping[str, str]) -> ForeignSettings | None:
    """Map another program's texts; None if the program is not known. Raises RecipeError if they contain
    no prompts."""
    if any(name.startswith("pixray_") for name in texts):
        return _pixray({name[7:]: text for name, text in texts.items() if name.startswith("pixray_")})
    if texts.get("parameters", "").strip():
        return _webui(texts["parameters"])
    comment = texts.get("comment", "").strip()
    if comment.startswith(("[", "(")):
        mapped = ForeignSettings("VQGAN-CLIP", {})
        prompts = _family_prompts(_parse_literal(comment), mapped)
        return None if not prompts else _with_prompts(mapped, prompts)
    return None


def _with_prompts(mapped: ForeignSettings, prompts: list[Prompt]) -> ForeignSettings:
    if not prompts:
        raise RecipeError("This {program} picture does not contain a prompt.", program=mapped.program)
    mapped.recipe["prompts"] = [[prompt.model_dump() for prompt in prompts]]
    return mapped


def _parse_literal(text: str) -> Any:
    """A Python literal by its repr; the text itself if it is not one."""
    if len(text) > LONGEST_TEXT * 10:
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _family_prompts(value: Any, mapped: ForeignSettings) -> list[Prompt]:
    """Prompts in the form ``text:weight:stop | …`` of VQGAN+CLIP programs, without scenes and paths."""
    found: list[Prompt] = []
    for text in _texts(value):
        for term in text.split("|"):
            if not term.strip():
                continue
            # These characters are syntax only in pixgen.
            plain = re.sub(r"([\^\[@])", r"\\\1", term)
            try:
                found += parse(plain, weighted=True)[0]
            except RecipeError:
                mapped.leave_out("prompts", term.strip())
    return found


def _pixray(settings: dict[str, str]) -> ForeignSettings:
    mapped = ForeignSettings("pixray", {})
    given, recipe = dict(settings), mapped.recipe
    prompts = _family_prompts(_parse_literal(given.pop("prompts", "")), mapped)
    wanted = given.pop("seed", None)
    seed = mapped.number("seed", given.get("seed_used", wanted), kind=int, low=0, high=LARGEST_SEED)
    usual, scale = _QUALITIES.get(given.pop("quality", "normal"), _QUALITIES["normal"])
    iterations = given.pop("iterations", usual)
    steps = mapped.number("iterations", iterations, kind=int, low=0, high=MOST_STEPS)
    recipe |= {"seed": seed, "steps": steps}
    recipe |= _pixray_size(given, mapped, scale=scale)
    cutouts, batches = given.pop("num_cuts", None), given.pop("batches", None)
    if cutouts is not None:
        count = mapped.number("num_cuts", cutouts, kind=int, low=1, high=512)
        times = mapped.number("batches", batches or 1, kind=int, low=1, high=64)
        if count and times and count * times <= 512:  # pixray counts the cutouts of one batch
            recipe["cutouts"] = {"count": count * times, "batches": times}
    if given.get("optimiser") in OPTIMIZERS:
        recipe["optimizer"] = {"name": given.pop("optimiser")}
    if given.get("drawer") in _DRAWERS:
        recipe["drawer"] = _DRAWERS[given.pop("drawer")]
    if "learning_rate" in given and DRAWERS[recipe.get("drawer", "vqgan")].needs_vqgan:
        rate = mapped.number("learning_rate", given.pop("learning_rate"), kind=float, low=1e-6, high=10)
        recipe.setdefault("optimizer", {}).update({"learning_rate": rate} if rate else {})
    if given.get("init_noise") in _STARTS:
        recipe["init"] = {"kind": _STARTS[given.pop("init_noise")]}
    for name, value in given.items():
        if name not in _PIXRAY_ASIDE:
            mapped.leave_out(name, value)
    mapped.recipe = {name: value for name, value in recipe.items() if value is not None}
    return _with_prompts(mapped, prompts)


def _pixray_size(given: dict[str, str], mapped: ForeignSettings, *, scale: float) -> dict[str, Any]:
    size, aspect = _parse_literal(given.pop("size", "")), given.pop("aspect", "widescreen")
    times = mapped.number("scale", given.pop("scale", scale), kind=float, low=0.1, high=20)
    if isinstance(size, (list, tuple)) and len(size) == 2:
        sides = size
    elif aspect in _BASES and times is not None:
        sides = [int(side * times) // 16 * 16 for side in _BASES[aspect]]
    else:
        mapped.leave_out("aspect", aspect)
        return {}
    width, height = (mapped.side("size", side) for side in sides)
    return {"width": width, "height": height} if width and height else {}


def _webui(text: str) -> ForeignSettings:
    mapped = ForeignSettings("stable-diffusion-webui", {})
    lines, settings, behind = _webui_parts(text)
    begins = [line.lstrip().lower().startswith(_NEGATIVE) for line in lines]
    first = begins.index(True) if any(begins) else len(lines)
    prompt, negative = "\n".join(lines[:first]), "\n".join(lines[first:])
    negative = negative.lstrip()[len(_NEGATIVE) :]
    width, _, height = settings.pop("Size", "").partition("x")
    if width:
        sides = mapped.side("Size", width), mapped.side("Size", height)
        if all(sides):
            mapped.recipe |= dict(zip(("width", "height"), sides, strict=True))
    for name, place, most in (("Steps", "steps", MOST_STEPS), ("Seed", "seed", LARGEST_SEED)):
        if name in settings:
            number = mapped.number(name, settings.pop(name), kind=int, low=0, high=most)
            mapped.recipe |= {} if number is None else {place: number}
    for name, value in settings.items():
        mapped.leave_out(name, value.strip('"'))
    for line in filter(None, map(str.strip, behind)):
        name, divided, value = line.partition(":")
        mapped.leave_out(name if divided else "text", value.strip() if divided else line)
    prompts = [
        Prompt(text=words, weight=weight, stop=stop)
        for said, weight, stop in ((prompt, 1.0, NO_STOP), (negative, -1.0, NEGATIVE_STOP))
        if (words := _without_emphasis(said, mapped))
    ]
    return _with_prompts(mapped, prompts)


def _webui_parts(text: str) -> tuple[list[str], dict[str, str], list[str]]:
    """The lines of the prompts, the settings, and the lines of extensions after them."""
    lines = text.strip().splitlines()
    read = 0
    for place in reversed(range(len(lines))):
        read += min(len(lines[place]), LONGEST_TEXT * 5)
        if read > _MOST_READ:
            break
        settings = dict(_PARAMETER.findall(lines[place][: LONGEST_TEXT * 5]))
        if len(settings) >= _FEWEST_SETTINGS and settings.keys() & _ITS_SETTINGS:
            return lines[:place], settings, lines[place + 1 :]
    return lines, {}, []  # a prompt alone


def _without_emphasis(text: str, mapped: ForeignSettings) -> str:
    """The text without ``(more:1.2)``, ``[less]`` and ``<lora:…>``: pixgen weights whole prompts only."""
    text = re.sub(r"\s+", " ", text[: LONGEST_TEXT * 10])
    for added in re.findall(r"<[^<>]*>", text):
        mapped.leave_out("network", added)
    text = re.sub(r"<[^<>]*>", " ", text)
    emphasis = re.findall(r"(?<!\\)[(\[][^()\[\]]*[)\]]", text)
    if emphasis:
        mapped.leave_out("emphasis", " ".join(emphasis))
    text = re.sub(r": ?[\d.]+(?= ?[)\]])", "", text)
    text = re.sub(r"(?<!\\)[()\[\]]", "", text).replace("\\(", "(").replace("\\)", ")")
    words = re.sub(r"( ?,)+", ",", re.sub(r" +", " ", text)).strip(" ,")
    if len(words) > LONGEST_TEXT:
        mapped.leave_out("prompt", words[LONGEST_TEXT:])
    return words[:LONGEST_TEXT].strip()

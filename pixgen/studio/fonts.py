"""Draws text of any script into pictures, each run of letters in the first font that has them.

The fonts are Noto's (SIL Open Font License), of the packages manimgx-fonts and manimgx-fonts-cjk: Noto Sans,
its variants for other scripts, symbols, emoji, and Chinese, Japanese and Korean. Pillow's Raqm layout, where it
is built in, joins Arabic letters and orders right-to-left text.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageDraw, ImageFont

_WEIGHT = 400  # of the variable fonts: regular
_FIRST, _SECOND, _LAST = "NotoSans[wght].ttf", "NotoSansSymbols[wght].ttf", "NotoEmoji[wght].ttf"
_LEFT_OUT = "\ufe0e\ufe0f"  # whether a sign is drawn as text or in colour; here it is text
_JOINERS = "\u200c\u200d"  # between letters, and in emoji of several signs
_FROM_THE_RIGHT = ("R", "AL")  # bidirectional classes
_ELLIPSIS = " …"

Place = tuple[float, float]
Colour = tuple[int, int, int]


class TextRenderer:
    """Draws, measures and wraps text of one size in pixels."""

    def __init__(self, size: int) -> None:
        self.size = size

    def width(self, text: str) -> float:
        """The width of a line in pixels."""
        return sum(font.getlength(run) for run, font in self._runs(text))

    def draw(self, canvas: ImageDraw.ImageDraw, place: Place, text: str, fill: Colour) -> None:
        """Draw a line with its upper left corner at ``place``."""
        x, top = place
        baseline = top + self.size  # that fonts of different heights share
        for run, font in self._runs(text):
            canvas.text((x, baseline), run, fill, font, anchor="ls")
            x += font.getlength(run)

    def draw_lines(
        self, canvas: ImageDraw.ImageDraw, place: Place, lines: list[str], fill: Colour, *, line: int
    ) -> None:
        """Draw lines below each other, ``line`` pixels from one to the next."""
        for index, text in enumerate(lines):
            self.draw(canvas, (place[0], place[1] + index * line), text, fill)

    def wrap(self, text: str, room: float, *, most: int | None = None) -> list[str]:
        """Wrap the text to lines of at most ``max_width`` pixels.

        Args:
            most: the most lines; an ellipsis ends the last one if there is more text.
        """
        lines = [""]
        whole = (
            each for part in _parts(text) for each in ([part] if self.width(part.rstrip()) <= room else part)
        )
        for part in whole:
            if self.width((lines[-1] + part).rstrip()) > room and lines[-1].strip():
                lines.append("")
            lines[-1] += part.lstrip() if not lines[-1] else part
        lines = [line.rstrip() for line in lines if line.strip()]
        if most is not None and len(lines) > most:
            last = lines[most - 1]
            while last and self.width(last + _ELLIPSIS) > room:
                last = last[:-1].rstrip()
            lines = [*lines[: most - 1], last + _ELLIPSIS]
        return lines

    def _runs(self, text: str) -> list[tuple[str, ImageFont.FreeTypeFont]]:
        """The parts of a line from left to right, each with its font."""
        return [(run, _font(path, self.size)) for run, path in _split(text)]


@lru_cache(1024)
def _split(text: str) -> list[tuple[str, Path]]:
    runs: list[tuple[str, Path]] = []
    for character in text:
        if character in _LEFT_OUT:
            continue
        # Characters of every script, such as spaces, digits and marks, stay in the font of the text before.
        joins = unicodedata.category(character)[0] in "ZPNM" or character in _JOINERS
        if runs and (character in _JOINERS or (joins and ord(character) in _letters(runs[-1][1]))):
            runs[-1] = (runs[-1][0] + character, runs[-1][1])
            continue
        path = next((each for each in _fonts() if ord(character) in _letters(each)), _fonts()[0])
        if runs and runs[-1][1] == path:
            runs[-1] = (runs[-1][0] + character, path)
        else:
            runs.append((character, path))
    # Spaces after a run use the main font: Arabic's would be on the wrong side, emoji's are too wide.
    spaced = [
        part
        for run, path in runs
        for part in ((run.rstrip(), path), (run[len(run.rstrip()) :], _fonts()[0]))
        if part[0]
    ]
    strong = (unicodedata.bidirectional(character) for character in text)
    first = next((kind for kind in strong if kind in ("L", *_FROM_THE_RIGHT)), "L")
    return spaced[::-1] if first in _FROM_THE_RIGHT else spaced


def _parts(text: str) -> Iterator[str]:
    """The places where a line may break: words with their space, single letters in scripts without spaces."""
    word = ""
    for character in " ".join(text.split()):
        alone = unicodedata.east_asian_width(character) in "WF"
        if alone and word:
            yield word
            word = ""
        word += character
        if alone or character == " ":
            yield word
            word = ""
    if word:
        yield word


@cache
def _fonts() -> tuple[Path, ...]:
    """The fonts in the order in which they are tried for a letter; East Asia and emoji last."""
    own, east_asia = _folder("manimgx_fonts"), _folder("manimgx_fonts_cjk")
    scripts = sorted(each for each in own.glob("NotoSans[A-Z]*.ttf") if each.name != _SECOND)
    return (
        own / _FIRST,
        *scripts,
        own / _SECOND,
        *sorted(east_asia.glob("*.ttc")),
        own / _LAST,
    )


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"pixgen needs the package {package}")
    return Path(found.origin).parent


@cache
def _letters(path: Path) -> frozenset[int]:
    """The code points that a font covers."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(path), size)
    font.set_variation_by_axes([_WEIGHT])
    return font

"""Read text files and tables in any common encoding, with any column separator and number format.

In come the bytes of a file. Out come text, rows by their headings, and numbers.
"""

import codecs
import csv
import io
import json
import re
from typing import Any

from pixgen.encodings import decode_unmarked

_BOMS = (  # the longer before those that they begin with
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DEEPEST_JSON = 50
_DIVIDERS = ",;\t|"
_NO_DIVIDER = "\x1f"  # it occurs in no text
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[.,'’ ]\d{3})+")


def decode(data: bytes) -> str:
    """Decode a text file, whatever program saved it; line ends become ``\\n``.

    Byte order marks decide, then UTF-16 without one and UTF-8; else the encoding is guessed. Raises
    UnicodeError if that is no text, which holds zeros.
    """
    text = _decode_marked(data)
    if "\0" in text:
        raise UnicodeError
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encode_table(text: str) -> bytes:
    """Encode the text of a CSV file as UTF-8 with a byte order mark for Excel; characters that cannot be
    encoded, such as parts of a file's name, become question marks."""
    return codecs.BOM_UTF8 + text.encode("utf-8", "replace")


def read_table(text: str) -> list[dict[str, str]]:
    """The rows of a table with a header line, as dictionaries with lower-case keys.

    Its columns are divided by whatever divides the headings most: a comma, semicolon, tab or bar; if there
    is one heading, every line is one cell. Columns without a heading are left out if they are empty, as
    spreadsheets leave them; what they hold else is called ````.
    """
    lines = text.lstrip("\n").split("\n")
    divider = max(_DIVIDERS, key=lines[0].count)
    if divider not in lines[0]:
        divider = _NO_DIVIDER
    if told := re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE):  # Excel's own first line
        divider, lines = told[1], lines[1:]
    rows = csv.reader(io.StringIO("\n".join(lines)), delimiter=divider)
    heads = [head.strip().lower() for head in next(rows, [])]
    found = []
    for row in rows:
        named = {head: cell for head, cell in zip(heads, row, strict=False) if head}
        nameless = [cell for head, cell in zip(heads, row, strict=False) if not head]
        if stray := "".join([*nameless, *row[len(heads) :]]).strip():
            named[""] = stray
        if any(cell.strip() for cell in row):
            found.append(named)
    return found


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for whatever is wrong with it, also if it is nested deeper
    than anything here needs, or has a number of thousands of digits."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("far too deep") from error
    inner = [value]
    for _depth in range(_DEEPEST_JSON):
        inner = [
            each
            for outer in inner
            if isinstance(outer, (dict, list))
            for each in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not inner:
            return value
    raise ValueError("far too deep")


def parse_number(text: str) -> float:
    """A number as people write it: ``1.5``, ``1,5``, ``1.234,5`` and ``1,234.5``. Raises ValueError.

    A single comma or point divides the fraction.
    """
    text = text.strip().replace("\u00a0", "").replace("\u202f", "").replace("\u2212", "-")
    last = max(text.rfind(","), text.rfind("."))
    if "," in text and "." in text:
        whole, fraction = text[:last], text[last + 1 :]
        text = f"{whole.replace(',', '').replace('.', '')}.{fraction}"
    return float(text.replace(",", "."))


def parse_count(text: str) -> float:
    """As ``parse_number``, for counts: ``1.000`` and ``1,000`` are a thousand."""
    if _THOUSANDS.fullmatch(text.strip()):
        return float(re.sub(r"[^\d+-]", "", text))
    return parse_number(text)


def _decode_marked(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding)
    if len(data) % 2 == 0 and data.count(0) >= len(data) // 4:  # of Latin letters, every other byte
        return data.decode("utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode_unmarked(data)

"""The page in other languages: whole, with the same placeholders, and for those who want it."""

import asyncio
import dataclasses
import re
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any

import pytest

from pixgen.presets import available_presets
from pixgen.ui.languages import ByLanguage, links, preferred, wanted
from pixgen.ui.texts import ENGLISH
from pixgen.ui.turkish import TURKISH

# The same in both languages, and on purpose. Prompts are English, because CLIP reads English.
ALIKE = {
    "title", "prompt_placeholder", "examples", "download_film", "idea_words_placeholder",
    "classifying.labels_first", "classifying.labels_placeholder", "classifying.model",
    "classifying.own_templates_placeholder",
    "search.query_placeholder", "search.examples", "search.date_placeholder",
    "losing.palette_colours_placeholder", "styling.template_placeholder",
}  # fmt: skip


def texts(words: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every field that is text or a table of texts, by its dotted name."""
    for field in dataclasses.fields(words):
        value, name = getattr(words, field.name), f"{place}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from texts(value, f"{name}.")
        else:
            yield name, value


def said(text: str) -> bool:
    """Whether there is something to be translated besides placeholders and signs."""
    plain = "".join(part for part, *_ in string.Formatter().parse(text))
    return any(sign.isalpha() for sign in plain)


def placeholders(text: str) -> list[tuple[str, str | None]]:
    return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name)


def columns(value: Any) -> list[tuple[str, ...]]:
    """A text as one column of one; a table of texts as its columns."""
    if isinstance(value, str):
        return [(value,)]
    rows = [row if isinstance(row, tuple) else (row,) for row in value]
    return list(zip(*rows, strict=True))


def test_every_text_is_translated():
    missing = []
    for (name, english), (_, turkish) in zip(texts(ENGLISH), texts(TURKISH), strict=True):
        if not english or not isinstance(english, (str, tuple)):
            continue
        if name in ALIKE:
            assert english == turkish, f"{name} is said to be the same in Turkish, and is not"
            continue
        # What the program reads is a column that is alike in all its rows; another one is words.
        pairs = list(zip_longest(columns(english), columns(turkish)))
        words = [
            pair for pair in pairs
            if any(map(said, pair[0])) and (len(pairs) == 1 or pair[0] != pair[1])
        ]  # fmt: skip
        spoken = any(any(map(said, pair[0])) for pair in pairs)
        if spoken and not words:
            missing.append(name)
        missing += [
            f"{name} ({one})"
            for pair in words
            for one, other in zip_longest(*pair)
            if one == other and said(one or "")
        ]
    assert missing == []


def test_a_translation_has_the_same_placeholders_and_rows():
    for (name, english), (_, turkish) in zip(texts(ENGLISH), texts(TURKISH), strict=True):
        if english == ():  # English speaks for itself, in files: other tests compare those
            continue
        if isinstance(english, tuple) and english and isinstance(english[0], tuple):
            assert [len(row) for row in english] == [len(row) for row in turkish], name
        elif isinstance(english, tuple):
            assert len(english) == len(turkish), name
        elif isinstance(english, str) and name not in ALIKE and "{}" not in english:
            assert placeholders(english) == placeholders(turkish), name
            assert turkish.strip(), name


def test_every_preset_is_translated_with_the_same_figures():
    presets = available_presets()
    assert {name for name, *_ in TURKISH.presets} == set(presets)
    for name, title, about in TURKISH.presets:
        assert title != presets[name].title
        figures = [sorted(re.findall(r"\d+", text)) for text in (about, presets[name].about)]
        assert figures[0] == figures[1], name


def test_what_the_program_reads_is_the_same_in_every_language():
    assert [kind for kind, _ in TURKISH.starts] == [kind for kind, _ in ENGLISH.starts]
    assert [kind for _, kind in TURKISH.losing.drawers] == [
        kind for _, kind in ENGLISH.losing.drawers
    ]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("tr", "tr"), ("tr-TR,tr;q=0.9,en-US;q=0.8", "tr"), ("en-GB,tr;q=0.9", "en"),
        ("de,fr;q=0.5", None), ("", None), ("tr;q=0, en;q=0.1", "en"), ("tr;q=much,en", "en"), ("*", None),
    ],
)  # fmt: skip
def test_the_browsers_favourite_is_taken(accepted, language):
    assert preferred(accepted) == language


def test_what_is_asked_for_wins_over_what_was_chosen_and_that_over_the_browser():
    assert wanted("lang=en", "pixgen-language=tr", "tr") == "en"
    assert wanted("", "a=b; pixgen-language=en", "tr") == "en"
    assert wanted("lang=xx", "pixgen-language=xx", "tr") == "tr"
    assert wanted("__theme=dark", "bad cookie ,;", "") is None


def answer(path: str, **headers: str) -> str | None:
    """Where the middleware sends a request for a path; None if it lets it through."""
    query = headers.pop("query", "")
    by_browser = headers.pop("by_browser", "yes") == "yes"
    root = headers.pop("root", "")
    sent: list[dict] = []

    async def app(scope, receive, send):
        await send({"type": "let through"})

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "root_path": root,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    answered = ByLanguage(app, first="en", by_browser=by_browser)(scope, None, send)
    with ThreadPoolExecutor(
        1
    ) as elsewhere:  # browsers' tests leave an event loop running in this thread
        elsewhere.submit(asyncio.run, answered).result()
    if sent[0]["type"] == "let through":
        return None
    return dict(sent[0]["headers"])[b"location"].decode()


def test_who_reads_turkish_is_sent_to_the_turkish_page():
    assert answer("/", accept_language="tr") == "tr"
    assert answer("/", accept_language="tr", query="__theme=dark") == "tr?__theme=dark"
    assert answer("/here/", accept_language="tr", root="/here") == "tr"
    assert answer("/", accept_language="en") is None
    assert answer("/", accept_language="tr", query="lang=en") is None
    assert answer("/tr", accept_language="tr") is None
    assert answer("/", accept_language="tr", by_browser="no") is None
    assert answer("/", cookie="pixgen-language=tr", by_browser="no") == "tr"


def test_every_page_leads_to_every_language():
    assert [address for _, address in links(TURKISH, ENGLISH)] == ["./?lang=en", "tr?lang=tr"]

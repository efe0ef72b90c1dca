"""Collect the marked sentences of the source and update the catalogues; for developers."""

import ast
import io
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pixgen import errors
from pixgen.models.catalog import entries
from pixgen.paths import PACKAGE
from pixgen.recipe.base import settings_of
from pixgen.recipe.presets import available_presets
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.styles import available_styles
from pixgen.ui.i18n.translator import DOMAIN, catalogue_file

# Functions whose first argument is a sentence (of ngettext the first two), and all errors. ``say`` is what a
# page's translator is called.
KEYWORDS: dict[str, Any] = {
    "_": None,
    "say": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "NoSuchFile": None,
    "SourceUnavailable": None,
    "WorkerLost": None,
    **{
        each.__name__: None
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Exception)
    },
}
LINE = 110
_HEADER = """\
# pixgen in {name}.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {forms}\\n"

"""


def python(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: object
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """The calls of ``keywords`` in a Python file, in Babel's format. Babel's own extractor misses calls
    inside other calls, and before Python 3.12 those inside f-strings."""
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in keywords:
            texts = (each.value if isinstance(each, ast.Constant) else None for each in node.args)
            said = tuple(text if isinstance(text, str) and text else None for text in texts)
            yield node.lineno, name, said, []


# The first pattern that fits a file decides. Modules that the page never calls are not translated.
METHODS = [
    *((pattern, "ignore") for pattern in ("cli/**.py", "training/**.py", "bench/**.py")),
    ("**.py", python),
]


def declared() -> Iterator[str]:
    """The texts of settings, presets, styles and models, which are declared there and need no mark."""
    for setting in settings_of(Recipe):
        yield from (setting.title, setting.description)
        yield from (title for value, title in setting.choices.items() if title != value)
    for preset in available_presets().values():
        yield from (preset.title, preset.about)
    yield from (style.title for style in available_styles().values())
    yield from (entry.paints for entry in entries())


def extract() -> Catalog:
    """Every sentence of the source that needs a translation."""
    catalogue = Catalog(domain=DOMAIN)
    for _file, _line, message, _comments, context in extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS):
        catalogue.add(message, context=context, flags=_flags(message))
    for text in filter(None, declared()):
        catalogue.add(text)
    return catalogue


def read(language: str) -> Catalog:
    """The catalogue of a language, read from its file."""
    with catalogue_file(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def update(language: str) -> Catalog:
    """Rewrite a language's file: sentences that are new in the source are added, to be translated by hand,
    and removed ones are dropped."""
    known, catalogue = read(language), Catalog(language, DOMAIN, project="pixgen", fuzzy=False)
    for message in extract():
        if message.id:
            old = known.get(message.id, message.context)
            catalogue.add(
                message.id,
                old.string if old is not None else "",
                flags=message.flags,
                context=message.context,
            )
    save(catalogue)
    return catalogue


def save(catalogue: Catalog) -> None:
    """Write a catalogue to its language's file; the header has nothing that changes at every run."""
    written = io.BytesIO()
    write_po(written, catalogue, width=LINE, sort_output=True, no_location=True, omit_header=True)
    header = _HEADER.format(
        name=catalogue.locale.english_name, language=catalogue.locale, forms=catalogue.plural_forms
    )
    catalogue_file(str(catalogue.locale)).write_bytes(header.encode() + written.getvalue())


def _flags(message: str | tuple[str, ...]) -> list[str]:
    return ["python-brace-format"] if "{" in str(message) else []

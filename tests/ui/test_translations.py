"""Every sentence that a person reads on the page has its translations, and each can be filled in."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message as Entry

from pixgen import errors
from pixgen.messages import Message
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis.memory.out_of_memory import describe_changes
from pixgen.ui.i18n import ENGLISH, LANGUAGES, TURKISH
from pixgen.ui.i18n.extraction import KEYWORDS, extract, read, save
from pixgen.ui.i18n.translator import catalogue_file

PACKAGE = Path(__file__).parents[2] / "pixgen"
PAGE = PACKAGE / "ui"
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
ERRORS = set(KEYWORDS) - {"_", "say", "ngettext", "pgettext"}
TEXTS = {
    "ngettext": slice(0, 2),
    "pgettext": slice(1, 2),
}  # which arguments are sentences; else the first


def entries(catalogue) -> dict[tuple, Entry]:
    return {(each.context, each.id): each for each in catalogue if each.id}


def texts(message: str | tuple[str, ...]) -> tuple[str, ...]:
    return message if isinstance(message, tuple) else (message,)


def fields(text: str) -> set[tuple[str, ...]]:
    """Each of a template's fields with how it is shown; none if its braces are not those of a template."""
    try:
        return {each[1:] for each in Formatter().parse(text) if each[1] is not None}
    except ValueError:
        return set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_sentence_of_the_source_and_no_other(language):
    source, catalogue = entries(extract()), entries(read(language))
    assert len(source) > 300
    missing, stale = set(source) - set(catalogue), set(catalogue) - set(source)
    assert not missing, f"`python -m pixgen.ui.i18n` adds these: {missing}"
    assert not stale, f"`python -m pixgen.ui.i18n` removes these: {stale}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_with_the_same_values(language):
    catalogue = read(language)
    assert not catalogue.obsolete
    for (_context, message), entry in entries(catalogue).items():
        assert not entry.fuzzy, message
        for text in texts(entry.string):
            assert text.strip(), f"{message!r} is not translated"
            assert fields(text) == fields(texts(message)[-1]), message


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_written_as_the_update_writes_it(language, tmp_path, monkeypatch):
    written = tmp_path / "pixgen.po"
    monkeypatch.setattr("pixgen.ui.i18n.extraction.catalogue_file", lambda _language: written)
    catalogue = read_as_it_is(language)
    save(catalogue)
    assert written.read_text("utf-8") == catalogue_file(language).read_text("utf-8")


def read_as_it_is(language: str):
    from babel.messages.pofile import read_po

    with catalogue_file(language).open("rb") as file:
        return read_po(file, locale=language)


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the package that marks a sentence: where it is, what is called, and the call."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                said = name != "say" or PAGE in path.parents  # a command's report says things, too
                if name in KEYWORDS and said:
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", name, node


def test_no_error_has_its_values_in_its_message():
    """Write the message as a template, and give the values by their names."""
    mixed = (ast.JoinedStr, ast.BinOp, ast.IfExp)
    assert [where for where, _, call in calls() if isinstance(call.args[0], mixed)] == []


def test_every_sentence_can_be_filled_in_with_its_values():
    for where, name, call in calls():
        given = {each.arg for each in call.keywords}
        for text in call.args[TEXTS.get(name, slice(0, 1))]:
            if not given or None in given or not isinstance(text, ast.Constant):
                continue  # without values a sentence is what it is; ``**values`` are known when it runs
            count = {"count"} if name == "ngettext" else set()
            named = {field for field, *_ in fields(text.value)}
            assert given <= named <= given | count, f"{where}: {text.value}"
            text.value.format(**dict.fromkeys(named, 1))


def test_plain_texts_with_braces_are_no_templates():
    for where, name, call in calls():
        text = call.args[0]
        if name in ERRORS and isinstance(text, ast.Constant) and not call.keywords:
            assert "{{" not in text.value, f"{where}: without values, braces are written once"


def test_what_is_not_known_is_said_as_it_is():
    assert TURKISH("") == ""
    assert TURKISH("A sentence of another program’s.") == "A sentence of another program’s."
    for text in ("There is no run “x”.", "words (not 3)"):
        assert ENGLISH(text) == text


def test_a_translator_fills_in_values_and_translates_messages():
    assert TURKISH("There is no run “{run_id}”.", run_id="x") == "“x” adlı çizim yok."
    assert TURKISH(Message("There is no run “{run_id}”.", run_id="x")) == "“x” adlı çizim yok."


@pytest.mark.parametrize(
    ("fields", "turkish"),
    [
        ({"steps": -1}, "Bu tarif geçerli değil: steps en az 0 olmalı (-1 olamaz)."),
        ({"seed": "x"}, "Bu tarif geçerli değil: seed bir tam sayı olmalı ('x' olamaz)."),
        ({"cutouts": {"kind": "x"}}, "Bu tarif geçerli değil: cutouts: tür şunlardan biri olmalı: "),
        (
            {"losses": {"style": {"weight": 1}}},
            "Bu tarif geçerli değil: losses.style: stil kaybı için bir resmin yolu gerekir.",
        ),
        ({"prompts": " "}, "İstem boş: ne çizileceğini yazın, örneğin “a red fox”."),
        ({"story": {"fade": 2}}, "Bu tarif geçerli değil: story.fade en çok 1 olmalı (2 olamaz)."),
        (
            {"prompts": [[{"text": "a" * 9999}]]},
            "Bu tarif geçerli değil: prompts.0.0.text en çok 2000 karakter olabilir.",
        ),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said_in_turkish(fields, turkish):
    with pytest.raises(errors.RecipeError) as caught:
        make_recipe({"prompts": "a fox"}, fields)
    assert TURKISH(caught.value.message).startswith(turkish)


def test_peoples_own_words_are_not_translated():
    error = errors.RecipeError(
        "There is no preset “{name}”: choose {choices}.", name="is required", choices="a"
    )
    assert TURKISH(error.message) == "“is required” adlı hazır ayar yok: a içinden seçin."


def test_all_that_is_done_where_memory_is_short_is_said_in_turkish():
    engine = {"captured": False, "checkpoint": True, "sketches": 4, "encode_tile": 32, "tile": 32}
    before = make_recipe({"prompts": "a fox"})
    after = make_recipe(
        before.model_dump(), {"engine": engine, "precision": "bfloat16", "cutouts": {"batches": 4}}
    )
    english = describe_changes(before, after)
    parts = english.removeprefix("Memory ran out, so ").removesuffix(".").split(", and ")
    turkish = TURKISH(english)
    assert len(parts) == 7
    assert [part for part in parts if part in turkish] == []


def test_the_mark_of_a_sentence_is_no_throwaway_name():
    for path in sorted(PACKAGE.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [each for each in ast.walk(function) if getattr(each, "id", "") == "_"]
                marks = {call.func for call in ast.walk(function) if isinstance(call, ast.Call)}
                stored = [each for each in names if isinstance(each.ctx, ast.Store)]
                called = any(each in marks for each in names)
                assert not (called and stored), f"{path.relative_to(PACKAGE)}:{stored[0].lineno}"

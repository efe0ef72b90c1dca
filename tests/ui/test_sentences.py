"""What people are told when something goes wrong, in their language: every sentence that pixgen raises."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from pixgen import errors
from pixgen.recipe import make_recipe
from pixgen.synthesis.memory import what_changed
from pixgen.ui.sentences import Sentences
from pixgen.ui.texts import ENGLISH
from pixgen.ui.turkish import TURKISH
from pixgen.ui.turkish.sentences.values import VALUES

PACKAGE = Path(__file__).parent.parent.parent / "pixgen"
# What the page never calls.
ELSEWHERE = {"cli.py", "training", "bench"}
COMMANDS = {"axes.py", "journeys.py", "options.py", "regions.py", "strips.py"}  # those that it does
RAISED = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {"ValueError"}
# Sentences that are raised in no ``raise``: notices, and parts of others. A test says that each is said.
ASIDE = {
    "The run {}", "{} The painting goes on meanwhile.", "fewer cutouts than {}",
    "Stopped after {} seconds, the longest that a picture may take here.", "a smaller size than {}×{}",
    "a smaller size than {}×{}, such as {}×{}", "fewer cutouts than {}, or a smaller size than {}×{}",
    "fewer cutouts than {}, or a smaller size than {}×{}, such as {}×{}", "Memory was short: now {}.", "{} of {} bytes came",
    "the cutouts are looked at in {} batches, which is slower", "the arithmetic is in half precision ({})",
    "the decoder's inner pictures are made twice, which is slower",
    "sketches are written {} at a time, so they are others than those of the same seed",
    "a picture is read in tiles of {} codes, so what is painted from it may differ a little",
    "the finished picture was drawn in tiles of {} codes, so its contrast may differ a little from that of the "
    "pictures before it",
}  # fmt: skip
# Bugs, what another sentence is said instead of, and a server's answer.
NOT_SAID = {
    "huggingface.co: {}","a chunk is cut off or damaged", "no size", "too large", "a recipe whose start is sketched needs a sketchbook"}  # fmt: skip


def sources() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        first, *_, last = (
            path.relative_to(PACKAGE).parts if path.parent != PACKAGE else (path.name,) * 2
        )
        if first not in ELSEWHERE and (first != "commands" or last in COMMANDS):
            yield path


class Reader:
    """Reads the sentences of one file out of its source, as templates."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text("utf-8"))
        self.functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
        self.named = {each.name: each for each in self.functions}

    def raised(self) -> Iterator[str]:
        """What every error that is made here says; one that only passes another's words on says nothing."""
        for function in self.functions:
            known = self.values(function)
            for call in ast.walk(function):
                if (
                    isinstance(call, ast.Call)
                    and call.args
                    and getattr(call.func, "id", "") in RAISED
                ):
                    yield from self.read(call.args[0], known)

    def values(self, function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
        """What is assigned to each name."""
        found: dict[str, list[ast.expr]] = {}
        for each in ast.walk(function):
            if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                found.setdefault(each.targets[0].id, []).append(each.value)
        return found

    def read(self, node: ast.expr, known: dict[str, list[ast.expr]]) -> list[str]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [_braced(node.value)]
        if isinstance(node, ast.JoinedStr):
            parts = [
                "{}" if isinstance(each, ast.FormattedValue) else _braced(each.value)
                for each in node.values
            ]
            return ["".join(parts)]
        if isinstance(node, ast.IfExp):
            return self.read(node.body, known) + self.read(node.orelse, known)
        if isinstance(node, ast.BinOp):
            sides = (self.read(each, known) for each in (node.left, node.right))
            return ["".join(pair) for pair in product(*sides)]
        if isinstance(node, ast.Name):
            return [text for value in known.get(node.id, ()) for text in self.read(value, known)]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in self.named:
            function = self.named[node.func.id]
            given = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
            return [text for value in given for text in self.read(value, self.values(function))]
        return []


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@cache
def said() -> dict[str, str]:
    """Every sentence that can reach the page as a template, with the file that says it."""
    found = {}
    for path in sources():
        for text in Reader(path).raised():
            if text.replace("{}", "").strip(" :;") and text not in NOT_SAID:
                found[text] = str(path.relative_to(PACKAGE))
    return found


def filled(template: str, values: Iterator[str]) -> str:
    """A template with something for each of its braces."""
    return re.sub(r"(?<!\{)\{\d*\}(?!\})", lambda _: next(values), template).replace("{{", "{").replace("}}", "}")  # fmt: skip


def test_the_sources_are_read():
    assert len(said()) > 200
    assert said()["There is no run “{}”."] in (
        "studio/gallery.py",
        "studio/runs.py",
        "studio/studio.py",
    )
    assert "“{}” is too large: at most {} MB." in said()


def test_every_sentence_has_a_turkish_one():
    known = TURKISH.sentences.templates
    assert sorted(f"{file}: {text}" for text, file in said().items() if text not in known) == []


def test_no_translation_is_of_a_sentence_that_is_not_said():
    known = TURKISH.sentences.templates
    assert sorted(set(known) - set(said()) - ASIDE - set(VALUES)) == []
    source = "".join(path.read_text("utf-8") for path in sources())
    plain = re.sub(r'"\s*f?"', "", source)
    for text in ASIDE:
        longest = max(text.split("{}"), key=len).strip()
        assert longest in plain, text


@pytest.mark.parametrize("english", sorted(TURKISH.sentences.templates))
def test_a_translation_says_what_the_sentence_says(english):
    turkish = TURKISH.sentences.templates[english]
    number = english.replace("{{", "").replace("}}", "").count("{}")
    assert set(re.findall(r"\{(\d+)\}", turkish)) == {str(each) for each in range(number)}
    values = [f"<{each}>" for each in range(number)]
    told = TURKISH.sentences(filled(english, iter(values)))
    assert told == turkish.format(*values)
    assert told != filled(english, iter(values))


def test_what_is_not_known_is_said_as_it_is():
    assert TURKISH.sentences("") == ""
    assert (
        TURKISH.sentences("A sentence of another program’s.") == "A sentence of another program’s."
    )
    for text in ("There is no run “x”.", "words (not 3)"):
        assert ENGLISH.sentences(text) == text


@pytest.mark.parametrize(
    ("fields", "turkish"),
    [
        ({"steps": -1}, "Bu tarif olmaz: steps en az 0 olmalı (-1 olamaz)."),
        ({"seed": "x"}, "Bu tarif olmaz: seed bir tam sayı olmalı ('x' olamaz)."),
        ({"cutouts": {"kind": "x"}}, "Bu tarif olmaz: cutouts: tür şunlardan biri olmalı: "),
        ({"losses": {"style": {"weight": 1}}}, "Bu tarif olmaz: losses.style: bir biçem, o biçemde bir resim ister."),
        ({"prompts": " "}, "Söz yok: ne çizileceğini yazın, örneğin “a red fox”."),
        ({"story": {"fade": 2}}, "Bu tarif olmaz: story.fade en çok 1 olmalı (2 olamaz)."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_recipe_is_said_in_turkish(fields, turkish):
    with pytest.raises(errors.RecipeError) as caught:
        make_recipe({"prompts": "a fox"}, fields)
    assert TURKISH.sentences(str(caught.value)).startswith(turkish)


def test_sentences_within_sentences_are_translated_and_peoples_words_are_not():
    say = TURKISH.sentences
    short = say("The disk is full: “a/b” could not be saved. Make room and try again. The painting goes on meanwhile.")  # fmt: skip
    assert (
        short == "Disk dolu: “a/b” kaydedilemedi. Yer açıp yeniden deneyin. Çizim bu arada sürüyor."
    )
    assert say("There is no preset “Field required”: choose a.") == (
        "“Field required” adlı hazır ayar yok: a içinden seçin."
    )
    tried = say(
        "There is too little memory for this picture: try fewer cutouts than 12, or a smaller size than 256×256, "
        "such as 128×128."
    )
    assert tried == (
        "Bu resim için bellek yetmiyor: şunu deneyin: 12 kesitten azını ya da 256×256 değil, daha küçük bir boyut, "
        "128×128 gibi."
    )


def test_of_two_that_fit_the_more_telling_one_is_meant():
    say = Sentences({"{} is {}.": "{1} {0}", "The {} is red.": "kırmızı {0}"})
    assert say("The fox is red.") == "kırmızı fox"
    assert say("The fox is blue.") == "blue The fox"


def test_all_that_is_done_where_memory_is_short_is_said_in_turkish():
    engine = {"checkpoint": True, "sketches": 4, "encode_tile": 32, "tile": 32}
    before = make_recipe({"prompts": "a fox"})
    after = make_recipe(
        before.model_dump(), {"engine": engine, "precision": "bfloat16", "cutouts": {"batches": 4}}
    )
    english = what_changed(before, after)
    parts = english.removeprefix("Memory was short: now ").removesuffix(".").split(", and ")
    turkish = TURKISH.sentences(english)
    assert len(parts) == 6
    assert [part for part in parts if part in turkish] == []

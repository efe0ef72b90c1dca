"""The page, the command line and the guides use the field's words: one word for one thing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pixgen.cli.app import app
from pixgen.recipe.base import settings_of
from pixgen.recipe.presets import available_presets
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.styles import available_styles
from pixgen.training.__main__ import app as training
from pixgen.ui.i18n.extraction import KEYWORDS, extract

ROOT = Path(__file__).parent.parent
# Labels and sentences of earlier versions, and what is said instead.
REPLACED = {
    "What to paint": "Prompt",
    "Leave out": "Negative prompt",
    "nothing in particular": "things to avoid",
    "How much work": "Quality",
    "How to write it": "Prompt tips",
    "Keys": "Shortcuts",
    "Draw a start": "Draw a starting point",
    "Paint regions": "Place by region",
    "A style of your own": "Custom style",
    "Its words, with {} for what is painted": "Template ({} stands for your prompt)",
    "Apply to the running picture": "Update this picture",
    "Go on with these words": "Continue with this prompt",
    "+{steps} steps": "{steps} more steps",
    "Change a part": "Edit an area",
    "Another film of it": "Export video",
    "Seconds in all": "Length in seconds (0: automatic)",
    "Pictures a second": "Frames per second",
    "Seconds that the last picture stays": "Hold last frame (s)",
    "Evenly by change": "Even pacing",
    "The end passes into the beginning": "Seamless loop",
    "Words and step below": "Captions",
    "What else is wanted": "Fine-tuning (losses)",
    "Stay near the start, in kind": "Keep the subject",
    "Stay near the start, in colour": "Keep the colours",
    "Symmetry, which": "Symmetry axis",
    "Seamless beside itself": "Seamless tile",
    "A margin of one colour": "Solid border",
    "Beautiful, by people's votes": "Aesthetic score",
    "Drawn by": "Image model",
    "Looked at by": "Guidance model (CLIP)",
    "Sketched by": "Sketch model",
    "It wants a GPU, or patience.": "Slow without a GPU.",
    "Small first": "Start small, then enlarge",
    "How far from it": "Strength",
    "Go on beyond it": "Extend the canvas",
    "Nearer, a frame": "Zoom per frame",
    "A frame takes so many steps": "Steps per frame",
    "At the border comes in": "Edge fill",
    "Pass by": "Transition",
    "And down, if you like": "Rows (optional)",
    "Its values": "Values",
    "All else is as it stands on Create.": "Other settings come from Create.",
    "in the making": "painting",
    "No favourite any more": "Remove from favourites",
    "lies in the bin": "moved to the trash",
    "Take back": "Restore",
    "Use these": "Reuse settings",
    "Everything else is as usual.": "Everything else is default.",
    "At least so alike": "Minimum similarity",
    "Only some of them": "Filters",
    "spoke for": "Why “fox”?",
    "have never seen": "is not in the bundled models’ vocabulary",
    "Not painted": "Couldn't paint",
    "it will just so fit": "it should just fit",
}


# Phrases that read as translated, or that stand for a word of the field.
ODD = (
    r"for ever", r"as it were", r"whoever", r"foretold", r"in the making", r"of its own", r"or patience",
    r"wants? an? (?:GPU|picture)", r"(?:painted|drawn|index it) anew", r"looked at (?:by|in)", r"is no [a-zA-Z“]+ that",
    r"goe?s? with no", r"goes on", r"go on (?:from|with|to)", r"lies beside", r"make room", r"not told", r"tells no",
    r"and rights", r"holds? no", r"are no [a-z]+s:", r"breaks? off", r"so they are others", r"in each other",
    r"piece by piece", r"by chance", r"as many or more", r"not for everybody", r"known form", r"something broke",
    r"leads out of", r"divided by", r"which needs none", r"small letters", r"picture model", r"the bin", r"all else",
    r"look away", r"of the likeliest",
)  # fmt: skip


def says(text: str, old: str) -> bool:
    """Whether a text has an old label: as a whole if it is one or two words, else anywhere in it."""
    if len(old.split()) <= 2:
        return text == old
    return re.search(rf"(?<!\w){re.escape(old)}(?!\w)", text) is not None


def find_odd(text: str) -> list[str]:
    """The odd phrases in a text, whose lines are joined first."""
    return re.findall(rf"\b(?:{'|'.join(ODD)})\b", " ".join(text.split()), re.IGNORECASE)


def translatable() -> Iterator[str]:
    """The page's labels and sentences, and the errors of everything that the page can call."""
    for entry in extract():
        if entry.id:
            yield from [entry.id] if isinstance(entry.id, str) else entry.id


def untranslated() -> Iterator[str]:
    """The errors and notices of the command line, which speaks English only."""
    for folder in ("cli", "training", "bench"):
        for path in sorted((ROOT / "pixgen" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    if name in KEYWORDS or name in ("echo", "print_line", "note", "print"):
                        yield from texts_of(node)


def texts_of(call: ast.Call) -> Iterator[str]:
    """The constant texts among the arguments of a call."""
    for argument in call.args:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def helps(command: Any) -> Iterator[str]:
    """Everything that ``--help`` says of a command and of the commands below it."""
    yield from filter(None, (command.help, command.epilog))
    for option in command.params:
        yield from filter(None, (getattr(option, "help", None), getattr(option, "rich_help_panel", None)))
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


def declared() -> Iterator[str]:
    """Titles and descriptions of settings, presets and styles."""
    for setting in settings_of(Recipe):
        yield from filter(None, (setting.title, setting.description, *setting.choices.values()))
    for preset in available_presets().values():
        yield from (preset.title, preset.about)
    for style in available_styles().values():
        yield style.title


SOURCES = {
    "page and errors": lambda: [*translatable()],
    "command line": lambda: [*untranslated()],
    "--help": lambda: [*helps(typer.main.get_command(app)), *helps(typer.main.get_command(training))],
    "settings, presets and styles": lambda: [*declared()],
}
GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("source", SOURCES)
def test_texts_say_todays_words(source):
    texts = SOURCES[source]()
    assert len(texts) > 80
    found = {text: old for text in texts for old in REPLACED if says(text, old)}
    assert not found, "\n".join(f"{text!r}: say “{REPLACED[old]}”" for text, old in found.items())


@pytest.mark.parametrize("source", SOURCES)
def test_texts_are_plain_english(source):
    found = {text: odd for text in SOURCES[source]() if (odd := find_odd(text))}
    assert not found


def test_odd_phrases_are_found():
    assert find_odd("The config is of a MoVQ; it is for\never in the making.") == [
        "for ever",
        "in the making",
    ]
    assert says("At the border comes in something", "At the border comes in")
    assert not says("Keys of the table", "Keys")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_guides_are_plain_english(guide):
    text = re.sub(r"^```.*?^```", "", guide.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert find_odd(text) == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_no_guide_names_an_earlier_label(guide):
    text = guide.read_text("utf-8")
    labels = re.findall(r"\*\*(.+?)\*\*|“(.+?)”", text)
    names = {name for pair in labels for name in pair if name}
    old = {each for each in REPLACED if each in names or (len(each.split()) > 2 and says(text, each))}
    assert not old, f"say {[REPLACED[each] for each in old]} instead of {sorted(old)}"

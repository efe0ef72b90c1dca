"""Benchmarks of how much of a prompt the bundled models understand: of people's own prompts, and of the held-out
things in twenty languages.

People's prompts come from a file, such as the PartiPrompts of Google Research (arXiv 2206.10789). The names in other
languages come from Unicode's names of the emoji, as the dictionaries do; what is measured is whether a name in a sentence
is found again, with its place, in the right language, and drawn as the English name is.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from pixgen.errors import RecipeError
from pixgen.models.sketchers.pocket import Lexicon, load_exemplars
from pixgen.models.vocabulary import unknown_words
from pixgen.paths import ASSETS
from pixgen.synthesis.retrieval.parse_scene import parse_scene
from pixgen.text_files import decode, read_table
from pixgen.translation import LANGUAGE_NAMES, translate

EXAMPLES_FILE = ASSETS / "languages" / "examples.json"
MOST_PROMPTS = 100_000
MOST_WORDS = 40  # unknown words that are listed


def read_prompts(path: Path) -> list[str]:
    """The prompts in a file: its column ``Prompt``, else each line. Raises RecipeError if there are none."""
    try:
        text = decode(path.read_bytes())
    except (OSError, UnicodeError) as error:
        raise RecipeError("“{name}” cannot be read as text.", name=path.name) from error
    rows = read_table(text)
    lines = (
        [row["prompt"] for row in rows] if rows and all("prompt" in row for row in rows) else text.split("\n")
    )
    prompts = [line.strip() for line in lines if line.strip()]
    if not prompts:
        raise RecipeError("“{name}” has no prompts: write one a line.", name=path.name)
    return prompts[:MOST_PROMPTS]


def prompts(texts: Sequence[str]) -> dict[str, Any]:
    """How much of some prompts is understood.

    Returns:
        ``prompts``: how many; ``thing``, ``thing_or_place``: the shares in which a thing, or at least a place, is
        found that the sketcher draws; ``every_word``: the share whose every content word is known or has a nearest
        thing; ``unknown``: the most frequent other words with their numbers; ``milliseconds`` a prompt.
    """
    exemplars = load_exemplars(ASSETS / "pocket")
    assert exemplars is not None, "they are bundled"
    things = places = known = 0
    unknown: Counter[str] = Counter()
    begun = perf_counter()
    for text in texts:
        translation = translate(text)
        english = translation.text if translation else text
        scene, missing = parse_scene(english, exemplars.lexicon), unknown_words(english)
        things += bool(scene.things)
        places += bool(scene.things or scene.ground)
        known += not missing
        unknown.update(missing)
    count = len(texts)
    return {
        "prompts": count,
        "thing": things / count,
        "thing_or_place": places / count,
        "every_word": known / count,
        "unknown": dict(unknown.most_common(MOST_WORDS)),
        "milliseconds": 1000 * (perf_counter() - begun) / count,
    }


def prompts_text(found: dict[str, Any]) -> str:
    """The measurements as text."""
    words = ", ".join(f"{word} {number}" for word, number in found["unknown"].items())
    return (
        f"{found['prompts']} prompts, {found['milliseconds']:.1f} ms each\n"
        f"a thing is known         {found['thing']:6.1%}\n"
        f"a thing or a place       {found['thing_or_place']:6.1%}\n"
        f"every content word       {found['every_word']:6.1%}\n"
        f"unknown words: {words or 'none'}"
    )


def languages(path: Path = EXAMPLES_FILE) -> dict[str, Any]:
    """For each language, the fraction of things that are parsed as the English ones.

    Returns:
        ``languages``: by code, ``alone`` (the name by itself), ``in_a_sentence`` (“… in the snow”) and
        ``detected`` (the share of the sentences whose language is found), each in [0, 1], and
        ``milliseconds`` a sentence; ``things``: how many things there are.
    """
    examples = json.loads(path.read_text("utf-8"))
    exemplars = load_exemplars(ASSETS / "pocket")
    assert exemplars is not None, "they are bundled"
    things, templates = examples["things"], examples["templates"]
    measured = {
        code: _measure(code, things, templates, exemplars.lexicon) for code in templates if code != "en"
    }
    return {"things": len(things), "languages": measured}


def languages_text(found: dict[str, Any]) -> str:
    """The measurements as a table."""
    rows = [f"{found['things']} things        alone  in the snow  language found  ms"]
    for code, each in found["languages"].items():
        rows.append(
            f"{code:5} {LANGUAGE_NAMES[code]:18} {each['alone']:5.0%}  {each['in_a_sentence']:11.0%}  "
            f"{each['detected']:14.0%}  {each['milliseconds']:.1f}"
        )
    return "\n".join(rows)


def _measure(code: str, things: list[dict], templates: dict[str, str], lexicon: Lexicon) -> dict[str, float]:
    known = [thing for thing in things if code in thing]
    alone = [_same(thing[code], thing["en"], code, lexicon) for thing in known]
    sentences = [
        (templates[code].format(thing=each[code]), templates["en"].format(thing=each["en"])) for each in known
    ]
    begun = perf_counter()
    translations = [translate(typed) for typed, _english in sentences]
    milliseconds = 1000 * (perf_counter() - begun) / len(sentences)
    read = [_same(typed, english, "auto", lexicon) for typed, english in sentences]
    return {
        "alone": sum(alone) / len(alone),
        "in_a_sentence": sum(read) / len(read),
        "detected": sum(each is not None and each.language == code for each in translations) / len(sentences),
        "milliseconds": milliseconds,
    }


def _same(typed: str, english: str, language: str, lexicon: Lexicon) -> bool:
    """Whether a text gives the same scene as an English one: the same things and background."""
    found = translate(typed, language)
    if found is None:
        return False
    read, meant = parse_scene(found.text, lexicon), parse_scene(english, lexicon)
    same = [each.exemplars for each in read.things] == [each.exemplars for each in meant.things]
    return same and read.ground == meant.ground

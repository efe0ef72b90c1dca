"""Benchmark of prompts in other languages: the held-out things in twenty languages.

The names come from Unicode's names of the emoji, as the dictionaries do; what is measured is whether a name in a
sentence is found again, with its place, in the right language, and drawn as the English name is.
"""

import json
from pathlib import Path
from time import perf_counter
from typing import Any

from pixgen.models.sketchers.pocket import Lexicon, load_exemplars
from pixgen.paths import ASSETS
from pixgen.synthesis.retrieval.parse_scene import parse_scene
from pixgen.translation import LANGUAGE_NAMES, translate

EXAMPLES_FILE = ASSETS / "languages" / "examples.json"


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


def text(found: dict[str, Any]) -> str:
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

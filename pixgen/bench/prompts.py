"""Benchmark of how much of people's own prompts the bundled models understand.

A file with a prompt a line, or a table with the column ``Prompt``, such as the PartiPrompts of Google Research
(arXiv 2206.10789): 1,632 prompts by people who test text-to-image systems.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from pixgen.errors import RecipeError
from pixgen.models.sketchers.pocket import load_exemplars
from pixgen.models.vocabulary import unknown_words
from pixgen.paths import ASSETS
from pixgen.synthesis.retrieval.parse_scene import parse_scene
from pixgen.text_files import decode, read_table
from pixgen.translation import translate

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


def text(found: dict[str, Any]) -> str:
    """The measurements as text."""
    words = ", ".join(f"{word} {number}" for word, number in found["unknown"].items())
    return (
        f"{found['prompts']} prompts, {found['milliseconds']:.1f} ms each\n"
        f"a thing is known         {found['thing']:6.1%}\n"
        f"a thing or a place       {found['thing_or_place']:6.1%}\n"
        f"every content word       {found['every_word']:6.1%}\n"
        f"unknown words: {words or 'none'}"
    )

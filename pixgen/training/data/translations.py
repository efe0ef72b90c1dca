"""Dictionaries from other languages into English, made from Unicode's names of the emoji.

CLDR (Unicode licence) gives every emoji a name and keywords in more than a hundred languages. A word is
translated by the English word that names the same emoji: “snow” and “Schnee” stand at the same six.
"""

import json
import lzma
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixgen.translation.languages import FOLDER, LANGUAGE_NAMES, PLACES, normalise, split

PACKAGE = ("cldr-annotations-full", "48.2.0")  # Unicode-3.0
MIN_OVERLAP = 0.55  # of the emoji that two words name, as a Dice coefficient
LONGEST = 5  # words of a name
# The signs of the zodiac: in many languages their names are the words for fish, twins, lion and scales.
LEFT_OUT = {chr(code) for code in range(0x2648, 0x2654)}

Names = dict[str, tuple[str, list[str]]]  # an emoji's name and keywords


@dataclass(frozen=True)
class Known:
    """English words that the bundled models draw.

    Args:
        things: names that mean one thing.
        sure: these, colours and places.
        all: these and words that often mean something else.
    """

    things: frozenset[str]
    sure: frozenset[str]
    all: frozenset[str]

    @classmethod
    def load(cls, lexicon: Path) -> "Known":
        """From the lexicon of the exemplars, a JSON file."""
        read = json.loads(lexicon.read_text("utf-8"))
        every = frozenset({*read["names"], *read["colours"], *PLACES})
        weak = frozenset(read["weak"])
        return cls(frozenset(read["names"]) - weak, every - weak, every)


def read_names(folder: Path, language: str) -> Names:
    """The names and keywords of every emoji in a language, from the unpacked package."""
    path = folder / "annotations" / language / "annotations.json"
    read = json.loads(path.read_text("utf-8"))["annotations"]["annotations"]
    return {
        sign: (normalise(each["tts"][0]), [normalise(word) for word in each.get("default", ())])
        for sign, each in read.items()
        if each.get("tts") and sign not in LEFT_OUT
    }


def make_dictionary(foreign: Names, english: Names, known: Known) -> dict[str, tuple[str, bool]]:
    """Foreign names and keywords with the English words that name the same emoji.

    Returns:
        For each word its translation, and whether that is weak: a keyword of one emoji may say anything of
        it (of the fox “cunning”), and counts for its name only where nothing else is understood.
    """
    signs_of = _signs_by_word(english)
    translations: dict[str, tuple[str, bool]] = {}
    for word, signs in _signs_by_word(foreign).items():
        if len(word) < 2 and word.isascii() or len(word.split()) > LONGEST:
            continue
        named = {sign for sign in signs if foreign[sign][0] == word}
        names = {english[sign][0] for sign in named if sign in english}
        candidates = {each for sign in signs if sign in english for each in _words(english[sign])}
        best = (0.0, 0.0, "")
        for candidate in (candidates & known.sure) | (names & known.all):
            overlap = 2 * len(signs & signs_of[candidate]) / (len(signs) + len(signs_of[candidate]))
            best = max(best, (overlap + (candidate in names), -len(candidate), candidate))
        if best[0] >= MIN_OVERLAP:
            own = {part for sign in signs for part in (foreign[sign][0], *foreign[sign][0].split())}
            sure = bool(named) or (len(best[2].split()) == 1 and (len(signs) > 1 or word in own))
            translations[" ".join(split(word))] = best[2], not sure
    translations.pop("", None)
    return dict(sorted(translations.items()))


def write_dictionaries(folder: Path, known: Known, to: Path = FOLDER) -> Mapping[str, int]:
    """Write every language's dictionary; returns the number of words in each."""
    english, sizes = read_names(folder, "en"), {}
    to.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGE_NAMES:
        made = make_dictionary(read_names(folder, language), english, known)
        lines = "\n".join(f"{word}\t{'~' if weak else ''}{meaning}" for word, (meaning, weak) in made.items())
        (to / f"{language}.tsv.xz").write_bytes(lzma.compress(lines.encode(), preset=9))
        sizes[language] = len(made)
    return sizes


def _words(names: tuple[str, list[str]]) -> set[str]:
    return {names[0], *names[1]}


def _signs_by_word(names: Names) -> dict[str, set[str]]:
    signs: dict[str, set[str]] = defaultdict(set)
    for sign, each in names.items():
        for word in _words(each):
            signs[word].add(sign)
    return signs


# “In the snow” in the languages that the bench reads: the ten most spoken besides English, and ten more.
SNOW = {
    "zh": "雪地里的{thing}", "hi": "बर्फ़ में {thing}", "es": "{thing} en la nieve", "fr": "{thing} dans la neige",
    "ar": "{thing} في الثلج", "bn": "তুষারে {thing}", "pt": "{thing} na neve", "ru": "{thing} в снегу",
    "ur": "برف میں {thing}", "id": "{thing} di salju", "de": "{thing} im Schnee", "ja": "雪の中の{thing}",
    "mr": "बर्फात {thing}", "te": "మంచులో {thing}", "tr": "karda {thing}", "ta": "பனியில் {thing}",
    "vi": "{thing} trong tuyết", "ko": "눈 속의 {thing}", "fa": "{thing} در برف", "it": "{thing} nella neve",
}  # fmt: skip


def write_examples(folder: Path, captions: list[str], to: Path, *, count: int = 100) -> int:
    """Write the names of the first ``count`` things of the held-out captions in the languages of ``SNOW``, for
    ``pixgen bench languages``; returns how many there are."""
    english = read_names(folder, "en")
    signs = {name: sign for sign, (name, _keywords) in reversed(english.items())}
    text = " ".join(f" {caption} " for caption in captions)
    mentioned = [name for name in signs if f" {name} " in text]
    mentioned.sort(key=lambda name: text.index(f" {name} "))
    names = {code: read_names(folder, code) for code in SNOW}
    things = [
        {"en": name, **{code: each[signs[name]][0] for code, each in names.items() if signs[name] in each}}
        for name in mentioned[:count]
    ]
    written = {"templates": {"en": "{thing} in the snow", **SNOW}, "things": things}
    to.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return len(things)

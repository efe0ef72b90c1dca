"""The nearest known thing of every English noun, by WordNet: a corgi is a dog, an ostrich a bird.

WordNet 3.0 (Princeton's licence, Debian's ``wordnet-base``) groups nouns into senses and says of each what it is a kind
of. A noun that the bundled models do not know is painted as the nearest sense that they know: the same, the kinds that
it belongs to from the closest on, or another thing of the same kind.
"""

import lzma
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pixgen.training.data.translations import Known
from pixgen.translation.nearest import TABLE_FILE

PACKAGE = "wordnet-base"
MOST_UP = 7  # kinds of kinds
MOST_DOWN = 2  # from a shared kind to another thing
ASIDE = 2  # another thing of the same kind is as far as two kinds further up
MOST_ALIKE = 5  # known things of one kind: a kind with more of them says little about looks
FIRST_SENSES = 3  # of a noun that are looked at
# Lexicographers' files.
ANIMAL, ARTIFACT, FOOD, PLANT = "05", "06", "13", "20"
ALIKE = {ANIMAL, FOOD, PLANT}  # where another thing of the same kind looks alike
PHYSICAL = "physical_entity"
# Kinds that say nothing about how something looks: what is only one of these has no nearest thing.
TOO_GENERAL = {
    "entity", "physical_entity", "animal", "creature", "object", "whole", "artifact", "thing", "matter", "substance", "part", "living_thing",
    "organism", "causal_agent", "process", "unit", "location", "region", "material", "solid", "fluid", "piece",
    "natural_object", "instrumentality", "device", "commodity", "article", "structure", "equipment", "system", "covering",
    "creation", "product", "food", "nutriment", "body_part", "plant_part", "person", "worker", "being", "compound",
    "chemical", "chemical_element", "element", "body_substance", "atmosphere", "state", "way", "line", "surface", "sheet",
}  # fmt: skip


@dataclass
class Sense:
    """A group of nouns with one meaning."""

    nouns: list[str]
    file: str = ""  # the lexicographers' file that it is in
    kinds: list[str] = field(default_factory=list)  # the senses that it is a kind of
    members: list[str] = field(default_factory=list)  # the senses that are a kind of it
    is_name: bool = False  # of a person or place


def read_wordnet(folder: Path) -> tuple[dict[str, Sense], dict[str, list[str]]]:
    """The senses of all nouns by their number, and each noun's senses, the most frequent first.

    Args:
        folder: with ``data.noun`` and ``index.noun``; their format is described in wndb(5WN).
    """
    senses: dict[str, Sense] = {}
    for line in _lines(folder / "data.noun"):
        parts = line.partition(" | ")[0].split()
        count = int(parts[3], 16)
        sense = Sense([parts[4 + 2 * place] for place in range(count)], parts[1])
        pointers = parts[4 + 2 * count + 1 :]
        for place in range(0, 4 * int(parts[4 + 2 * count]), 4):
            kind, number = pointers[place], pointers[place + 1]
            if kind == "@":
                sense.kinds.append(number)
            sense.is_name |= kind == "@i"
        senses[parts[0]] = sense
    for number, sense in senses.items():
        for kind in sense.kinds:
            senses[kind].members.append(number)
    numbers = {}
    for line in _lines(folder / "index.noun"):
        parts = line.split()
        numbers[parts[0]] = parts[-int(parts[2]) :]
    return senses, numbers


def nearest_things(
    senses: dict[str, Sense], numbers: dict[str, list[str]], known: Iterable[str]
) -> dict[str, str]:
    """Every noun of at most three words for a physical thing, with its nearest known name.

    Args:
        known: names of the things that the bundled models draw.
    """
    names: dict[str, str] = {}  # by sense
    for name in sorted(known, key=len):
        for number in _likely_senses(senses, numbers.get(name.replace(" ", "_"), []))[:1]:
            names.setdefault(number, name)
    nearest: dict[str, str] = {}
    for noun, its in sorted(numbers.items()):
        plain = noun.replace("_", " ")
        if plain.count(" ") > 2 or not plain.replace(" ", "").isalpha():
            continue
        for number in _likely_senses(senses, its):
            if found := _nearest(senses, number, names):
                nearest[plain] = found
                break
    return nearest


def _likely_senses(senses: dict[str, Sense], numbers: list[str]) -> list[str]:
    """The senses in which a prompt may mean a noun, the likelier first; none if it usually means no thing, as
    “poster” a notice before a horse."""
    common = [number for number in numbers if not senses[number].is_name][:FIRST_SENSES]
    if not common or not _is_physical(senses, common[0]):
        return []
    first, others = common[0], common[1:]
    creatures = [number for number in others if senses[number].file in (ANIMAL, FOOD)]
    # “Tuna” is a fish before a cactus, and a “drill” a tool before a monkey.
    return [first, *creatures] if senses[first].file in (ANIMAL, ARTIFACT, FOOD) else [*creatures, first]


def write_nearest_things(folder: Path, known: Known, to: Path = TABLE_FILE) -> int:
    """Write the table that ``pixgen.translation`` reads; returns the number of nouns."""
    senses, numbers = read_wordnet(folder)
    found = {
        noun: name
        for noun, name in nearest_things(senses, numbers, known.things).items()
        if noun not in known.all
    }
    text = "\n".join(f"{noun}\t{name}" for noun, name in found.items())
    to.write_bytes(lzma.compress(text.encode(), preset=9))
    return len(found)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file of WordNet's, without the licence before them."""
    return (line for line in path.read_text("utf-8").splitlines() if not line.startswith("  "))


def _nearest(senses: dict[str, Sense], number: str, names: dict[str, str]) -> str | None:
    """The known name nearest to a sense: a kind of it, or another thing of the same kind."""
    best, nearest = float("inf"), None
    seen, waiting = {number}, deque([(number, 0)])
    while waiting:
        here, up = waiting.popleft()
        if up >= best or set(senses[here].nouns) & TOO_GENERAL:
            continue
        if name := names.get(here):
            best, nearest = up, name
            continue
        alike = _below(senses, here, names) if up and senses[number].file in ALIKE else None
        if alike and up + ASIDE < best:
            best, nearest = up + ASIDE, alike
        if up < MOST_UP:
            fresh = [kind for kind in senses[here].kinds if kind not in seen]
            seen.update(fresh)
            waiting += [(kind, up + 1) for kind in fresh]
    return nearest


def _below(senses: dict[str, Sense], number: str, names: dict[str, str]) -> str | None:
    """The first known name among the things of a kind, and the things of those."""
    level = [number]
    for _ in range(MOST_DOWN):
        level = [member for each in level for member in senses[each].members]
        found = [names[member] for member in level if member in names]
        if len(found) > MOST_ALIKE:
            return None
        if found:
            return min(found, key=lambda name: (len(name), name))
    return None


def _is_physical(senses: dict[str, Sense], number: str) -> bool:
    waiting, seen = [number], set()
    while waiting:
        here = waiting.pop()
        if PHYSICAL in senses[here].nouns:
            return True
        fresh = [kind for kind in senses[here].kinds if kind not in seen]
        seen.update(fresh)
        waiting += fresh
    return False

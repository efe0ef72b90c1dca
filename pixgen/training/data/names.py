"""Names and keywords of the drawings, cleaned for use in captions."""

import gzip
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pixgen.training.data.sources import FAMILIES, WORDS_PACKAGE, clipart_folder, package_folder

# How often a group of things is drawn, by emojibase's group number: people ask for animals and
# places far more often than for clock faces, and there are only so many training steps.
GROUP_WEIGHT = {0: 0.5, 1: 0.25, 3: 1.6, 4: 1.2, 5: 1.2, 6: 1.0, 7: 1.0, 8: 0.12, 9: 0.06}
NOUN_KEYWORDS = {3, 4, 5, 6, 7}  # groups whose keywords are mostly names of the thing
NOT_NAMES = {
    "face", "animal", "food", "c", "cold", "hot", "lazy", "slow", "building", "hungry", "tool",
    "instrument", "celebration", "place", "plant", "fruit", "vehicle", "sport", "game", "light",
    "night", "water", "object", "boom", "big", "small", "red", "green", "blue", "white", "black",
    "orange", "yellow", "brown", "pink", "purple", "clothing", "weather", "sun", "star", "nature",
    "hash", "icon", "equipment", "menu", "office", "mapsym", "weathersym", "roadsign", "people",
    "sports", "holiday", "map", "states", "symbol", "theme", "clipart", "room",
}  # fmt: skip
CLIPART_SUBJECTS = {
    "animals": 1.0, "food": 1.0, "plants": 1.0, "buildings": 1.0, "containers": 0.7,
    "transportation": 0.8, "recreation": 0.7, "tools": 0.7, "people": 0.4, "office": 0.5,
    "education": 0.6, "electronics": 0.6, "science": 0.6, "unsorted": 0.5, "geography/astronomy": 0.6,
    "computer/hardware": 0.4,
}  # fmt: skip
CLIPART_LEFT_OUT = ("roadsigns", "aiga-symbols", "smilies", "stickmen", "callouts", "cards")


@dataclass(frozen=True)
class Drawing:
    """One drawing to be rendered: its SVG, what it shows and how often to use it."""

    family: str
    thing: str  # the canonical name; drawings of one thing share it
    names: tuple[str, ...]  # other names and keywords
    group: str
    weight: float
    svg: str


def load_drawings(folder: Path) -> list[Drawing]:
    """Every drawing found in the fetched packages, in a stable order."""
    emoji = _emoji(folder)
    known = {word for drawing in emoji for name in (drawing.thing, *drawing.names) for word in name.split()}
    return emoji + _clipart(folder, known)


def _emoji(folder: Path) -> list[Drawing]:
    words = json.loads((package_folder(folder, WORDS_PACKAGE[0]) / "en" / "data.json").read_text("utf-8"))
    words = [word for word in words if word.get("group") in GROUP_WEIGHT]
    drawings = []
    for family in FAMILIES:
        package = package_folder(folder, family.package)
        icons = json.loads((package / "icons.json").read_text("utf-8"))
        by_code = json.loads((package / "chars.json").read_text("utf-8"))
        for word in words:
            slug = _slug(word["label"])
            name = slug if slug in icons["icons"] else by_code.get(_code(word["hexcode"]))
            if name not in icons["icons"]:
                continue
            icon = icons["icons"][name]
            width = icon.get("width", icons.get("width", 16))
            height = icon.get("height", icons.get("height", 16))
            svg = (
                f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
                f' viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}">'
                f"{icon['body']}</svg>"
            )
            drawings.append(_emoji_drawing(family.name, word, svg))
    return drawings


def _emoji_drawing(family: str, word: dict, svg: str) -> Drawing:
    group = word["group"]
    thing = clean(word["label"])
    weight = GROUP_WEIGHT[group]
    if "gender" in word:
        weight *= 0.4  # three near copies of each person would crowd out the rest
    if re.search(r"o.clock|thirty|keycap|button", word["label"]):
        weight *= 0.1
    names = ()
    if group in NOUN_KEYWORDS:
        names = tuple(
            tag
            for tag in map(clean, word.get("tags", ()))
            if len(tag) > 2 and tag not in NOT_NAMES and tag not in thing.split()
        )[:5]
    return Drawing(family, thing, names, f"emoji-{group}", weight, svg)


def _clipart(folder: Path, known: set[str]) -> list[Drawing]:
    root = clipart_folder(folder)
    found = []
    for path in sorted(root.rglob("*.svg*")):
        subject = str(path.parent.relative_to(root))
        weight = CLIPART_SUBJECTS.get(subject, CLIPART_SUBJECTS.get(subject.split("/")[0]))
        if weight is None or any(part in subject for part in CLIPART_LEFT_OUT):
            continue
        data = path.read_bytes()
        svg = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace")
        title = re.search(r"<dc:title>(.*?)</dc:title>", svg, re.DOTALL)
        keywords = [clean(word) for word in re.findall(r"<rdf:li>(.*?)</rdf:li>", svg, re.DOTALL)]
        found.append((path, subject, weight, svg, clean(title[1]) if title else "", keywords))
    counts = Counter(word for *_, keywords in found for word in set(keywords))
    known = known | {word for word, count in counts.items() if count >= 3 and word.isalpha()}
    drawings = []
    for path, subject, weight, svg, title, keywords in found:
        name = _clipart_name(title, clean(path.stem.split(".")[0]), known)
        if len(name) > 2 and name not in NOT_NAMES:
            names = tuple(
                word
                for word in keywords
                if word in known
                and len(word) > 2
                and word not in NOT_NAMES
                and word not in name.split()
                and word not in subject
            )[:3]
            drawings.append(Drawing("clipart", name, names, f"clipart-{subject}", weight, svg))
    return drawings


def _clipart_name(title: str, stem: str, known: set[str]) -> str:
    """A title of known words, else the known words that the file name starts with, else nothing.

    File names end with their author, and many titles name a collection instead of the thing.
    """
    words = [word for word in title.split() if word.isalpha()]
    if 1 <= len(words) <= 4 and all(word in known for word in words) and "theme" not in words:
        return " ".join(words)
    words = []
    for word in stem.split():
        if word not in known:
            break
        words.append(word)
    return " ".join(words[:3])


def clean(text: str) -> str:
    """Lower-case ASCII words: brackets, quotes and numbering dropped, "flag: X" as "flag of X"."""
    text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("&amp;", "&"))
    text = text.encode("ascii", "ignore").decode().lower()
    text = re.sub(r"\(.*?\)", "", text)
    text = text.replace("flag:", "flag of").replace("keycap:", "keycap")
    text = re.sub(r"[^a-z0-9' ]+", " ", text).replace("'s ", "s ")
    text = re.sub(r"\b\d{2,}\b", "", text.replace("'", ""))
    return re.sub(r"\s+", " ", text).strip()


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", clean(label)).strip("-")


def _code(hexcode: str) -> str:
    return hexcode.replace("-FE0F", "").lower()

"""The drawings of the training: names and keywords cleaned for captions, and sprites rendered once into one array.

``load_drawings`` lists those of the fetched packages; pixgen's own drawings are things that people ask for and
that no drawing family has.
"""

import gzip
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from pixgen.errors import PictureError, TrainingError
from pixgen.images import open_picture
from pixgen.paths import OWN_DRAWINGS
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
SIDE = 128  # pixels of a sprite's side; the drawing itself spans at most INNER of them
INNER = 120
PIXELS_FILE = "sprites.npy"
TABLE_FILE = "sprites.json"
GROUP = "own"
OWN_WEIGHT = 16.0  # as often as this many usual drawings: there is one of each, and nobody else draws them


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
    """The title if its words are known, else the known words at the beginning of the file name, else nothing.

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


def render_all(folder: Path, *, workers: int = 2) -> int:
    """Render every drawing below ``folder``; returns how many there are.

    Writes ``sprites.npy``, ``(N, 4, 128, 128)`` uint8 with colours premultiplied by alpha, and
    ``sprites.json``, a list of N records (family, thing, names, group, weight). A drawing that
    does not render, or is empty, is left out.
    """
    drawings = load_drawings(folder)
    sprites, table = [], []
    with Pool(workers) as pool:
        rendered = pool.imap(render, (drawing.svg for drawing in drawings), chunksize=16)
        for drawing, sprite in zip(drawings, track(rendered, "Rendering", total=len(drawings)), strict=True):
            if sprite is not None:
                sprites.append(sprite)
                table.append(_record(drawing))
    np.save(folder / PIXELS_FILE, np.stack(sprites))
    (folder / TABLE_FILE).write_text(json.dumps(table))
    return len(table)


def load_sprites(folder: Path) -> tuple[np.ndarray, list[dict]]:
    """The sprites, memory-mapped, and their table, as ``render_all`` wrote them."""
    pixels = np.load(folder / PIXELS_FILE, mmap_mode="r")
    return pixels, json.loads((folder / TABLE_FILE).read_text())


def _record(drawing: Drawing) -> dict:
    record = asdict(drawing)
    del record["svg"]
    return record


def drawings_of(folder: Path, table: list[dict]) -> list[Drawing]:
    """The drawing of each row of the table that ``render_all`` wrote; drawings that did not render have no
    row."""
    left = iter(load_drawings(folder))
    wanted = ({**record, "names": tuple(record["names"])} for record in table)
    return [next(each for each in left if _record(each) == record) for record in wanted]


def render(svg: str, *, side: int = SIDE) -> np.ndarray | None:
    """A drawing as a sprite ``(4, side, side)`` uint8, colours premultiplied by alpha; None if it does not
    render, or is empty."""
    import resvg_py

    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * side, height=2 * side))
        picture = open_picture(png, transparent=True).convert("RGBA")
    except (ValueError, PictureError):
        return None
    box = picture.getchannel("A").point(lambda value: 255 if value > 8 else 0).getbbox()
    if box is None or (box[2] - box[0]) * (box[3] - box[1]) < 256:
        return None
    picture = picture.crop(box)
    scale = INNER / SIDE * side / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    premultiplied = picture.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS)
    canvas = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = np.asarray(premultiplied)
    return canvas.transpose(2, 0, 1)


def own_things() -> list[str]:
    """The drawn things by name."""
    return [path.stem for path in _paths()]


def own_drawings() -> Iterator[tuple[str, np.ndarray]]:
    """Each thing and its sprite ``(4, 128, 128)`` uint8, colours premultiplied by alpha. Raises
    TrainingError if one does not render."""
    for path in _paths():
        sprite = render(path.read_text("utf-8"))
        if sprite is None:
            raise TrainingError("{path} shows nothing.", path=path)
        yield path.stem, sprite


def own_records() -> list[dict]:
    """Their rows in a table of sprites, in the order of ``own_drawings``."""
    return [
        {"family": GROUP, "thing": name, "names": [], "group": GROUP, "weight": OWN_WEIGHT}
        for name in own_things()
    ]


def _paths() -> list[Path]:
    return sorted(OWN_DRAWINGS.glob("*.svg"))

"""The sketcher's memory for things: a portrait of each in the VQGAN's codes, and the names to find it by.

Names compete: for “car” an automobile (which has it among its names) is meant before a police car, and
drawings of an emoji family before clip art, which is of every kind.
"""

import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from pixgen.models.portraits import CODES_FILE, LEXICON_FILE, SOLID
from pixgen.models.vqgan import Vqgan
from pixgen.synthesis.portrayal import paper
from pixgen.training.captions import Author
from pixgen.training.compose import Composer, placed
from pixgen.training.compositions import Composition, Layer
from pixgen.training.looks import SILENT
from pixgen.training.own import GROUP, own_drawings
from pixgen.training.painters import COLOURS
from pixgen.training.phrases import (
    BOTTOM_WORDS,
    FILLERS,
    FILTERS,
    LARGE,
    LEFT_WORDS,
    RIGHT_WORDS,
    SMALL,
    THING_HANDS,
    TOP_WORDS,
)
from pixgen.training.plain_hand import NAMED, USUAL, PlainHand
from pixgen.training.settings import PLACES, SETTINGS

FLAGS = "emoji-9"
LETTERED = {"emoji-8", "clipart-office"}  # never mirrored
SECOND = ("fluent-flat", "noto", "emojione")  # hands of a second portrait
MOST = 3  # things of one name
# How a name may be a thing's, the surest first: as its own; as the last word of a longer one that few
# share; as the first of its other names; as a last word that many share; as a first word; as any other.
ITS_NAME, ITS_HEAD, FIRST_KEYWORD, A_HEAD, A_BEGINNING, KEYWORD = range(6)
FEW = 2
THERE, LOST = 0.9, 0.2  # of a code's square: drawn on, and taken for paper
# Ends of words that name no thing, and words that say how one is, where, or how many.
DOING = ("ing", "ed", "ful", "ous", "able", "ish", "less", "est")
NUMBERS = {"one", "two", "three", "four", "five", "six"}
WHERE = {"left", "right", "top", "bottom", "middle", "next"}
KINDS = {"old", "new", "hot", "cold", "open", "man's", "woman's", "person", "flying", "running", "walking",
         "sitting", "standing", "sleeping", "swimming", "dancing", "jumping"}  # fmt: skip
UNNAMED = SILENT | NUMBERS | WHERE | KINDS | {*SMALL, *LARGE}
# Names that no family gives, because they are colours or words of settings, or that mean nearly the same.
ALSO = {
    "tangerine": ("orange",),
    "ringed planet": ("planet",),
    "house": ("cottage", "cabin"),
    "rocket": ("spaceship", "spacecraft"),
    "castle": ("palace",),
    "dagger": ("sword",),
    "mage": ("wizard",),
    "sailboat": ("boat", "sailing boat", "sailing ship"),
    "soccer ball": ("ball",),
    "fire engine": ("fire truck", "firetruck"),
    "cook": ("chef",),
    "health worker": ("doctor", "nurse"),
    "santa claus": ("santa",),
    "evergreen tree": ("pine", "pine tree", "fir", "fir tree"),
    "rhinoceros": ("rhino",),
    "honey pot": ("honey", "jar of honey"),
    "steaming bowl": ("noodles", "bowl of noodles", "bowl of ramen"),
    "red paper lantern": ("lantern",),
    "rock": ("stone", "boulder"),
    "leopard": ("cheetah", "jaguar"),
    "bug": ("caterpillar",),
    "lizard": ("gecko", "chameleon"),
    "bird": ("sparrow", "robin"),
    "japanese castle": ("pagoda",),
    "woman dancing": ("dancer",),
    "birthday cake": ("cake",),
    "crescent moon": ("moon",),
    "clown face": ("clown",),
    "woman mage": ("witch", "sorceress"),
    "princess": ("queen",),
    "baby angel": ("angel",),
    "teacup without handle": ("tea", "green tea"),
    "paintbrush": ("brush",),
    "alarm clock": ("clock",),
    "open book": ("book",),
    "deciduous tree": ("tree", "oak", "oak tree", "maple tree"),
    "smiling face with horns": ("devil", "demon"),
    "black bird": ("raven", "crow"),
    "blossom": ("flower", "daisy"),
    "person with crown": ("king", "emperor"),
    "gem stone": ("diamond", "jewel", "crystal"),
    "cherries": ("cherry",),
    "cheese wedge": ("cheese",),
    "cherry tree": ("cherry blossom tree", "blossoming tree", "tree in blossom", "tree in bloom"),
    "airship": ("zeppelin", "blimp"),
    "hot air balloon": ("air balloon",),
    "treehouse": ("tree house",),
    "starfish": ("sea star",),
    "seahorse": ("sea horse",),
    "cup": ("coffee cup", "cup of coffee", "cup of tea", "coffee", "mug"),
    "vase": ("vase of flowers", "vase with flowers", "flower vase"),
    "pirate ship": ("galleon", "tall ship"),
    "island": ("tropical island",),
    "campfire": ("bonfire", "camp fire"),
    "gnome": ("garden gnome", "dwarf"),
    "bookshelf": ("bookcase",),
    "lamp": ("table lamp", "desk lamp"),
    "sofa": ("couch", "settee"),
    "pyramid": ("pyramids",),
    "skyscraper": ("tower block",),
    "barn": ("farmhouse", "farm"),
    "knight": ("armour", "armor", "knight in armour", "knight in armor"),
}
WORN = ("hat", "top hat", "cap", "billed cap", "baseball cap", "crown", "helmet", "military helmet",
        "rescue workers helmet", "graduation cap", "womans hat", "purple hat")  # fmt: skip
TELLING = {
    "mountain",
    "rainbow",
    "orange",
    "bridge",
    "table",
    "pencil",
}  # of the words in phrases of settings
ALONE = Layer(0, 0.5, 0.5, USUAL)  # how an own drawing stands on its paper


def write_portraits(data: Path, vqgan: Vqgan, folder: Path) -> int:
    """Write all portraits and the lexicon that finds them; returns how many portraits there are."""
    composer = Composer(data)
    author = Author(composer.table, seed=0)
    groups = _groups(composer.table)
    drawn: list[Composition] = []
    places: dict[str, list[int]] = {}
    for thing, portrait in PlainHand(author).portraits().items():
        if groups[thing] == FLAGS:
            continue
        second = _second(thing, portrait, author) if groups[thing] in NAMED else ()
        both = [portrait, *second]
        places[thing] = list(range(len(drawn), len(drawn) + len(both)))
        drawn += both
    packed = [_composed(vqgan, composer, drawn[at : at + 32]) for at in range(0, len(drawn), 32)]
    count = len(drawn)
    for thing, sprite in own_drawings():
        groups[thing], places[thing] = GROUP, [count]
        packed.append(_laid_on_paper(vqgan, sprite))
        count += 1
    with lzma.open(folder / CODES_FILE, "wb") as file:  # a quarter smaller than as npz
        np.save(file, torch.cat(packed).numpy().astype(np.uint16))
    names = _names(composer.table, groups, places)
    lexicon = {
        "names": {
            name: [place for thing in things for place in places[thing]]
            for name, (_, things) in sorted(names.items())
        },
        "weak": sorted(name for name, (kind, _) in names.items() if kind >= A_BEGINNING),
        "lettered": [place for thing in places if groups[thing] in LETTERED for place in places[thing]],
        "worn": sorted({place for name in WORN for thing in names.get(name, (0, ()))[1] for place in places[thing]}),
        "colours": COLOURS,
        "small": SMALL, "large": LARGE, "fillers": FILLERS,
        "places": {"left": LEFT_WORDS, "right": RIGHT_WORDS, "top": TOP_WORDS, "bottom": BOTTOM_WORDS},
        "hands": {
            said: hand
            for hand, phrases in (FILTERS | THING_HANDS).items()
            for said in phrases if said != "shadow"
        },
        "grounds": {
            told: alone[0]
            for setting, (_, there, alone) in SETTINGS.items()
            for told in (*PLACES.get(setting, ()), *there, *alone)
        },
    }  # fmt: skip
    (folder / LEXICON_FILE).write_text(json.dumps(lexicon, separators=(",", ":")), "utf-8")
    return count


def _groups(table: Sequence[dict]) -> dict[str, str]:
    """Of each thing its group: that of an emoji where there is one."""
    found: dict[str, str] = {}
    for record in table:
        if record["group"].startswith("emoji") or record["thing"] not in found:
            found[record["thing"]] = record["group"]
    return found


def _second(thing: str, portrait: Composition, author: Author) -> Iterator[Composition]:
    hands = {
        author.table[index]["family"]: index
        for index in range(len(author.table))
        if author.table[index]["thing"] == thing and index not in author.unseen
    }
    layer = portrait.layers[0]
    for family in SECOND:
        if family in hands and hands[family] != layer.sprite:
            yield replace(portrait, layers=(replace(layer, sprite=hands[family]),))
            return


def _composed(vqgan: Vqgan, composer: Composer, drawn: Sequence[Composition]) -> torch.Tensor:
    opacity = composer.layers([each.layers[0] for each in drawn])[:, 3:]
    return _packed(vqgan, composer.draw(list(drawn)), opacity)


def _laid_on_paper(vqgan: Vqgan, sprite: np.ndarray) -> torch.Tensor:
    layer = placed(torch.from_numpy(sprite)[None].float() / 255, [ALONE])
    return _packed(vqgan, 1 - layer[:, 3:] + layer[:, :3], layer[:, 3:])


@torch.no_grad()
def _packed(vqgan: Vqgan, pictures: torch.Tensor, opacity: torch.Tensor) -> torch.Tensor:
    """Codes of portraits ``(N, grid, grid)``, with ``SOLID`` where they are so pale that they would be
    taken for paper.

    Args:
        pictures: things alone on white, ``(N, 3, H, W)`` in [0, 1].
        opacity: of the things, ``(N, 1, H, W)``.
    """
    codes = vqgan.codes(vqgan.encode(pictures.clamp(0, 1).to(vqgan.codebook.device)))
    there = F.avg_pool2d(opacity, vqgan.factor)[:, 0] > THERE
    decoded = vqgan.decode(vqgan.lookup(codes)).float().clamp(0, 1)
    taken = torch.cat([paper(each[None]) for each in decoded])
    lost = F.avg_pool2d(taken, vqgan.factor)[:, 0].cpu() > LOST
    return codes.cpu() + SOLID * (there & lost)


def _names(
    table: Sequence[dict], groups: dict[str, str], things: Sequence[str]
) -> dict[str, tuple[int, list[str]]]:
    """Of each name how it is one, and the things that it may mean, the likeliest first."""
    others: dict[str, set[str]] = defaultdict(set)
    first: dict[str, str] = {}
    for record in table:
        others[record["thing"]].update(record["names"])
        if record["names"]:
            first.setdefault(record["thing"], record["names"][0])
    claims: dict[str, list[tuple]] = defaultdict(list)
    heads = Counter(
        thing.split()[-1] for thing in things if groups[thing] in NAMED and " " in thing
    )
    for order, thing in enumerate(things):
        words = thing.split()
        told = dict.fromkeys(others[thing], KEYWORD)
        if len(words) == 1 and others[thing]:
            told[first[thing]] = FIRST_KEYWORD
        if groups[thing] in NAMED:
            told |= _ends(words, heads)
        told[thing] = ITS_NAME
        told |= dict.fromkeys(ALSO.get(thing, ()), ITS_NAME)
        rank = _rank(groups[thing])
        for name, kind in told.items():
            if kind >= A_BEGINNING and name.endswith(DOING):
                continue
            telling = name in TELLING or name in ALSO.get(thing, ()) or groups[thing] == GROUP
            if telling or name not in UNNAMED:
                claims[name].append((rank, kind, len(words), order, thing))
    meant = {}
    for name, found in claims.items():
        found.sort()
        like_the_first = [each for each in found if each[:3] == found[0][:3]]
        one_of_many = found[0][1] in (ITS_HEAD, A_HEAD)
        meant[name] = (
            found[0][1],
            [thing for *_, thing in like_the_first[: MOST if one_of_many else 1]],
        )
    return meant


def _rank(group: str) -> int:
    """Own drawings come before those of an emoji family, and these before clip art."""
    return 0 if group == GROUP else 2 if group.startswith("clipart") else 1


def _ends(words: list[str], heads: Counter) -> dict[str, int]:
    """How the first and the last word of a longer name are names too: a palm tree is a tree, and a palm."""
    if len(words) == 1:
        return {}
    first = {} if words[0] in COLOURS else {words[0]: A_BEGINNING}
    return first | {words[-1]: ITS_HEAD if heads[words[-1]] <= FEW else A_HEAD}

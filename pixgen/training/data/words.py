"""The tokenizer's vocabulary, the words that the bundled models know, and the senses of a thing's name.

The tokenizer is byte-pair encoding learned from captions, in the file format of CLIP's own. The words are those of
all captions and those by which exemplars are found, so that the page can name unknown words.

Names compete: “car” means an automobile, which has it among its names, before a police car; and drawings of an emoji
family come before clip art, which shows all kinds of things.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pixgen.models.vocabulary import split_words
from pixgen.synthesis.retrieval.layout import ABOVE, BELOW, HOLDING, RIDING, WEARING
from pixgen.training.compose.canonical_style import NAMED_GROUPS
from pixgen.training.compose.captions import (
    BOTTOM_WORDS,
    FILLERS,
    FILTERS,
    LARGE,
    LEFT_WORDS,
    MEDIA,
    PATTERNS,
    RIGHT_WORDS,
    SMALL,
    STYLES,
    TOP_WORDS,
    CompositionSampler,
    plural,
)
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import PLACES, SETTINGS
from pixgen.training.data.drawings import GROUP, own_things
from pixgen.training.models.word_appearance import NEUTRAL_WORDS

MOST = 3  # things of one name
# How a name may be a thing's, the surest first: as its own; as the last word of a longer one that few
# share; as the first of its other names; as a last word that many share; as a first word; as any other.
ITS_NAME, ITS_HEAD, FIRST_KEYWORD, A_HEAD, A_BEGINNING, KEYWORD = range(6)
FEW = 2
# Ends of words that name no thing, and words that say how one is, where, or how many.
VERB_ENDINGS = ("ing", "ed", "ful", "ous", "able", "ish", "less", "est")
NUMBERS = {"one", "two", "three", "four", "five", "six"}
WHERE = {"left", "right", "top", "bottom", "middle", "next", "up", "down"}
OPEN_ENDS = {"on", "in", "with", "of", "and"}  # of a name cut off: a dog on a hill is no “dog on”
STATES = {"old", "new", "hot", "cold", "open", "man's", "woman's", "person", "flying", "running", "walking",
         "sitting", "standing", "sleeping", "swimming", "dancing", "jumping"}  # fmt: skip
DESCRIBING = {
    "quiet", "silent", "loud", "bright", "sad", "fast", "fresh", "clean", "sweet", "dead", "wild",
    "tropical", "royal", "medieval", "elegant", "lucky", "broken", "metal", "soft", "good", "young", "long",
    "high", "low", "sunny", "cloudy", "foggy", "cool", "electric", "japanese", "american", "french",
    "mexican", "ugly", "awesome", "growth", "life", "time", "tale", "fantasy",
}  # fmt: skip
UNNAMED = NEUTRAL_WORDS | NUMBERS | WHERE | STATES | DESCRIBING | {*SMALL, *LARGE}
# Names that no family gives, because they are colours or words of settings, or that mean nearly the same.
OTHER_NAMES = {
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
# Words in phrases of settings and hands that name a thing all the same.
ALWAYS_NAMES = {"mountain", "rainbow", "orange", "bridge", "table", "pencil"}
CAPTIONS = 200_000


def sense_of_name(
    table: Sequence[dict], groups: dict[str, str], things: Sequence[str]
) -> dict[str, tuple[int, list[str]]]:
    """For each name, why it is one, and the things that it may mean, the most likely first."""
    others: dict[str, set[str]] = defaultdict(set)
    first: dict[str, str] = {}
    for record in table:
        others[record["thing"]].update(record["names"])
        if record["names"]:
            first.setdefault(record["thing"], record["names"][0])
    claims: dict[str, list[tuple]] = defaultdict(list)
    heads = Counter(thing.split()[-1] for thing in things if groups[thing] in NAMED_GROUPS and " " in thing)
    for order, thing in enumerate(things):
        words = thing.split()
        kinds = dict.fromkeys(others[thing], KEYWORD)
        if len(words) == 1 and others[thing]:
            kinds[first[thing]] = FIRST_KEYWORD
        if groups[thing] in NAMED_GROUPS:
            kinds |= _ends(words, heads)
        kinds[thing] = ITS_NAME
        kinds |= dict.fromkeys(OTHER_NAMES.get(thing, ()), ITS_NAME)
        rank = _rank(groups[thing])
        for name, kind in kinds.items():
            doing = kind >= A_BEGINNING and name.endswith(VERB_ENDINGS)
            if doing or name.split()[-1] in OPEN_ENDS:
                continue
            telling = name in ALWAYS_NAMES or name in OTHER_NAMES.get(thing, ()) or groups[thing] == GROUP
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
    """The first and the last word of a longer name as names: a palm tree is a tree, and a palm."""
    if len(words) == 1:
        return {}
    first = {} if words[0] in COLOURS else {words[0]: A_BEGINNING}
    return first | {words[-1]: ITS_HEAD if heads[words[-1]] <= FEW else A_HEAD}


def learn_vocabulary(sampler: CompositionSampler, path: Path, *, size: int, captions: int = CAPTIONS) -> None:
    """Write the merges of at most ``size`` tokens to ``path`` (gzip), as open_clip's tokenizer reads them: a
    heading, then one merge per line, no line end after the last.
    """
    words = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    # 256 bytes, the same at the end of a word, and two special tokens stand before the merges.
    trainer = trainers.BpeTrainer(
        vocab_size=size - 514 + 80, end_of_word_suffix="</w>", min_frequency=3, show_progress=False
    )
    words.train_from_iterator(_texts(sampler, captions), trainer)
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    words.model.save(str(folder), "learned")
    merges = (folder / "learned-merges.txt").read_text("utf-8").splitlines()
    merges = [merge for merge in merges if not merge.startswith("#")][: size - 514]
    for name in ("learned-merges.txt", "learned-vocab.json"):
        (folder / name).unlink()
    lines = "\n".join(["# pixgen pocket vocabulary", *merges])
    path.write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))


def _texts(sampler: CompositionSampler, captions: int):
    for record in sampler.table:
        yield " ".join((record["thing"], *record["names"]))
    for _ in range(captions):
        yield sampler.composition().caption


# What captions put between their parts: see captions.py.
BETWEEN = (
    "a", "an", "the", "of", "on", "and", "next to", "above", "to the left of", "on the left",
    "on the right", "two", "three", "background",
)  # fmt: skip


def caption_words(table: Iterable[dict]) -> list[str]:
    """The words of every caption that can be written about the drawings of a table, sorted."""
    names = [name for record in table for name in (record["thing"], *record["names"])]
    phrases = [
        *BETWEEN,
        *COLOURS,
        *FILLERS,
        *MEDIA,
        *PATTERNS,
        *LEFT_WORDS,
        *RIGHT_WORDS,
        *TOP_WORDS,
        *BOTTOM_WORDS,
        *SMALL,
        *LARGE,
        *names,
        *map(plural, names),
    ]
    for several in (*STYLES.values(), *FILTERS.values()):
        phrases += several
    for _, there, alone in SETTINGS.values():
        phrases += [*there, *alone]
    return _sorted_words(phrases)


def exemplar_words() -> list[str]:
    """The words with which retrieval finds a thing or a place that no caption names, and the words that
    relate two things; sorted."""
    names = [*own_things(), *(name for also in OTHER_NAMES.values() for name in also)]
    places = (word for words in PLACES.values() for word in words)
    return _sorted_words([*names, *map(plural, names), *places, *ABOVE, *BELOW, *HOLDING, *RIDING, *WEARING])


def _sorted_words(phrases: Iterable[str]) -> list[str]:
    return sorted({word for phrase in phrases for word in split_words(phrase)})


def write_words(table: Iterable[dict], path: Path) -> int:
    """Write the words, one per line; returns their number."""
    words = sorted({*caption_words(table), *exemplar_words()})
    path.write_text("\n".join(words) + "\n", "utf-8")
    return len(words)

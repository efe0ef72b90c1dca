"""Styles, materials, colours, sizes and people by the names that are common in prompts but not in the training captions."""

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache

# The styles that are found in a text, by the words that ask for them. A drawing, painting, cartoon, emoji, clip art or
# vector illustration is what the bundled models draw anyway.
_STYLES: Mapping[str, tuple[str, ...]] = {
    "black and white": (
        "black and white photo", "black and white photograph", "black and white photography", "monochrome",
        "grayscale", "greyscale", "film noir",
    ),
    "sepia": (
        "sepia", "vintage photograph", "old photo", "daguerreotype", "antique photo", "egyptian scroll",
        "egyptian scrolls", "egyptian papyrus", "egyptian hieroglyphics", "egyptian hieroglyphs",
    ),
    "pixels": (
        "pixelated", "made of voxels", "8-bit", "8 bit", "16-bit", "16 bit", "pixel-art", "voxel art", "minecraft",
        "made of lego", "lego bricks",
    ),
    "watercolour": ("watercolor", "watercolors", "watercolours", "water color", "aquarelle", "gouache", "sfumato"),
    "pencil": (
        "in pencil", "drawn in pencil", "drawn with a pencil", "charcoal drawing", "charcoal sketch", "charcoal", "crayon drawing",
        "graphite drawing", "leonardo da vinci", "da vinci",
    ),
    "neon": ("neon lights", "neon light", "glowing neon", "neon art"),
    "oil": (
        "oil painting", "oil on canvas", "oil paint", "oil paints", "oil portrait", "acrylic painting", "impasto",
        "impressionist painting", "impressionist", "impressionistic", "impressionism", "post-impressionism",
        "expressionist painting", "pointillism", "van gogh", "vincent van gogh", "claude monet", "monet",
        "pointilism", "pointillist", "renaissance painting", "baroque painting", "rembrandt", "vermeer",
        "salvador dali", "salvador dalí", "dali", "dalí",
    ),
    "ink": (
        "ink wash", "ink wash painting", "ink painting", "chinese ink painting", "chinese painting", "sumi-e",
        "brush painting", "ink drawing", "ink and wash",
    ),
    "poster": (
        "pop art", "screen print", "screenprint", "flat design",
        "abstract", "abstract art", "abstract painting", "minimalist", "minimalistic", "andy warhol", "art deco", "cubism", "cubist", "cubist painting", "paper cut",
        "paper cutout", "low poly", "low-poly",
    ),
    "print": (
        "woodcut", "linocut", "wood engraving", "woodblock print", "etching", "engraving", "stencil", "block print",
        "hokusai",
    ),
    "blueprint": ("blueprint", "technical drawing", "schematic", "patent drawing"),
    "chalk": ("chalk drawing", "chalk art", "chalk", "blackboard drawing", "chalkboard drawing"),
    "outlined": (
        "line art", "line-art", "comic", "comics", "anime", "manga",
        "ink outline", "coloring book",
    ),
    "round": (
        "3d rendering", "3d illustration", "claymation", "clay model", "made of clay", "plasticine", "cgi",
        "octane render", "unreal engine", "figurine", "plush toy",
    ),
    "silhouette": ("silhouetted", "shadow puppet"),
    "sticker": ("decal",),
}  # fmt: skip
# These may be things: they are styles only where a phrase says so.
_STYLES_OF_PHRASES: Mapping[str, tuple[str, ...]] = {
    "poster": ("poster", "movie poster", "travel poster", "propaganda poster", "logo", "icon", "mosaic", "stained glass"),
    "outlined": ("doodle", "comic book"),
    "print": ("stamp", "tattoo"),
}  # fmt: skip
_PHRASES = ("{} of", "style of {}", "{} style", "{}-style", ", {}")

# Red, green and blue.
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "amber": (240, 170, 40), "aqua": (70, 210, 215), "bright red": (240, 35, 35), "crimson": (190, 25, 50),
    "cyan": (60, 210, 225), "dark red": (130, 20, 25), "gray": (128, 128, 128),
    "light grey": (195, 195, 195), "magenta": (215, 40, 160), "maroon": (120, 25, 40),
    "navy": (30, 40, 95), "navy blue": (30, 40, 95), "scarlet": (220, 40, 30), "teal": (25, 130, 130),
    "violet": (135, 70, 190),
}  # fmt: skip
MATERIALS: Mapping[str, tuple[int, int, int]] = {
    "brass": (195, 155, 75), "brick": (170, 75, 55), "bronze": (165, 115, 60), "cardboard": (195, 155, 110),
    "chocolate": (95, 58, 38), "chrome": (185, 195, 205), "clay": (190, 110, 75), "concrete": (150, 148, 142),
    "copper": (190, 110, 65), "crystal": (190, 225, 240), "frosted": (205, 230, 240), "glass": (185, 220, 235),
    "golden": (235, 180, 40), "ice": (200, 230, 245), "icy": (200, 230, 245), "iron": (110, 115, 122),
    "ivory": (240, 235, 215), "leather": (120, 75, 45), "marble": (232, 230, 226), "metal": (150, 158, 168),
    "metallic": (150, 158, 168), "porcelain": (238, 238, 242), "rusty": (160, 85, 45), "silver": (190, 195, 202),
    "steel": (150, 160, 170), "stone": (150, 146, 138), "suede": (150, 110, 75), "terracotta": (195, 105, 70),
    "wood": (160, 110, 65), "wooden": (160, 110, 65),
}  # fmt: skip
FILLERS = (
    "adult", "amazing", "awesome", "bright", "charming", "circular", "cosy", "cozy", "famous", "friendly",
    "gorgeous", "grand", "great", "identical", "lone", "lonely", "magnificent", "majestic", "matching",
    "modern", "new", "old", "ordinary", "ornate", "peaceful", "plastic", "professional", "real", "shiny",
    "single", "splendid", "stunning", "traditional", "typical", "young",
)  # fmt: skip
SMALL = ("mini", "miniature", "minuscule")
LARGE = ("colossal", "enormous", "gigantic", "immense", "massive", "oversized", "towering")
CLOSE = (
    "close-up",
    "extreme close-up",
    "macro photo",
    "macro photograph",
    "closeup",
    "close up",
    "headshot",
    "macro shot",
    "portrait",
)  # of a thing: it is drawn large
# What prompts for photographs and other models ask for; “depth of field” is no field.
QUALITY = (
    "4k", "8k", "award winning", "award-winning", "best quality", "bokeh", "cinematic", "cinematic lighting",
    "depth of field", "dramatic lighting", "dslr", "extremely detailed", "hd", "hdr", "high definition",
    "high detail", "high quality", "high resolution", "high-contrast", "high-quality", "high-resolution",
    "highly detailed", "hyperrealistic", "in high definition", "in high resolution", "insanely detailed",
    "intricate", "intricate details", "masterpiece", "mixed media", "mixed-media", "on artstation",
    "photorealistic", "professional photo", "professional photograph", "realistic", "sharp focus",
    "soft lighting", "studio lighting", "super detailed", "thumbnail", "thumbnail image",
    "trending on artstation", "uhd", "ultra detailed", "ultra realistic", "ultra-detailed", "ultra-realistic",
    "very detailed", "volumetric lighting", "wide angle", "wide shot", "wide-angle",
)  # fmt: skip
# Before a preposition, what these say is not drawn: a cat sitting on a car is drawn as a cat on a car.
_POSTURES = frozenset({
    "arranged", "crouching", "displayed", "floating", "hanging", "hovering", "hung", "jumping", "kneeling", "laying",
    "leaning", "leaping", "located", "lying", "mounted", "parked", "perched", "perching", "piled", "placed", "positioned",
    "posing", "propped", "resting", "rising", "scattered", "seated", "sitting", "sits", "soaring", "stacked", "standing",
    "stands", "stuck",
})  # fmt: skip
_PREPOSITIONS = frozenset({
    "above", "against", "among", "around", "at", "atop", "before", "behind", "below", "beneath", "beside", "between",
    "by", "in", "inside", "near", "next", "on", "over", "under", "underneath", "upon", "within",
})  # fmt: skip
# Since version 5 of the parser, these too, and before prepositions of motion.
_ACTIONS = _POSTURES | frozenset({
    "attached", "balanced", "balancing", "bouncing", "breaching", "carried", "charging", "climbing",
    "covered", "crashed", "crashing", "crawling", "curled", "dangling", "diving", "draped", "drifting",
    "emerging", "erupting", "flying", "galloping", "gliding", "heading", "hidden", "hiding", "knocked",
    "lounging", "overlooking", "protruding", "racing", "relaxing", "rises", "rolled", "rolling", "running",
    "sailing", "setting", "singing", "situated", "sleeping", "sliding", "smashing", "speeding", "spinning",
    "stampeding", "strolling", "surrounded", "swimming", "swinging", "swooping", "taxiing", "tied", "tossed",
    "trailing", "traveling", "travelling", "trotting", "tucked", "tumbling", "turning", "viewed", "walking",
    "wandering", "wrapped",
})  # fmt: skip
# Phrases of place that are read as a shorter one.
_PLACES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    tuple(said.split()): tuple(meant.split())
    for meant, phrases in {
        "on": ("at the top of", "on the top of", "on top of", "at top of", "onto"),
        "in": (
            "in the middle of",
            "in the center of",
            "in the centre of",
            "at the center of",
            "at the centre of",
        ),
        "in front of": ("at the base of", "at the foot of", "in the front of"),
        "by": ("crashing into", "crashed into", "running into", "bumping into", "smashing into"),
    }.items()
    for said in phrases
}
_MOTIONS = frozenset(
    {"across", "along", "down", "from", "into", "off", "out", "through", "toward", "towards", "up"}
)
# What is done with a thing that is drawn as held.
_HOLDS = frozenset({
    "accepting", "blowing", "breathing", "catching", "chewing", "cutting", "displaying", "examining",
    "kicking", "lifting", "pulling", "pushing", "sipping", "sips", "slicing", "spewing", "swinging",
    "throwing", "unraveling", "unravelling", "using", "waving",
})  # fmt: skip
# What is worn elsewhere than on a head. Its drawing lies flat: it is nothing to draw beside who wears it.
_CLOTHES = frozenset({
    "apron", "clothes", "clothing", "coat", "costume", "dress", "gown", "hoodie", "jacket", "jeans", "jumper", "kilt",
    "kimono", "outfit", "pajamas", "pants", "pyjamas", "raincoat", "robe", "robes", "shirt", "shorts", "skirt", "spacesuit",
    "suit", "sweater", "t-shirt", "trousers", "tuxedo", "uniform", "uniforms", "vest",
})  # fmt: skip
_WEARS = ("wearing", "wears", "dressed", "in")
_MOST_OF_CLOTHES = 4  # words between “wearing” and “jacket”
# Two things of which one looks at the other are drawn beside each other.
_LOOKS = frozenset({
    "attacking", "chased", "chasing", "facing", "fighting", "following", "greeting", "hugging", "imitating",
    "kissing", "leading", "meeting", "surrounding", "watching",
})  # fmt: skip
# Words that show nothing by themselves: of form, and of number, which the parser reads.
_WITHOUT_LOOK = (
    "blond", "blonde", "bunch", "collection", "couple", "depicted", "depicting", "dozen", "drawn",
    "fashioned", "flock", "group", "herd", "in a row", "painted", "pair", "pairs", "pile", "saying", "says",
    "scattered", "series", "several", "shaped", "stack", "style", "styled", "styles", "using", "view",
    "views", "written",
)  # fmt: skip
# People whose drawings are named by what they are, such as “man teacher”.
_PEOPLE = {"male": "man", "female": "woman"}


_ADULTS = {
    "boy": "man", "girl": "woman", "guy": "man", "lady": "woman", "man": "man", "person": "person", "woman": "woman",
}  # fmt: skip
_HAIR = {
    "blonde": "blond",
    "ginger": "red",
    "gray": "white",
    "grey": "white",
    "orange": "red",
    "silver": "white",
}
_MOST_OF_HAIR = 4  # words between “with” and “hair”


def style_phrases() -> dict[str, str]:
    """The styles that are found in a text, by the phrases that ask for them."""
    phrases = {name: style for style, names in _STYLES.items() for name in names}
    for style, nouns in _STYLES_OF_PHRASES.items():
        phrases |= {phrase.format(noun): style for noun in nouns for phrase in _PHRASES}
    return phrases | {f"{phrase} style": style for phrase, style in phrases.items() if " of" not in phrase}


def without_postures(words: Sequence[str], names: Container[str] = (), *, newest: bool = True) -> list[str]:
    """Words without what a drawing of things beside, above or inside each other does not show.

    Args:
        names: what there are drawings of, such as a man standing.
        newest: as since version 5 of the parser.

    >>> without_postures("a cat sitting in front of a jar filled with honey".split())
    ['a', 'cat', 'in', 'front', 'of', 'a', 'jar', 'full', 'of', 'honey']
    """
    plain: list[str] = []
    postures, prepositions = (_ACTIONS, _PREPOSITIONS | _MOTIONS) if newest else (_POSTURES, _PREPOSITIONS)
    if newest:
        words = _shorten(words)
    for at, (word, after) in enumerate(zip(words, [*words, ""][1:], strict=True)):
        if (word == "filled" and after == "with") or (word == "with" and plain[-1:] == ["full"]):
            plain.append("full" if word == "filled" else "of")
        elif " ".join([*plain[-1:], word]) in names or (newest and _is_in_name(words, at, names)):
            plain.append(word)
        elif newest and word in _HOLDS and after and after not in prepositions:
            plain.append("holding")
        elif word not in postures or after not in prepositions:
            plain.append(word)
    return plain


def without_clothes(words: Sequence[str], names: Container[str] = ()) -> list[str]:
    """Words without the clothes that somebody wears.

    Args:
        names: what there are drawings of, such as a man in a tuxedo.

    >>> without_clothes("a raccoon wearing formal clothes , wearing a hat and a cane".split())
    ['a', 'raccoon', ',', 'wearing', 'a', 'hat', 'and', 'a', 'cane']
    """
    plain, at = [], 0
    while at < len(words):
        after = words[at + 1 : at + 2 + _MOST_OF_CLOTHES]
        ends = [place for place, word in enumerate(after) if word in _CLOTHES]
        is_worn = words[at] in _WEARS and ends and not {",", "and", "with"} & {*after[: ends[0]]}
        if not is_worn or _is_in_name(words, at, names):
            plain.append(words[at])
            at += 1
            continue
        at += ends[0] + 2
        if words[at : at + 1] in (["and"], [","]) and words[at + 1 : at + 2] not in (
            ["wearing"],
            ["holding"],
        ):
            plain.append("wearing")  # a suit and a hat: still worn
            at += 1
    return plain


def _is_in_name(words: Sequence[str], at: int, names: Container[str]) -> bool:
    """Whether a word is part of a name of up to six words."""
    return any(
        " ".join(words[begin:end]) in names
        for begin in range(max(0, at - 5), at + 1)
        for end in range(max(begin + 2, at + 1), begin + 7)
    )


def join_hair(words: Sequence[str], names: Container[str]) -> list[str]:
    """Words in which people with hair or a beard have the name of their drawing, or no hair if none has it: it is
    no thing beside them.

    >>> join_hair("a woman with long red hair and a cat".split(), {"woman red hair"})
    ['a', 'woman', 'red', 'hair', 'and', 'a', 'cat']
    """
    joined, at = list(words), 0
    while at < len(joined) - 2:
        after = joined[at + 2 : at + 3 + _MOST_OF_HAIR]
        end = next((place for place, word in enumerate(after) if word in ("hair", "beard")), None)
        is_described = bool(_ADULTS.keys() & {*joined[max(0, at - 1) : at + 1]})  # a man, or a man frowning
        if is_described and joined[at + 1] == "with" and end is not None:
            person, part = _ADULTS.get(joined[at], ""), after[end]
            looks = [[_HAIR.get(each, each), part] for each in after[:end]] + [[part]]
            look = next((each for each in looks if " ".join([person, *each]) in names), None)
            joined[at : at + 3 + end] = [joined[at]] if look is None else [person, *look]
        at += 1
    return joined


def other_names_of_people(names: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Other names of people in a lexicon: of “man teacher”, “male teacher”."""
    return {
        f"{said} {rest}": names[f"{drawn} {rest}"]
        for said, drawn in _PEOPLE.items()
        for rest in _after(drawn, names)
        if f"{said} {rest}" not in names
    }


def _shorten(words: Sequence[str]) -> list[str]:
    """Words in which “at the top of” is “on”, and so on with each of ``_PLACES``."""
    short: list[str] = []
    at = 0
    while at < len(words):
        phrase = next((each for each in _PLACES if tuple(words[at : at + len(each)]) == each), None)
        short += [words[at]] if phrase is None else _PLACES[phrase]
        at += 1 if phrase is None else len(phrase)
    return short


@cache
def common_phrases() -> tuple[str, ...]:
    """All that is understood beside the words of the captions, the longest first."""
    said = {
        *style_phrases(), *COLOURS, *MATERIALS, *FILLERS, *SMALL, *LARGE, *CLOSE, *QUALITY, *_PEOPLE, *_LOOKS, *_WITHOUT_LOOK,
    }  # fmt: skip
    return tuple(sorted(said, key=len, reverse=True))


def _after(first: str, names: Iterable[str]) -> list[str]:
    return [name.removeprefix(f"{first} ") for name in names if name.startswith(f"{first} ")]

"""The languages that prompts can be written in: their words and word order, from ``assets/languages``.

``common_words.json`` holds what a prompt needs besides things: colours, numbers, places, styles and relations,
written for 27 languages. The dictionaries beside it give the names of things in all of them; they are made from
Unicode's names of the emoji by ``python -m pixgen.training translations``.
"""

import json
import lzma
import unicodedata
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Literal

import regex
import snowballstemmer

from pixgen.paths import ASSETS

FOLDER = ASSETS / "languages"
COMMON_WORDS_FILE = FOLDER / "common_words.json"
LONGEST_PHRASE = 5  # words
LANGUAGE_NAMES = {
    "af": "Afrikaans", "ar": "العربية", "az": "azərbaycanca", "be": "беларуская", "bg": "български",
    "bn": "বাংলা", "ca": "català", "cs": "čeština", "da": "dansk", "de": "Deutsch", "el": "Ελληνικά",
    "es": "español", "et": "eesti", "fa": "فارسی", "fi": "suomi", "fil": "Filipino", "fr": "français",
    "gu": "ગુજરાતી", "he": "עברית", "hi": "हिन्दी", "hr": "hrvatski", "hu": "magyar", "id": "Indonesia",
    "it": "italiano", "ja": "日本語", "ka": "ქართული", "kk": "қазақ тілі", "kn": "ಕನ್ನಡ", "ko": "한국어",
    "lt": "lietuvių", "lv": "latviešu", "ml": "മലയാളം", "mr": "मराठी", "ms": "Melayu", "nl": "Nederlands",
    "no": "norsk", "pa": "ਪੰਜਾਬੀ", "pl": "polski", "pt": "português", "ro": "română", "ru": "русский",
    "sk": "slovenčina", "sl": "slovenščina", "sq": "shqip", "sr": "српски", "sv": "svenska", "sw": "Kiswahili",
    "ta": "தமிழ்", "te": "తెలుగు", "th": "ไทย", "tr": "Türkçe", "uk": "українська", "ur": "اردو",
    "uz": "o‘zbek", "vi": "Tiếng Việt", "zh": "中文", "zh-Hant": "繁體中文",
}  # fmt: skip
_SHARED_WORDS = {"zh-Hant": "zh"}  # languages that take their common words from another
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "es": "spanish", "et": "estonian", "fa": "persian", "fi": "finnish", "fr": "french", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nl": "dutch",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
# Written together with the word after them: and, the, in the, for the…
_PREFIXES = {
    "ar": ("وال", "بال", "لل", "ال", "و", "ب"),
    "he": ("וה", "בה", "ה", "ב", "ל", "ש", "ו"),
}
_MARKS_LEFT_OUT = regex.compile(r"[\u0300-\u036f\u064b-\u065f\u0591-\u05c7]")
_WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:[-\u200c][\p{L}\p{M}\p{N}]+)*")

# A place on its own, and behind a thing.
PLACES = {
    "snow": ("a snowy landscape", "in the snow"),
    "night": ("a starry night", "at night"),
    "sea": ("the sea", "at sea"),
    "beach": ("a beach", "on the beach"),
    "forest": ("a forest", "in the forest"),
    "mountains": ("mountains", "in the mountains"),
    "sky": ("the sky", "in the sky"),
    "city": ("a city", "in the city"),
    "meadow": ("a meadow", "in a meadow"),
    "desert": ("a desert", "in the desert"),
    "garden": ("a garden", "in a garden"),
    "rain": ("a rainy day", "in the rain"),
    "space": ("outer space", "in space"),
    "sunset": ("a sunset", "at sunset"),
    "underwater": ("an underwater scene", "under water"),
    "jungle": ("a jungle", "in the jungle"),
    "street": ("a street", "on a street"),
    "table": ("a wooden table", "on a table"),
    "fire": ("a fire", "in front of a fire"),
    "winter": ("a winter landscape", "in winter"),
    "autumn": ("autumn leaves", "in autumn"),
    "river": ("a river", "on the water"),
    "lake": ("a lake", "on a lake"),
    "room": ("a room", "in a room"),
    "fog": ("fog", "in the fog"),
    "storm": ("a thunderstorm", "in a thunderstorm"),
    "background": ("a background", "on a background"),
}
COLOURS = {
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "grey", "black", "white", "gold",
}  # fmt: skip

Kind = Literal[
    "ignored",
    "number",
    "colour",
    "shade",
    "size",
    "quality",
    "relation",
    "ending",  # the relation that a noun's ending says
    "place",
    "style",
    "thing",
]


@dataclass(frozen=True)
class Word:
    """What a word or phrase of another language means.

    Args:
        english: the English word, for a place its key in ``translate.PLACES``.
        weak: whether it may as well mean something else; it counts where no other thing is understood.
    """

    kind: Kind
    english: str
    weak: bool = False


@dataclass(frozen=True)
class Language:
    """A language's words and their order.

    Args:
        words: what its words and phrases mean; phrases are ``split``, joined by spaces.
        common_words: those of them that are no names of things from the dictionary.
        postpositions: whether relations follow their noun, as in “chair on”.
        verbs_first: whether verbs precede their object all the same.
        adjectives_follow: whether colours and sizes usually follow their noun.
        endings: endings of a noun that say a relation, as in Turkish “ağaçta”, in a tree.
        no_spaces: whether words are written without spaces between them.
    """

    code: str
    words: dict[str, Word]
    postpositions: bool = False
    verbs_first: bool = False
    adjectives_follow: bool = False
    no_spaces: bool = False
    common_words: frozenset[str] = frozenset()
    endings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    _stemmer: Any = field(default=None, repr=False)
    _stems: dict[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def longest(self) -> int:
        """The length of the longest phrase, in characters."""
        return max(map(len, self.words), default=0)

    @cached_property
    def _by_beginning(self) -> dict[str, list[str]]:
        """The single words by their first two letters."""
        grouped: dict[str, list[str]] = {}
        for phrase, word in self.words.items():
            if " " not in phrase and word.kind != "ignored":
                grouped.setdefault(phrase[:2], []).append(phrase)
        return grouped

    def with_same_stem(self, word: str, *, common: bool) -> Word | None:
        """The meaning of a word that differs in its endings.

        Args:
            common: whether only the common words are looked through.
        """
        if self._stemmer is None:
            return None
        stem = self._stem(word)
        for other in self._by_beginning.get(word[:2], ()):
            if (not common or other in self.common_words) and self._stem(other) == stem:
                return self.words[other]
        return None

    def _stem(self, word: str) -> str:
        if word not in self._stems:
            self._stems[word] = self._stemmer.stemWord(word)
        return self._stems[word]


def normalise(text: str) -> str:
    """A text for comparison: in lower case, without accents and vowel points, dotless ı as i.

    >>> normalise("Kırmızı TİLKİ")
    'kirmizi tilki'
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _MARKS_LEFT_OUT.sub("", plain)).replace("ı", "i").strip()


def split(text: str) -> list[str]:
    """The words of a normalised text; an apostrophe ends a word.

    >>> split("un renard dans l'eau")
    ['un', 'renard', 'dans', 'l', 'eau']
    """
    return _WORDS.findall(text)


@cache
def _common_words() -> dict[str, Any]:
    return json.loads(COMMON_WORDS_FILE.read_text("utf-8"))


@cache
def load_language(code: str) -> Language:
    """A language of ``LANGUAGE_NAMES`` by its code; the first call takes some 10 ms."""
    common = _common_words().get(_SHARED_WORDS.get(code, code), {})
    words: dict[str, Word] = {}

    def add(phrase: str, word: Word) -> None:
        words.setdefault(" ".join(split(normalise(phrase))), word)

    for kind, meanings in common.get("words", {}).items():
        for english, phrases in meanings.items():
            for phrase in phrases:
                add(phrase, Word(kind, english))
    common_words = frozenset(words)
    packed = FOLDER / f"{code}.tsv.xz"
    for line in lzma.decompress(packed.read_bytes()).decode().splitlines():
        phrase, _tab, english = line.partition("\t")
        sure = english.removeprefix("~")
        noun: Kind = "colour" if sure in COLOURS else "place" if sure in PLACES else "thing"
        words.setdefault(phrase, Word(noun, sure, weak=sure != english))
    flags = {name: common.get(name, False) for name in ("postpositions", "verbs_first", "adjectives_follow")}
    stemmer = _STEMMERS.get(code)
    return Language(
        code,
        words,
        **flags,
        common_words=common_words,
        endings={
            relation: tuple(map(normalise, endings))
            for relation, endings in common.get("endings", {}).items()
        },
        no_spaces=code in ("zh", "zh-Hant", "ja", "th"),
        prefixes=_PREFIXES.get(code, ()),
        _stemmer=snowballstemmer.stemmer(stemmer) if stemmer else None,
    )

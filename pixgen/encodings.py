"""Guess the encoding of a text without a byte order mark that is no UTF-8: code pages of Windows, of old Macs
and of East Asia.

chardet compares the statistics of many languages, and is unsure of short texts. What it holds possible is
therefore read, and the reading with the fewest faults that no writer makes is taken.
"""

import re
import unicodedata

_WESTERN = (
    "àâæçéèêëîïôùûüœ",
    "äöüßé",
    "áéíñóúü",
    "áâãàçéêíóôõú",
    "àèéìíòóùú",
    "åäöéæøü",
    "éëïöüèêâôû",
)
_CENTRAL = (
    "ąćęłńóśźż",
    "áčďéěíňóřšťúůýž",
    "áäčďéíĺľňóôŕšťúýž",
    "áéíóöőúüű",
    "ăâîşţ",
    "čćđšž",
    "äöüßé",
)
_BALTIC = ("čėęįąšųūž", "āčēģīķļņšūž", "äõöüšž")
_TURKISH = ("çğıöşüâîûİ",)
# By how much chardet's confidence counts, as files of Windows are far more usual than the others; and the
# letters beyond a to z of the languages that are written in an encoding, if these are Latin.
_ENCODINGS: dict[str, tuple[float, tuple[str, ...]]] = {
    "cp1252": (1.5, _WESTERN),
    "cp1250": (1.0, _CENTRAL),
    "cp1254": (1.0, _TURKISH),
    "cp1257": (0.5, _BALTIC),
    "mac_roman": (0.7, _WESTERN),
    "iso-8859-2": (0.9, _CENTRAL),
    "cp1251": (1.0, ()),
    "koi8-r": (1.0, ()),
    "cp1253": (1.0, ()),
    "iso-8859-7": (0.9, ()),
    "cp1255": (1.0, ()),
    "cp1256": (1.0, ()),
    "cp932": (1.0, ()),
    "euc_jis_2004": (1.0, ()),
    "gb18030": (1.0, ()),
    "big5": (1.0, ()),
    "euc-kr": (1.0, ()),
}
_LONE = frozenset("àáåæèéêíîóôöøùúüÀÁÅÉÓÖÚ")  # Latin letters that are words
_OPENING, _BEFORE_NUMBERS = "‘“«¿¡", "£€¥¢®©™§¶†"
_BESIDE_LETTERS = re.compile(r"(?<=[^\W\d_])[^\w\s](?=[^\W\d_])")  # a mark between two letters
_IN_WORDS = "’·"
_EXAMINED = 20_000  # characters


def decode_unmarked(data: bytes) -> str:
    """The text in the most plausible encoding; Windows-1252 for want of a better one."""
    import chardet  # here: most files need none of it

    found = chardet.detect_all(
        data, ignore_threshold=True, include_encodings=list(_ENCODINGS), compat_names=False
    )
    confidence = {_plain(str(each["encoding"])): each["confidence"] for each in found}
    readings = []
    for encoding, (weight, languages) in _ENCODINGS.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        sure = weight * confidence.get(_plain(encoding), 0.0)
        readings.append((count_faults(text[:_EXAMINED], languages), -sure, text))
    return min(readings)[2] if readings else data.decode("cp1252", "replace")


def count_faults(text: str, languages: tuple[str, ...] = ()) -> int:
    """How much in a text looks read in a wrong encoding: scripts mixed in a word, letters that none of the
    languages has together, capitals and symbols in the middle of words.

    >>> count_faults("żółw", _CENTRAL), count_faults("¿ó³w", _WESTERN)
    (0, 1)
    """
    if text.isascii():
        return 0
    faults = sum(map(_word_faults, text.split()))
    for found in _BESIDE_LETTERS.finditer(text):
        mark, after = found[0], text[found.end()]
        dash = unicodedata.category(mark) == "Pd" and not after.islower()
        faults += not (mark.isascii() or mark in _IN_WORDS or dash)
    letters = {each for each in text if not each.isascii() and each.isalpha() and _is_latin(each)}
    alphabets = [set(letters + letters.upper()) for letters in languages] or [set()]
    return faults + min(len(letters - alphabet) for alphabet in alphabets)


def _word_faults(word: str) -> int:
    if word.isascii():
        return 0
    faults = 0
    for one, other, after in zip(word, word[1:], word[2:] + " ", strict=False):
        if one.isascii() and other.isascii():
            continue
        if one.isalpha() and other.isalpha():
            faults += _is_latin(one) != _is_latin(other)
            faults += other.isupper() and (one.islower() or after.islower())
        # A sum has its sign beside a number, a quotation its mark before a word.
        faults += one.isalpha() and not one.isascii() and other.isdigit()
        faults += one in _BEFORE_NUMBERS and other.isalpha()
        faults += one.isalpha() and other in _OPENING
    for each in word:
        kind = unicodedata.category(each)
        if kind == "Cc":
            faults += 5
        elif not each.isascii():
            faults += (
                kind in ("Sk", "Co")
                or (kind == "So" and each not in "°®©™")
                or (kind in ("No", "Sm", "Lm") and _beside_letter(word, each))
            )
    bare = word.strip("“”\"'.,;:!?()")
    lone = len(bare) == 1 and not bare.isascii()
    if lone and bare.isalpha():
        script = unicodedata.name(bare, "").partition(" ")[0]
        faults += script in ("LATIN", "ARABIC", "HEBREW") and bare not in _LONE
    elif lone:
        faults += bare in _OPENING
    return faults


def _beside_letter(word: str, mark: str) -> bool:
    at = word.index(mark)
    around = word[max(0, at - 1) : at] + word[at + 1 : at + 2]
    return any(each.isalpha() and unicodedata.category(each) != "Lo" for each in around)


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _plain(encoding: str) -> str:
    return re.sub(r"windows-|cp|[-_]", "", encoding.lower())

"""Labels: what a person types, and the sets that come with pixgen."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pixgen.errors import ClassifyError
from pixgen.paths import ASSETS
from pixgen.text_files import decode
from pixgen.vision.templates import DEFAULT

FOLDER = ASSETS / "labels"
MOST_LABELS = 2000
LONGEST_LABEL = 200
LARGEST_FILE = 2**20  # bytes of a label set
FILES = (".json", ".txt", ".csv", ".tsv")  # how the names of label sets in files end
_HEADINGS = ("label", "labels", "class", "classes", "name", "names")
IMAGENET = "imagenet"

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
# A label, and what ends it: in quotes of which the last stands before that end, or as it is.
_QUOTED = r'[ \t]*(?:"(?P<straight>(?:[^"\n]|"")*)"|“(?P<curved>[^”\n]*)”)[ \t]*(?=[,\n]|$)'
_PLAIN = r"(?P<plain>(?:\\,|[^,\n])*)"
_LABEL = re.compile(f"(?:{_QUOTED}|{_PLAIN})(?:[,\n]|$)")


@dataclass(frozen=True)
class LabelSet:
    """Labels under a name, the templates that fit them, and where they come from."""

    name: str
    title: str
    labels: tuple[str, ...]
    templates: str = DEFAULT
    source: str = ""

    def to_json(self) -> str:
        """The set as the text of its file."""
        value = {
            "title": self.title, "source": self.source, "templates": self.templates,
            "labels": self.labels,
        }  # fmt: skip
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def parse_labels(text: str) -> tuple[str, ...]:
    r"""Labels one a line or divided by commas; ``"red, round"`` and ``red\, round`` are one label.

    Parsing and ``format_labels`` are inverse. A label that is there twice counts once. Raises
    ClassifyError if there is none, or too many.
    """
    return checked(map(_written, _LABEL.finditer(text.replace("\r", "\n"))))


def _written(found: re.Match[str]) -> str:
    """A label as it is meant."""
    if found["straight"] is not None:
        return found["straight"].replace('""', '"')
    if found["curved"] is not None:
        return found["curved"]
    return re.sub(r'^(\s*)\\(?=["“])', r"\1", found["plain"].replace("\\,", ","))


def format_labels(labels: tuple[str, ...]) -> str:
    """Labels as a person edits them: one a line."""
    return "\n".join(re.sub(r'^(?=\\*["“])', r"\\", label.replace(",", "\\,")) for label in labels)


def checked(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels without what cannot be printed, each once. Raises ClassifyError."""
    tidy = tuple(dict.fromkeys(filter(None, map(_tidy, labels))))
    if not tidy:
        raise ClassifyError("There are no labels: write some, for example “cat, dog, bird”.")
    if len(tidy) > MOST_LABELS:
        raise ClassifyError(
            "There may be at most {limit} labels: there are {count}.",
            limit=MOST_LABELS,
            count=len(tidy),
        )
    for label in tidy:
        if len(label) > LONGEST_LABEL:
            raise ClassifyError(
                "The label “{label}…” is too long: at most {limit} characters.",
                label=label[:40],
                limit=LONGEST_LABEL,
            )
    return tidy


def _tidy(label: str) -> str:
    """One line that a terminal or a page can show: a folder's name, which becomes one, may hold anything."""
    return "".join(sign for sign in " ".join(label.split()) if sign.isprintable())


@cache
def bundled_sets() -> dict[str, LabelSet]:
    """The sets that come with pixgen, by name, in their files' order."""
    found = {path.stem: read_set(path) for path in sorted(FOLDER.glob("*.json"))}
    # Its thousand names are in open_clip, as cleaned up by CLIP's authors: they are read from there.
    found[IMAGENET] = LabelSet(
        IMAGENET, "ImageNet, 1,000 things", (), "seven", "open_clip.zero_shot_metadata"
    )
    return found


def load_set(name: str, folder: Path | None = None) -> LabelSet:
    """A bundled set, or one's own in ``folder``. Raises ClassifyError, which lists the names."""
    bundled = bundled_sets()
    if name == IMAGENET:
        from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES  # here: it loads torch

        blank = bundled[IMAGENET]
        return LabelSet(
            name, blank.title, checked(IMAGENET_CLASSNAMES), blank.templates, blank.source
        )
    if name in bundled:
        return bundled[name]
    own = own_names(folder)
    if folder is not None and name in own:
        return read_set(folder / f"{name}.json")
    raise ClassifyError(
        "There is no label set “{name}”: choose {choices}.",
        name=name[:60],
        choices=", ".join([*bundled, *own]),
    )


def own_names(folder: Path | None) -> list[str]:
    """The names of the sets in a folder of one's own."""
    if folder is None or not folder.is_dir():
        return []
    names = sorted(path.stem for path in folder.glob("*.json"))
    return [name for name in names if is_name(name) and name not in bundled_sets()]


def is_name(text: str) -> bool:
    """Whether a set may have this name, which is also its file's."""
    return _NAME.fullmatch(text) is not None


def read_set(path: Path) -> LabelSet:
    """The set in a file: JSON with a list under “labels”, or a text with a label a line, or divided by
    commas, of which a first line such as “labels” is left out. Raises ClassifyError if it cannot be read
    or is none."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("too large")
        text = decode(path.read_bytes())
        if path.suffix.lower() != ".json":
            first, _, rest = text.partition("\n")
            heading = first.strip(' \t"').lower() in _HEADINGS
            return LabelSet(path.stem, path.stem, parse_labels(rest if heading else text))
        value = json.loads(text)
        labels = checked(tuple(str(label) for label in value["labels"]))
        fields = (str(value.get("title", path.stem)), labels, str(value.get("templates", DEFAULT)))
        return LabelSet(path.stem, *fields, str(value.get("source", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ClassifyError(
            "The label set “{name}” cannot be read: it needs a list under “labels”.", name=path.name
        ) from error

"""Labels and prompt templates: parsed from text, and the bundled sets of both.

A template is a sentence around a label. Several templates a label are better than one, because their mean depends less
on the wording (CLIP, https://arxiv.org/abs/2103.00020, section 3.1.4). Which set is best depends on the pictures.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pixgen.errors import ClassifyError
from pixgen.paths import ASSETS
from pixgen.text_files import decode, parse_json

MOST_TEMPLATES = 100
LONGEST_TEMPLATE = 200
PLACEHOLDER = "{}"  # is replaced by the label
DEFAULT_TEMPLATES = "drawing"  # for the bundled CLIP, which was trained on drawings only


@dataclass(frozen=True)
class TemplateSet:
    """Named templates; each has one ``{}`` for the label."""

    name: str
    title: str
    templates: tuple[str, ...]


# The wordings for one data set follow those that CLIP was measured with,
# https://github.com/openai/CLIP/blob/main/data/prompts.md.
_TEMPLATE_SETS = (
    TemplateSet("none", "the label alone", (PLACEHOLDER,)),
    TemplateSet("photo", "a photo", ("a photo of a {}",)),
    TemplateSet("drawing", "drawings", (
        "a {}", "an icon of a {}", "a drawing of a {}", "a picture of a {}", "an emoji of a {}",
        "a flat illustration of a {}", "a 3d render of a {}",
    )),
    TemplateSet("pets", "pets", ("a photo of a {}, a type of pet.",)),
    TemplateSet("food", "food", ("a photo of {}, a type of food.",)),
    TemplateSet("satellite", "satellite photos", (
        "a centered satellite photo of {}.", "a centered satellite photo of a {}.",
        "a centered satellite photo of the {}.",
    )),
    TemplateSet("faces", "faces", (
        "a photo of a {} looking face.", "a photo of a face showing the emotion: {}.",
        "a photo of a face looking {}.", "a face that looks {}.", "they look {}.", "look at how {} they are.",
    )),
    TemplateSet("small-photos", "small, blurred photos", (
        "a photo of a {}.", "a blurry photo of a {}.", "a low contrast photo of a {}.",
        "a photo of a small {}.", "a photo of a big {}.",
    )),
)  # fmt: skip
_OPEN_CLIP_SETS = {  # read from open_clip: the common sets of benchmarks
    "seven": ("seven sentences", "SIMPLE_IMAGENET_TEMPLATES"),
    "eighty": ("eighty sentences", "OPENAI_IMAGENET_TEMPLATES"),
}


def available_templates() -> dict[str, str]:
    """Each set's title by its name."""
    titles = {each.name: each.title for each in _TEMPLATE_SETS}
    return titles | {name: title for name, (title, _) in _OPEN_CLIP_SETS.items()}


def load_templates(name: str) -> tuple[str, ...]:
    """The templates of that name. Raises ClassifyError, which lists the names."""
    for each in _TEMPLATE_SETS:
        if each.name == name:
            return each.templates
    if name not in _OPEN_CLIP_SETS:
        raise ClassifyError(
            "There are no templates “{name}”: choose {choices}.",
            name=name[:60],
            choices=", ".join(available_templates()),
        )
    from open_clip import zero_shot_metadata  # here: it loads torch

    return tuple(template(PLACEHOLDER) for template in getattr(zero_shot_metadata, _OPEN_CLIP_SETS[name][1]))


def parse_templates(text: str) -> tuple[str, ...]:
    """Parse custom templates, one per line. Raises ClassifyError unless each has exactly one ``{}``."""
    templates = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not 1 <= len(templates) <= MOST_TEMPLATES:
        raise ClassifyError("Write 1 to {limit} templates, one per line.", limit=MOST_TEMPLATES)
    for template in templates:
        if template.count(PLACEHOLDER) != 1 or len(template) > LONGEST_TEMPLATE:
            raise ClassifyError(
                "The template “{template}” needs one {{}}, where the label goes, and at most {limit} "
                "characters: write for example “a photo of a {{}}”.",
                template=template[:60],
                limit=LONGEST_TEMPLATE,
            )
    return templates


def fill_template(template: str, label: str) -> str:
    """The template about a label; braces in the label stay as they are."""
    return template.replace(PLACEHOLDER, label)


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
    templates: str = DEFAULT_TEMPLATES
    source: str = ""

    def to_json(self) -> str:
        """The set as the text of its file."""
        value = {
            "title": self.title,
            "source": self.source,
            "templates": self.templates,
            "labels": self.labels,
        }
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def parse_labels(text: str) -> tuple[str, ...]:
    r"""Parse labels, one per line or separated by commas; ``"red, round"`` and ``red\, round`` are one label.

    Parsing and ``format_labels`` are inverse. A label that is there twice counts once. Raises
    ClassifyError if there is none, or too many.
    """
    return check_labels(map(_unquote, _LABEL.finditer(text.replace("\r", "\n"))))


def _unquote(found: re.Match[str]) -> str:
    """A label without its quotes and escapes."""
    if found["straight"] is not None:
        return found["straight"].replace('""', '"')
    if found["curved"] is not None:
        return found["curved"]
    return re.sub(r'^(\s*)\\(?=["“])', r"\1", found["plain"].replace("\\,", ","))


def format_labels(labels: tuple[str, ...]) -> str:
    """Labels as an editable text, one per line."""
    return "\n".join(re.sub(r'^(?=\\*["“])', r"\\", label.replace(",", "\\,")) for label in labels)


def check_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels without unprintable characters and duplicates. Raises ClassifyError if there are none or too many."""
    tidy = tuple(dict.fromkeys(filter(None, map(_clean, labels))))
    if not tidy:
        raise ClassifyError("There are no labels: write some, for example “cat, dog, bird”.")
    if len(tidy) > MOST_LABELS:
        raise ClassifyError(
            "Too many labels: {count}. The limit is {limit}.",
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


def _clean(label: str) -> str:
    """A label as one printable line: labels from folder names may contain any characters."""
    return "".join(sign for sign in " ".join(label.split()) if sign.isprintable())


@cache
def bundled_label_sets() -> dict[str, LabelSet]:
    """The bundled label sets by name, in the order of their files."""
    found = {path.stem: read_label_set(path) for path in sorted(FOLDER.glob("*.json"))}
    # The names are read from open_clip, as CLIP's authors revised them.
    found[IMAGENET] = LabelSet(
        IMAGENET, "ImageNet, 1,000 things", (), "seven", "open_clip.zero_shot_metadata"
    )
    return found


def load_label_set(name: str, folder: Path | None = None) -> LabelSet:
    """A bundled set, or a custom one in ``folder``. Raises ClassifyError, which lists the names."""
    bundled = bundled_label_sets()
    if name == IMAGENET:
        from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES  # here: it loads torch

        blank = bundled[IMAGENET]
        return LabelSet(name, blank.title, check_labels(IMAGENET_CLASSNAMES), blank.templates, blank.source)
    if name in bundled:
        return bundled[name]
    own = custom_set_names(folder)
    if folder is not None and name in own:
        return read_label_set(folder / f"{name}.json")
    raise ClassifyError(
        "There is no label set “{name}”: choose {choices}.",
        name=name[:60],
        choices=", ".join([*bundled, *own]),
    )


def custom_set_names(folder: Path | None) -> list[str]:
    """The names of the custom sets in a folder."""
    if folder is None or not folder.is_dir():
        return []
    names = sorted(path.stem for path in folder.glob("*.json"))
    return [name for name in names if is_valid_name(name) and name not in bundled_label_sets()]


def is_valid_name(text: str) -> bool:
    """Whether a name is valid for a set and its file."""
    return _NAME.fullmatch(text) is not None


def read_label_set(path: Path) -> LabelSet:
    """Read a label set: JSON with a list under “labels”, or text with labels on lines or between commas, where a
    heading such as “labels” is skipped. Raises ClassifyError if it cannot be read."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("too large")
        text = decode(path.read_bytes())
        if path.suffix.lower() != ".json":
            first, _, rest = text.partition("\n")
            heading = first.strip(' \t"').lower() in _HEADINGS
            return LabelSet(path.stem, path.stem, parse_labels(rest if heading else text))
        value = parse_json(text)
        labels = check_labels(tuple(str(label) for label in value["labels"]))
        fields = (str(value.get("title", path.stem)), labels, str(value.get("templates", DEFAULT_TEMPLATES)))
        return LabelSet(path.stem, *fields, str(value.get("source", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ClassifyError(
            "The label set “{name}” cannot be read: it needs a list under “labels”.", name=path.name
        ) from error

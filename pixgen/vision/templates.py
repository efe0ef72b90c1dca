"""Prompt templates: the sentences around a label that CLIP is asked about, as sets by name.

Several sentences a label are better than one, because their mean is the label without any one wording
(CLIP, https://arxiv.org/abs/2103.00020, section 3.1.4). Which set is best depends on the pictures.
"""

from dataclasses import dataclass

from pixgen.errors import ClassifyError

MOST_TEMPLATES = 100
LONGEST_TEMPLATE = 200
PLACE = "{}"  # where the label goes
DEFAULT = "drawing"  # fits the bundled CLIP, which has seen drawings only


@dataclass(frozen=True)
class TemplateSet:
    """Templates under a name; each has one ``{}`` where the label goes."""

    name: str
    title: str
    templates: tuple[str, ...]


# The wordings for one data set follow those that CLIP was measured with,
# https://github.com/openai/CLIP/blob/main/data/prompts.md.
_SETS = (
    TemplateSet("none", "the label alone", (PLACE,)),
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
_OPEN_CLIPS = {  # read from there: what everybody measures with
    "seven": ("seven sentences", "SIMPLE_IMAGENET_TEMPLATES"),
    "eighty": ("eighty sentences", "OPENAI_IMAGENET_TEMPLATES"),
}


def available_templates() -> dict[str, str]:
    """Each set's title by its name."""
    titles = {each.name: each.title for each in _SETS}
    return titles | {name: title for name, (title, _) in _OPEN_CLIPS.items()}


def load_templates(name: str) -> tuple[str, ...]:
    """The templates of that name. Raises ClassifyError, which lists the names."""
    for each in _SETS:
        if each.name == name:
            return each.templates
    if name not in _OPEN_CLIPS:
        raise ClassifyError(
            "There are no templates “{name}”: choose {choices}.",
            name=name[:60],
            choices=", ".join(available_templates()),
        )
    from open_clip import zero_shot_metadata  # here: it loads torch

    return tuple(template(PLACE) for template in getattr(zero_shot_metadata, _OPEN_CLIPS[name][1]))


def parse_templates(text: str) -> tuple[str, ...]:
    """Own templates, one a line. Raises ClassifyError if one has not exactly one ``{}``."""
    templates = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not 1 <= len(templates) <= MOST_TEMPLATES:
        raise ClassifyError("Write from 1 to {limit} templates, one a line.", limit=MOST_TEMPLATES)
    for template in templates:
        if template.count(PLACE) != 1 or len(template) > LONGEST_TEMPLATE:
            raise ClassifyError(
                "The template “{template}” needs one {{}} where the label goes, and at most {limit} "
                "characters: write for example “a photo of a {{}}”.",
                template=template[:60],
                limit=LONGEST_TEMPLATE,
            )
    return templates


def fill(template: str, label: str) -> str:
    """The template about a label; braces in the label stay as they are."""
    return template.replace(PLACE, label)

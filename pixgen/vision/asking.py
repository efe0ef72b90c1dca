"""From what a person chose to a question: typed labels or a set, named templates or own ones."""

from collections.abc import Sequence

from pixgen.errors import ClassifyError
from pixgen.vision.labels import LabelSet, checked, parse_labels
from pixgen.vision.sources import Source
from pixgen.vision.templates import DEFAULT, PLACE, load_templates, parse_templates
from pixgen.vision.zeroshot import Question

PHOTOGRAPHIC = "seven"  # for models that have seen photographs


def make_question(
    sources: Sequence[Source], models: tuple[str, ...], *, labels: str = "",
    label_set: LabelSet | None = None, templates: str | tuple[str, ...] = "", **kind,
) -> Question:  # fmt: skip
    """A question about some pictures.

    Args:
        labels: typed ones, which win over ``label_set``; without either, the pictures' folders.
        templates: own ones, or a set's name, or own ones as a text with ``{}``, one a line; else those
            that fit the label set, else those that fit the models.
        kind: the other fields of Question.

    Raises ClassifyError.
    """
    if labels.strip():
        chosen = parse_labels(labels)
    elif label_set is not None:
        chosen = label_set.labels
    else:
        folders = sorted({source.label for source in sources if source.label})
        if not folders:
            raise ClassifyError("There are no labels: write some, for example “cat, dog, bird”.")
        chosen = checked([folder.replace("_", " ") for folder in folders])
    if not templates:
        fitting = DEFAULT if models == ("pocket",) else PHOTOGRAPHIC
        templates = label_set.templates if label_set is not None else fitting
    if isinstance(templates, str):
        own = PLACE in templates
        templates = parse_templates(templates) if own else load_templates(templates)
    return Question(labels=chosen, templates=templates, **kind)

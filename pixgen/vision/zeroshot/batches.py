"""Classify many pictures: build the question from the form's values, decode on threads, embed in batches.

Results come batch by batch, in the order of the pictures.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from pixgen.errors import ClassifyError
from pixgen.vision.images import map_in_threads, to_batch
from pixgen.vision.zeroshot.embeddings import DeviceTurn
from pixgen.vision.zeroshot.labels import (
    DEFAULT_TEMPLATES,
    PLACEHOLDER,
    LabelSet,
    check_labels,
    load_templates,
    parse_labels,
    parse_templates,
)
from pixgen.vision.zeroshot.sources import PreparedPicture, Source, prepare_picture
from pixgen.vision.zeroshot.zeroshot import Answer, Classifier, Question

if TYPE_CHECKING:
    from pixgen.models import Perceptor


PHOTO_TEMPLATES = "seven"  # the template set for models trained on photographs


def make_question(
    sources: Sequence[Source],
    models: tuple[str, ...],
    *,
    labels: str = "",
    label_set: LabelSet | None = None,
    templates: str | tuple[str, ...] = "",
    **kind,
) -> Question:
    """Build a question about pictures from labels and templates, with defaults for both.

    Args:
        labels: typed labels, which take precedence over ``label_set``; without either, the names of the pictures'
            folders.
        templates: custom ones, also as a text with ``{}`` in each line, or a set's name; by default those of the
            label set, else those that suit the models.
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
        chosen = check_labels([folder.replace("_", " ") for folder in folders])
    if not templates:
        fitting = DEFAULT_TEMPLATES if models == ("pocket",) else PHOTO_TEMPLATES
        templates = label_set.templates if label_set is not None else fitting
    if isinstance(templates, str):
        own = PLACEHOLDER in templates
        templates = parse_templates(templates) if own else load_templates(templates)
    return Question(labels=chosen, templates=templates, **kind)


BATCH = 32  # pictures embedded at once


@dataclass(frozen=True, eq=False)
class ClassifiedPicture:
    """A picture and its answer, or the error. ``thumbnail`` is a data: URI or empty."""

    name: str
    label: str  # its folder's name
    answer: Answer | None
    thumbnail: str = ""
    error: str = ""


PreparedBatch = list[tuple[PreparedPicture, "np.ndarray | None"]]  # with their unit vectors (D,)


def classify_all(
    perceptor: "Perceptor",
    classifier: Classifier,
    sources: Sequence[Source],
    *,
    turn: DeviceTurn = nullcontext,
    stopped: Callable[[], object] = lambda: False,
    thumbnails: int = 0,
) -> Iterator[list[ClassifiedPicture]]:
    """Classify pictures in order, and yield the results batch by batch; ends early when ``stopped`` returns true.

    ``turn`` waits for a turn on the device, for each batch; the first ``thumbnails`` pictures get a thumbnail.
    """

    def prepare(placed: tuple[int, Source]) -> PreparedPicture:
        place, source = placed
        return prepare_picture(source, side=perceptor.size, thumbnail=place < thumbnails)

    ready = map_in_threads(prepare, enumerate(sources), ahead=2 * BATCH)
    try:
        while not stopped() and (batch := list(islice(ready, BATCH))):
            yield classify_batch(classifier, _embed(perceptor, batch, turn))
    finally:
        ready.close()


def classify_batch(classifier: Classifier, batch: PreparedBatch) -> list[ClassifiedPicture]:
    """The answers to embedded pictures; one without a vector has its error."""
    vectors = [vector for _each, vector in batch if vector is not None]
    answers = iter(classifier.answers(torch.from_numpy(np.stack(vectors))) if vectors else ())
    return [
        ClassifiedPicture(
            each.source.name,
            each.source.label,
            None if vector is None else next(answers),
            each.thumbnail,
            each.error,
        )
        for each, vector in batch
    ]


def _embed(perceptor: "Perceptor", batch: list[PreparedPicture], turn: DeviceTurn) -> PreparedBatch:
    squares = [each.pixels for each in batch if each.pixels is not None]
    vectors: Iterator[np.ndarray] = iter(())
    if squares:
        with turn(), torch.inference_mode():
            vectors = iter(perceptor.embed_images(to_batch(squares, perceptor.device)).cpu().numpy())
    return [(each, None if each.pixels is None else next(vectors)) for each in batch]

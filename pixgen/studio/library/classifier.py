"""Zero-shot classification with a studio's device and models, and the label sets that people save."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixgen.errors import ClassifyError
from pixgen.models.progress import DownloadProgress
from pixgen.studio.model_cache import load_in_background
from pixgen.studio.storage import storage_errors, write_bytes
from pixgen.studio.studio import Studio
from pixgen.vision.zeroshot.batches import ClassifiedPicture, PreparedBatch, classify_all, classify_batch
from pixgen.vision.zeroshot.embeddings import LabelEmbeddings, StoredEmbeddings
from pixgen.vision.zeroshot.labels import (
    LabelSet,
    bundled_label_sets,
    custom_set_names,
    is_valid_name,
    load_label_set,
)
from pixgen.vision.zeroshot.sources import Source
from pixgen.vision.zeroshot.zeroshot import Classifier, Question, make_classifier

if TYPE_CHECKING:
    from PIL import Image

FOLDER = "labels"  # in the studio's folder
_VECTORS = "vectors"  # of labels, beside it

Stopped = Callable[[], bool]


def _never() -> bool:
    return False


class ClassifierService:
    """Classifies pictures, taking turns with running jobs, and caches label embeddings. Any thread may call it.

    ``models`` are names of CLIP models, which are combined. Public studios save no label sets, and keep
    label embeddings in memory only.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        kept = None if studio.policy.public else StoredEmbeddings(studio.folder / _VECTORS)
        self._embeddings = LabelEmbeddings(kept)

    def load_models(
        self, models: tuple[str, ...], *, stopped: Stopped = _never
    ) -> Iterator[DownloadProgress | None]:
        """Load models and yield the download progress, as ``load_in_background`` does. Raises ModelError,
        RecipeError if a model is not allowed here."""
        return load_in_background(lambda: self._perceptor(models), stopped=stopped)

    def classifier(
        self, question: Question, models: tuple[str, ...], *, stopped: Stopped = _never
    ) -> Classifier | None:
        """A classifier for a question; None if embedding its labels was stopped. Raises ModelError,
        RecipeError if a model is not allowed here."""
        return make_classifier(
            self._perceptor(models),
            question,
            model=models,
            embeddings=self._embeddings,
            turn=self.studio.exclusive,
            stopped=stopped,
        )

    def classify(
        self,
        classifier: Classifier,
        models: tuple[str, ...],
        sources: Sequence[Source],
        *,
        stopped: Stopped = _never,
        thumbnails: int = 0,
        embedded: Iterable[PreparedBatch] | None = None,
    ) -> Iterator[list[ClassifiedPicture]]:
        """Classify pictures in batches until ``stopped()`` is true; yields the results of each batch.

        Args:
            thumbnails: how many of the first results carry a thumbnail.
            embedded: the pictures in batches, if they are embedded elsewhere.
        """
        if embedded is not None:
            return (classify_batch(classifier, batch) for batch in embedded)
        return classify_all(
            self._perceptor(models),
            classifier,
            sources,
            turn=self.studio.exclusive,
            stopped=stopped,
            thumbnails=thumbnails,
        )

    def explain(
        self, classifier: Classifier, models: tuple[str, ...], picture: "Image.Image", *, label: str
    ) -> np.ndarray:
        """A heat map of the areas that made a picture match a label rather than the others. Raises
        ClassifyError if the label is not part of the question."""
        from pixgen.vision.zeroshot.explain import explain, label_direction

        labels = classifier.question.labels
        if label not in labels:
            raise ClassifyError(
                "“{label}” is not one of the labels: choose one of those you gave.", label=label[:60]
            )
        direction = label_direction(classifier.vectors, labels.index(label))
        return explain(self._perceptor(models), picture, direction, turn=self.studio.exclusive)

    def sets(self) -> dict[str, str]:
        """The titles of all label sets by name, bundled and saved ones."""
        titles = {name: each.title for name, each in bundled_label_sets().items()}
        for name in custom_set_names(self._folder):
            with suppress(ClassifyError):  # a broken file must not hide the others
                titles[name] = self.load(name).title
        return titles

    def load(self, name: str) -> LabelSet:
        """The label set with this name, bundled or saved. Raises ClassifyError, which lists the names."""
        return load_label_set(name, self._folder)

    def save(self, name: str, labels: tuple[str, ...], *, templates: str) -> LabelSet:
        """Save labels as a set, replacing a saved one of the same name. Raises ClassifyError if the name is
        not allowed or bundled, or on a public page; StorageError."""
        if self._folder is None:
            raise ClassifyError("Label sets cannot be saved on a public page: copy the labels instead.")
        if not is_valid_name(name):
            raise ClassifyError(
                "A label set's name can have lowercase letters, digits and hyphens only, for example "
                "my-birds."
            )
        if name in bundled_label_sets():
            raise ClassifyError("“{name}” is a bundled label set: choose another name.", name=name)
        kept = LabelSet(name, name, labels, templates, "own")
        path = self._folder / f"{name}.json"
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, kept.to_json().encode())
        return kept

    @property
    def _folder(self) -> Path | None:
        return None if self.studio.policy.public else self.studio.folder / FOLDER

    def _perceptor(self, models: tuple[str, ...]):
        for name in models:
            self.studio.policy.check_model(name)
        return self.studio.perceptor(models)

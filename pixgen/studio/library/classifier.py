"""Naming pictures with a studio's device and models, in turns with its paintings; and own label sets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixgen.errors import ClassifyError
from pixgen.models.progress import DownloadProgress
from pixgen.studio.loading import while_loading
from pixgen.studio.storage import storing, write_bytes
from pixgen.studio.studio import Studio
from pixgen.vision.zeroshot.batches import ClassifiedPicture, classify_all
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

FOLDER = "labels"  # in the studio's
_VECTORS = "vectors"  # of labels, beside it

Stopped = Callable[[], bool]


def _never() -> bool:
    return False


class ClassifierService:
    """Answers questions about pictures; what it has read of labels it keeps. Any thread may ask.

    ``models`` are CLIPs by name, several of them together as one. Public studios keep no label sets,
    and what they read of labels only as long as they run.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        kept = None if studio.policy.public else StoredEmbeddings(studio.folder / _VECTORS)
        self._embeddings = LabelEmbeddings(kept)

    def ready(
        self, models: tuple[str, ...], *, stopped: Stopped = _never
    ) -> Iterator[DownloadProgress | None]:
        """Load models, and tell meanwhile how far their download is, as ``loading.while_loading`` does.
        Raises ModelError, RecipeError if one is not offered here."""
        return while_loading(lambda: self._perceptor(models), stopped=stopped)

    def classifier(
        self, question: Question, models: tuple[str, ...], *, stopped: Stopped = _never
    ) -> Classifier | None:
        """What answers the question; None if reading its labels was stopped. Raises ModelError,
        RecipeError if a model is not offered here."""
        return make_classifier(
            self._perceptor(models),
            question,
            model=models,
            embeddings=self._embeddings,
            turn=self.studio.exclusive,
            stopped=stopped,
        )

    def look(
        self,
        classifier: Classifier,
        models: tuple[str, ...],
        sources: Sequence[Source],
        *,
        stopped: Stopped = _never,
        thumbnails: int = 0,
    ) -> Iterator[list[ClassifiedPicture]]:
        """The pictures' results, a batch at a time, until ``stopped`` says so; the first
        ``thumbnails`` have one."""
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
        """What in a picture spoke for a label rather than for the others, as a heat map. Raises
        ClassifyError if it is none of the labels."""
        from pixgen.vision.zeroshot.explain import explain, label_direction

        labels = classifier.question.labels
        if label not in labels:
            raise ClassifyError(
                "“{label}” is none of the labels: choose one that was asked for.", label=label[:60]
            )
        direction = label_direction(classifier.vectors, labels.index(label))
        return explain(self._perceptor(models), picture, direction, turn=self.studio.exclusive)

    def sets(self) -> dict[str, str]:
        """The label sets that can be loaded: each one's title by its name."""
        titles = {name: each.title for name, each in bundled_label_sets().items()}
        for name in custom_set_names(self._folder):
            with suppress(ClassifyError):  # a file that somebody has spoilt: the others can be used
                titles[name] = self.load(name).title
        return titles

    def load(self, name: str) -> LabelSet:
        """The label set of that name, bundled or own. Raises ClassifyError, which lists the names."""
        return load_label_set(name, self._folder)

    def save(self, name: str, labels: tuple[str, ...], *, templates: str) -> LabelSet:
        """Keep labels as a set of one's own, over an own one of that name. Raises ClassifyError if the
        name is not allowed, is a bundled set's, or nothing is kept here; StorageError."""
        if self._folder is None:
            raise ClassifyError("Label sets cannot be kept on a public page: copy the labels instead.")
        if not is_valid_name(name):
            raise ClassifyError(
                "The name of a label set has small letters, digits and hyphens: write for example my-birds."
            )
        if name in bundled_label_sets():
            raise ClassifyError("“{name}” is a set that comes with pixgen: choose another name.", name=name)
        kept = LabelSet(name, name, labels, templates, "own")
        path = self._folder / f"{name}.json"
        with storing(path):
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

"""Looking at many pictures: opened on several threads, seen a batch at a time, answered as they come."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import torch

from pixgen.vision.reading import as_batch, in_parallel
from pixgen.vision.sources import Ready, Source, make_ready
from pixgen.vision.wordings import Turn
from pixgen.vision.zeroshot import Answer, Classifier

if TYPE_CHECKING:
    from pixgen.models import Perceptor

BATCH = 32  # pictures that the model sees at once


@dataclass(frozen=True, eq=False)
class Result:
    """A picture and its answer, or why there is none. ``thumbnail`` is a data: URI or empty."""

    name: str
    label: str  # that its folder is named by
    answer: Answer | None
    thumbnail: str = ""
    error: str = ""


def look(
    perceptor: "Perceptor", classifier: Classifier, sources: Sequence[Source], *,
    turn: Turn = nullcontext, stopped: Callable[[], object] = lambda: False, thumbnails: int = 0,
) -> Iterator[list[Result]]:  # fmt: skip
    """The pictures' results in their order, a batch at a time; ends early once ``stopped`` says so.

    ``turn`` is the device's turn, taken for each batch; the first ``thumbnails`` pictures get one.
    """

    def prepare(placed: tuple[int, Source]) -> Ready:
        place, source = placed
        return make_ready(source, side=perceptor.size, thumbnail=place < thumbnails)

    ready = in_parallel(prepare, enumerate(sources), ahead=2 * BATCH)
    try:
        while not stopped() and (batch := list(islice(ready, BATCH))):
            yield _results(perceptor, classifier, batch, turn)
    finally:
        ready.close()


def _results(
    perceptor: "Perceptor", classifier: Classifier, batch: list[Ready], turn: Turn
) -> list[Result]:
    squares = [each.pixels for each in batch if each.pixels is not None]
    answers = iter(())
    if squares:
        with turn(), torch.inference_mode():
            vectors = perceptor.embed_images(as_batch(squares, perceptor.device)).cpu()
        answers = iter(classifier.answers(vectors))
    return [
        Result(
            each.source.name, each.source.label, next(answers) if each.pixels is not None else None,
            each.thumbnail, each.error,
        )
        for each in batch
    ]  # fmt: skip

"""Evaluate classification against the names of the pictures' folders, and export results as CSV and JSON."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixgen.vision.zeroshot.batches import ClassifiedPicture

NONE_OF_THESE = "none of these"


@dataclass(frozen=True)
class Evaluation:
    """A confusion matrix: counts of pictures by their folder's label (rows) and by the answer (columns; the last is
    none of these). ``unknown`` pictures are in folders whose name is no label, and are not counted."""

    labels: tuple[str, ...]
    counts: np.ndarray  # (L, L + 1) int64
    unknown: int = 0

    @property
    def total(self) -> int:
        """The number of pictures counted."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """The fraction of pictures whose answer is their folder's label."""
        return float(np.trace(self.counts)) / self.total

    def per_label(self) -> list[tuple[str, int, int]]:
        """``(label, right, pictures)`` of every label that has pictures."""
        totals = self.counts.sum(axis=1)
        return [
            (label, int(self.counts[place, place]), int(totals[place]))
            for place, label in enumerate(self.labels)
            if totals[place]
        ]

    def occurring(self) -> "Evaluation":
        """The evaluation restricted to labels that occur as a folder or an answer."""
        used = np.flatnonzero(self.counts.sum(axis=1) + self.counts[:, :-1].sum(axis=0))
        counts = self.counts[np.ix_(used, np.append(used, len(self.labels)))]
        return Evaluation(tuple(self.labels[place] for place in used), counts, self.unknown)


def evaluate(results: Sequence[ClassifiedPicture], labels: Sequence[str]) -> Evaluation | None:
    """Compare the best answer of each picture with its folder; None if no folder's name is a label.

    Case is ignored, and ``_`` and ``-`` count as spaces.
    """
    places = {normalise_label(label): place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels) + 1), dtype=np.int64)
    unknown = 0
    for result in results:
        if result.answer is None or not result.label:
            continue
        row = places.get(normalise_label(result.label))
        if row is None:
            unknown += 1
            continue
        found = result.answer.found
        counts[row, places[normalise_label(found[0])] if found else len(labels)] += 1
    return Evaluation(tuple(labels), counts, unknown) if counts.any() else None


def normalise_label(label: str) -> str:
    """A label in the form in which it is compared with folders."""
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()


# A spreadsheet takes a cell that begins so for a formula (https://owasp.org/www-community/attacks/CSV_Injection). In many
# countries it divides cells by semicolons, and in some it takes the wide signs for the narrow ones.
_FORMULA = re.compile(r"(?:^|(?<=[;\t\n]))(?= *[=+\-@＝＋－＠]|[\t\n])")


def results_to_dicts(results: Sequence[ClassifiedPicture], *, top: int) -> list[dict[str, Any]]:
    """A dictionary for each picture: its answer, and the ``top`` labels with probability and cosine."""
    return [_result_to_dict(result, top) for result in results]


def evaluation_to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as a dictionary, for JSON."""
    seen = evaluation.occurring()
    return {
        "pictures": evaluation.total,
        "accuracy": round(evaluation.accuracy, 6),
        "in_unknown_folders": evaluation.unknown,
        "per_label": [
            {"label": label, "right": right, "pictures": total}
            for label, right, total in evaluation.per_label()
        ],
        "confusion": {
            "answers": [*seen.labels, NONE_OF_THESE],
            "folders": list(seen.labels),
            "counts": seen.counts.tolist(),
        },
    }


def results_to_json(
    results: Sequence[ClassifiedPicture], evaluation: Evaluation | None = None, *, top: int
) -> str:
    """Results and evaluation as one JSON object."""
    value: dict[str, Any] = {"pictures": results_to_dicts(results, top=top)}
    if evaluation is not None:
        value["evaluation"] = evaluation_to_dict(evaluation)
    return json.dumps(value, ensure_ascii=False)


def results_to_csv(results: Sequence[ClassifiedPicture], *, top: int) -> str:
    """Results as CSV with a header, a row for each picture. No cell can be taken for a formula."""
    places = range(
        1,
        1 + min(top, max((len(each.answer.labels) for each in results if each.answer), default=0)),
    )
    heads = ["picture", "folder", "answer", "error"]
    heads += [f"{name} {place}" for place in places for name in ("label", "probability", "cosine")]
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(heads)
    for result in results:
        row = [_cell(result.name), _cell(result.label), _cell(summary(result)), _cell(result.error)]
        for score in result.answer.top(len(places)) if result.answer is not None else []:
            row += [_cell(score.label), f"{score.probability:.6f}", f"{score.cosine:.6f}"]
        rows.writerow(row)
    return buffer.getvalue()


def summary(result: ClassifiedPicture) -> str:
    """The answer as text; empty after an error."""
    if result.answer is None:
        return ""
    return ", ".join(result.answer.found) or NONE_OF_THESE


def _result_to_dict(result: ClassifiedPicture, top: int) -> dict[str, Any]:
    value: dict[str, Any] = {"picture": result.name}
    if result.label:
        value["folder"] = result.label
    if result.answer is None:
        return value | {"error": result.error}
    answer = result.answer
    value |= {
        "answer": list(answer.found),
        "labels": [
            {
                "label": score.label,
                "probability": round(score.probability, 6),
                "cosine": round(score.cosine, 6),
            }
            for score in answer.top(top)
        ],
    }
    if answer.none is not None:
        value["none_of_these"] = round(answer.none, 6)
    if answer.close is not None:
        value["too_close_to_call"] = list(answer.close)
    return value


def _cell(text: str) -> str:
    return _FORMULA.sub("'", text.replace("\r", " "))  # csv would begin a line there, without quotes

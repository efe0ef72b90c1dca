"""Results as tables for other programs: CSV and JSON."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from pixgen.vision.evaluation import NONE, Evaluation
from pixgen.vision.looking import Result

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would calculate what begins so


def as_objects(results: Sequence[Result], *, top: int) -> list[dict[str, Any]]:
    """One plain object a picture: its answer, and the ``top`` labels with probability and cosine."""
    return [_object(result, top) for result in results]


def as_object(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain values."""
    seen = evaluation.seen()
    return {
        "pictures": evaluation.total,
        "accuracy": round(evaluation.accuracy, 6),
        "in_unknown_folders": evaluation.unknown,
        "per_label": [
            {"label": label, "right": right, "pictures": total}
            for label, right, total in evaluation.per_label()
        ],
        "confusion": {"answers": [*seen.labels, NONE], "folders": list(seen.labels),
                      "counts": seen.counts.tolist()},
    }  # fmt: skip


def as_json(results: Sequence[Result], evaluation: Evaluation | None = None, *, top: int) -> str:
    """Everything as one JSON object."""
    value: dict[str, Any] = {"pictures": as_objects(results, top=top)}
    if evaluation is not None:
        value["evaluation"] = as_object(evaluation)
    return json.dumps(value, ensure_ascii=False)


def as_csv(results: Sequence[Result], *, top: int) -> str:
    """One row a picture, with a heading. No cell can be taken for a formula."""
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
        row = [_cell(result.name), _cell(result.label), _cell(said(result)), _cell(result.error)]
        for score in result.answer.top(len(places)) if result.answer is not None else []:
            row += [_cell(score.label), f"{score.probability:.6f}", f"{score.cosine:.6f}"]
        rows.writerow(row)
    return buffer.getvalue()


def said(result: Result) -> str:
    """The answer in words; empty where there is none because of an error."""
    if result.answer is None:
        return ""
    return ", ".join(result.answer.found) or NONE


def _object(result: Result, top: int) -> dict[str, Any]:
    value: dict[str, Any] = {"picture": result.name}
    if result.label:
        value["folder"] = result.label
    if result.answer is None:
        return value | {"error": result.error}
    answer = result.answer
    value |= {
        "answer": list(answer.found),
        "labels": [
            {"label": score.label, "probability": round(score.probability, 6), "cosine": round(score.cosine, 6)}
            for score in answer.top(top)
        ],
    }  # fmt: skip
    if answer.none is not None:
        value["none_of_these"] = round(answer.none, 6)
    if answer.close is not None:
        value["too_close_to_call"] = list(answer.close)
    return value


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text

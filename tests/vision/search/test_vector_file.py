"""Exact search in a large collection: the same answers as LanceDB's own, from one array."""

import numpy as np
import pytest

from pixgen.vision.search import collection as collections
from pixgen.vision.search.query import EVERYTHING, Filter
from tests.vision.search.test_search import row


@pytest.fixture
def filled(library, monkeypatch):
    """Three hundred vectors, of which every other lies in a subfolder."""
    monkeypatch.setattr(collections, "VECTOR_FILE_FROM", 100)
    vectors = np.random.default_rng(3).normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = library.create("many", "tiny", dimensions=8)
    made.add([row(f"{'odd' if number % 2 else 'even'}/{number}") for number in range(300)], vectors)
    return made, vectors


@pytest.mark.parametrize("only", [EVERYTHING, Filter(folder="odd"), Filter(folder="none")])
def test_the_same_answers_as_without(filled, library, monkeypatch, only):
    made, vectors = filled
    flat = made.nearest(vectors[5], top=20, only=only)
    monkeypatch.setattr(collections, "VECTOR_FILE_FROM", 1000)
    table = made.nearest(vectors[5], top=20, only=only)
    assert [each.path for each, _, _ in flat] == [each.path for each, _, _ in table]
    assert [score for _, score, _ in flat] == pytest.approx([score for _, score, _ in table], abs=1e-5)
    assert all((one == other).all() for (_, _, one), (_, _, other) in zip(flat, table, strict=True))


def test_changes_are_found_at_once_and_old_vector_files_are_deleted(filled, library):
    made, vectors = filled
    assert made.nearest(vectors[5], top=1)[0][0].path == "odd/5"
    made.remove(["odd/5"])
    assert made.nearest(vectors[5], top=1)[0][0].path != "odd/5"
    made.add([row("again")], vectors[5][None])
    assert made.nearest(vectors[5], top=1)[0][0].path == "again"
    files = list((made._folder).iterdir())
    assert sorted(path.name.split(".", 2)[2] for path in files) == ["ids.npy", "vectors.npy"]


def test_more_than_there_are_is_no_error(filled):
    made, vectors = filled
    assert len(made.nearest(vectors[0], top=1000)) == 300

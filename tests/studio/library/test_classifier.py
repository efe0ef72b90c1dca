"""Naming with a studio: own label sets, whose models may look, and turns with paintings."""

import pytest

from pixgen.errors import ClassifyError, RecipeError
from pixgen.studio import Policy, Studio
from pixgen.studio.library.classifier import ClassifierService
from pixgen.vision.zeroshot.sources import collect_sources
from pixgen.vision.zeroshot.zeroshot import Question


@pytest.fixture
def namer(tmp_path, monkeypatch, tiny_perceptor):
    monkeypatch.setattr("pixgen.models.load_perceptor", lambda names, device: tiny_perceptor)
    with Studio(tmp_path / "runs", device="cpu") as studio:
        yield ClassifierService(studio)


def test_a_set_of_ones_own_is_kept_and_can_be_changed(namer):
    namer.save("my-birds", ("owl", "hen"), templates="photo")
    namer.save("my-birds", ("owl", "duck"), templates="photo")
    assert namer.load("my-birds").labels == ("owl", "duck")
    assert namer.sets()["my-birds"] == "my-birds"
    (namer.studio.folder / "labels" / "spoilt.json").write_text("{")
    assert "spoilt" not in namer.sets()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cifar10", "bundled label set"),
        ("../up", "lowercase letters"),
        ("A B", "lowercase letters"),
        ("", "lowercase letters"),
    ],
)
def test_a_name_that_is_not_allowed_is_a_sentence(namer, name, said):
    with pytest.raises(ClassifyError, match=said):
        namer.save(name, ("a",), templates="none")
    assert not (namer.studio.folder / "labels").exists()


def test_a_public_page_keeps_and_shows_no_sets(tmp_path):
    with Studio(tmp_path, device="cpu", policy=Policy.for_public()) as studio:
        (tmp_path / "labels").mkdir()
        (tmp_path / "labels" / "mine.json").write_text('{"labels": ["a"]}')
        namer = ClassifierService(studio)
        assert "mine" not in namer.sets()
        with pytest.raises(ClassifyError, match="cannot be saved on a public page"):
            namer.save("birds", ("a",), templates="none")
        with pytest.raises(RecipeError, match="“ViT-B-32/openai” is not offered here"):
            namer.classifier(Question(labels=("a",)), ("ViT-B-32/openai",))


def test_it_waits_for_its_turn(namer, red_picture, tmp_path):
    red_picture.save(tmp_path / "red.png")
    turns, exclusive = [], namer.studio.exclusive
    namer.studio.exclusive = lambda: turns.append(1) or exclusive()
    classifier = namer.classifier(Question(labels=("a", "b")), ("tiny",))
    assert len(turns) == 1
    (results,) = namer.classify(classifier, ("tiny",), collect_sources([tmp_path / "red.png"]))
    assert len(turns) == 2
    assert results[0].answer.labels == ("a", "b")

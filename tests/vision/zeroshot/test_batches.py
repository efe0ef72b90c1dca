"""From files to answers: folders, zips, traps, many pictures, and how often they are right."""

import csv
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixgen.errors import ClassifyError
from pixgen.vision import images
from pixgen.vision.zeroshot import sources
from pixgen.vision.zeroshot.batches import BATCH, ClassifiedPicture, classify_all
from pixgen.vision.zeroshot.evaluation import evaluate, results_to_csv, results_to_json
from pixgen.vision.zeroshot.sources import collect_sources, prepare_picture
from pixgen.vision.zeroshot.zeroshot import Answer, Question, make_classifier

LABELS = ("red fox", "dog")


def png(colour="red", size=(20, 12)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def packed(tmp_path):
    """Makes a zip of members by name."""

    def make(members: dict[str, bytes], **kind):
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name, data in members.items():
                made.writestr(name, data, **kind)
        return path

    return make


def result(found, *, label="", name="p.png", probabilities=(0.9, 0.1)) -> ClassifiedPicture:
    shares = np.array(probabilities, dtype=np.float32)
    return ClassifiedPicture(name, label, Answer(LABELS, shares / 2, shares, tuple(found)))


def test_folders_and_zips_name_the_labels(tmp_path, packed):
    for name in ("top.png", "a/cat/1.png", "dog/2.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(png())
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    zipped = packed({"all/cat/1.png": png(), "all/notes.txt": b"", "__MACOSX/cat/._1.png": b""})
    found = collect_sources([tmp_path / "in", zipped, tmp_path / "in" / "top.png"])
    assert [(each.name, each.label) for each in found] == [
        ("top.png", ""),
        ("a/cat/1.png", "cat"),
        ("dog/2.jpg", "dog"),
        ("all/cat/1.png", "cat"),
        ("top (2).png", ""),
    ]
    assert all(each.open().size == (20, 12) for each in found)


def test_no_name_in_a_zip_leads_anywhere(tmp_path, packed):
    zipped = packed(
        {
            "../../out.png": png(),
            "/etc/x.png": png(),
            "..\\up\\y.png": png(),
            "new\nline.png": png(),
        }
    )
    found = collect_sources([zipped])
    assert len(found) == 4
    for each in found:
        assert each.name.isprintable()
        assert not each.name.startswith("/")
        assert ".." not in each.name
    assert [each.open().size for each in found] == [(20, 12)] * len(found)
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(packed):
    with pytest.raises(ClassifyError, match="compressed too much"):
        collect_sources([packed({"a.png": bytes(20_000_000)})])


def test_a_zip_is_bounded(packed, monkeypatch):
    monkeypatch.setattr(images, "MOST_MEMBERS", 2)
    with pytest.raises(ClassifyError, match="too large: at most 2 files"):
        collect_sources([packed({f"{n}.png": png() for n in range(3)})])
    monkeypatch.setattr(images, "MOST_MEMBERS", 9)
    monkeypatch.setattr(images, "LARGEST_ARCHIVE", 100)
    with pytest.raises(ClassifyError, match="too large"):
        collect_sources([packed({"1.png": png(), "2.png": png()})])


def test_bad_or_empty_zips_are_a_classify_error(tmp_path, packed):
    (tmp_path / "not.zip").write_bytes(b"PK nothing")
    with pytest.raises(ClassifyError, match="“not.zip” is not a zip"):
        collect_sources([tmp_path / "not.zip"])
    with pytest.raises(ClassifyError, match="There are no pictures"):
        collect_sources([packed({"notes.txt": b""})])


def test_too_many_pictures_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_PICTURES", 1)
    with pytest.raises(ClassifyError, match="Too many pictures at once: 2. The limit is 1"):
        collect_sources([tmp_path / "a.png", tmp_path / "b.png"])


def test_a_broken_picture_is_reported_and_the_others_are_classified(tiny_perceptor, packed):
    broken = png()[:40]
    huge = png(size=(1, 1))[:16] + (60_000).to_bytes(4, "big") * 2 + png(size=(1, 1))[24:]
    zipped = packed({"1.png": png(), "2.png": broken, "3.png": b"words", "4.png": huge, "5.png": png("blue")})
    classifier = make_classifier(tiny_perceptor, Question(labels=LABELS))
    results = [
        each
        for batch in classify_all(tiny_perceptor, classifier, collect_sources([zipped]))
        for each in batch
    ]
    assert [each.name for each in results] == [f"{n}.png" for n in range(1, 6)]
    assert [bool(each.answer) for each in results] == [True, False, False, False, True]
    assert all("“" in each.error for each in results[1:4])


def test_pictures_keep_their_order_and_their_answers(tiny_perceptor, tmp_path):
    chance = np.random.default_rng(3)
    for place in range(BATCH + 5):
        pixels = chance.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((32, 32)).save(tmp_path / f"{place:03}.png")
    classifier = make_classifier(tiny_perceptor, Question(labels=LABELS))
    found = collect_sources([tmp_path])
    batches = list(classify_all(tiny_perceptor, classifier, found, thumbnails=BATCH + 1))
    assert [len(batch) for batch in batches] == [BATCH, 5]
    (alone,) = next(classify_all(tiny_perceptor, classifier, [found[BATCH + 2]]))
    assert batches[1][2].name == alone.name
    assert np.allclose(batches[1][2].answer.cosines, alone.answer.cosines, atol=1e-5)
    assert batches[0][0].thumbnail.startswith("data:image/jpeg;base64,")
    assert [bool(each.thumbnail) for each in batches[1]] == [True, False, False, False, False]


def test_classification_can_be_stopped(tiny_perceptor, tmp_path):
    for place in range(BATCH + 1):
        (tmp_path / f"{place}.png").write_bytes(png())
    classifier = make_classifier(tiny_perceptor, Question(labels=LABELS))
    seen = []
    for batch in classify_all(tiny_perceptor, classifier, collect_sources([tmp_path]), stopped=seen.__len__):
        seen += batch
    assert len(seen) == BATCH


def test_accuracy_compares_answers_with_folders():
    results = [
        result(["red fox"], label="Red_Fox"),
        result(["dog"], label="red-fox"),
        result([], label="dog"),
        result(["dog"], label="cat"),
        result(["dog"]),
    ]
    found = evaluate(results, LABELS)
    assert found.counts.tolist() == [[1, 1, 0], [0, 0, 1]]
    assert found.accuracy == pytest.approx(1 / 3)
    assert found.per_label() == [("red fox", 1, 2), ("dog", 0, 1)]
    assert found.unknown == 1
    assert evaluate([result(["dog"]), result(["dog"], label="cat")], LABELS) is None


def test_only_labels_that_occur_are_shown():
    found = evaluate([result(["dog"], label="dog")], LABELS).occurring()
    assert (found.labels, found.counts.tolist()) == (("dog",), [[1, 0]])


def test_a_table_has_a_row_a_picture_and_no_formula():
    results = [
        result(["red fox"], name="=cmd()|x.png"),
        result([], name="b.png"),
        ClassifiedPicture("c.png", "", None, error="no"),
    ]
    rows = list(csv.reader(io.StringIO(results_to_csv(results, top=5))))
    assert rows[0] == ["picture", "folder", "answer", "error", "label 1", "probability 1", "cosine 1",
                       "label 2", "probability 2", "cosine 2"]  # fmt: skip
    assert rows[1][:4] == ["'=cmd()|x.png", "", "red fox", ""]
    assert rows[1][4:7] == ["red fox", "0.900000", "0.450000"]
    assert rows[2][2] == "none of these"
    assert rows[3] == ["c.png", "", "", "no"]


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  =1+1", "'  =1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "' =1"),
        ("a\r\n=1", "a \n'=1"),
        ("＝1+1", "'＝1+1"),
        ('a;=HYPERLINK("x")', 'a;\'=HYPERLINK("x")'),  # cells are divided by semicolons in many countries
        ("a-b = c, d; e", "a-b = c, d; e"),
        ("red fox", "red fox"),
    ],
)
def test_no_cell_of_a_table_is_a_formula(label, cell):
    results = [ClassifiedPicture(label, label, None, error=label)]
    row = list(csv.reader(io.StringIO(results_to_csv(results, top=1), newline="")))[1]
    assert row[:4] == [cell, cell, "", cell]


def test_json_carries_the_evaluation():
    results = [result(["dog"], label="dog")]
    value = json.loads(results_to_json(results, evaluate(results, LABELS), top=1))
    assert value["pictures"][0]["labels"] == [{"label": "red fox", "probability": 0.9, "cosine": 0.45}]
    assert value["evaluation"]["accuracy"] == 1
    assert value["evaluation"]["confusion"] == {
        "answers": ["dog", "none of these"],
        "folders": ["dog"],
        "counts": [[1, 0]],
    }


@pytest.fixture
def twins(tmp_path):
    """Pictures of equal names in folders that differ further up."""
    for name in ("a/x/1.png", "b/x/1.png", "b/y/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png())
    return tmp_path


def test_pictures_are_named_by_enough_of_their_path(twins):
    files = [twins / "a/x/1.png", twins / "b/x/1.png", twins / "b/y/2.png"]
    assert [each.name for each in collect_sources(files)] == ["a/x/1.png", "b/x/1.png", "2.png"]
    folders = [each.name for each in collect_sources([twins / "a", twins / "b"])]
    assert folders == ["a/x/1.png", "b/x/1.png", "y/2.png"]


def test_uploads_of_one_name_are_counted(twins):
    files = [twins / "a/x/1.png", twins / "b/x/1.png"]
    assert [each.name for each in collect_sources(files, uploaded=True)] == ["1.png", "1 (2).png"]


@given(st.lists(st.sampled_from(["a", "b", "c/a", "a/a"]), min_size=1, max_size=6))
def test_no_two_names_are_equal(folders):
    names = [each.name for each in collect_sources([Path(f"/none/{each}/1.png") for each in folders])]
    assert len(set(names)) == len(names)


def test_a_broken_zip_among_others_is_reported_alone(twins):
    (twins / "bad.zip").write_bytes(b"no zip")
    found = collect_sources([twins / "a", twins / "bad.zip", twins / "missing.png"])
    ready = [prepare_picture(each, side=8) for each in found]
    assert [each.source.name for each in ready] == ["x/1.png", "bad.zip", "missing.png"]
    assert [each.pixels is not None for each in ready] == [True, False, False]
    assert "bad.zip" in ready[1].error
    assert "missing.png" in ready[2].error


def test_hidden_files_are_left_out_of_folders_as_of_zips(twins):
    for name in (".hidden/1.png", "._1.png", "@eaDir/1.png", "x/.1.png"):
        (twins / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (twins / "a" / name).write_bytes(b"no picture")
    assert [each.name for each in collect_sources([twins / "a"])] == ["x/1.png"]


def test_a_name_that_is_no_utf_8_can_be_read_and_printed(twins):
    path = twins / os.fsdecode(b"caf\xe9.png")
    path.write_bytes(png())
    for found in (collect_sources([path]), [each for each in collect_sources([twins]) if "caf" in each.name]):
        (source,) = found
        assert source.name == "caf?.png"
        assert source.open().size == (20, 12)

"""``pixgen classify``: what it answers, what it writes, and that bad input is one clear sentence."""

import csv
import json
import re
import zipfile

import pytest
from PIL import Image

from pixgen.cli.app import main

ASK = ["classify", "red.png"]
LABELS = ["--labels", "a, b, c"]


@pytest.fixture(autouse=True)
def _in_a_folder_with_pictures(tmp_path, monkeypatch, tiny_perceptor):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))
    monkeypatch.setattr("pixgen.models.load_perceptor", lambda names, device: tiny_perceptor)
    Image.new("RGB", (40, 30), "red").save("red.png")
    Image.new("RGB", (40, 30), "blue").save("blue.png")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["classify"], "Missing argument"),
        (ASK, "There are no labels: write some"),
        (["classify", "missing.png", *LABELS], "“missing.png” cannot be read"),
        ([*ASK, "--label-set", "birds"], "no label set “birds”: choose .*cifar10"),
        ([*ASK, *LABELS, "--templates", "poem"], "no templates “poem”: choose none, photo"),
        ([*ASK, *LABELS, "--templates", "{} {}"], "needs one {}"),
        ([*ASK, *LABELS, "--none-below", "3"], "from -1 to 1"),
        ([*ASK, *LABELS, "--temperature", "0"], "The temperature must be"),
        ([*ASK, *LABELS, "--top", "0"], "'--top'"),
        ([*ASK, *LABELS, "--csv", "table.txt"], "must end in .csv"),
        ([*ASK, *LABELS, "--explain", "red.png"], "exists already"),
        ([*ASK, "blue.png", *LABELS, "--explain", "o.png"], "exactly one picture: there are 2"),
        ([*ASK, *LABELS, "--explain", "o.png", "--for", "d"], "“d” is not one of the labels"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_status_2(arguments, said, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("pixgen: ")
    assert told.err.count("\n") == 1
    assert re.search(said, told.err)


def test_a_picture_is_named_with_probability_and_cosine(capsys):
    assert main([*ASK, *LABELS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("red.png: ")
    assert len(lines) == 4
    assert all("%" in line and "(similarity " in line for line in lines[1:])


def test_for_a_machine_it_is_an_object_a_line(capsys):
    assert main([*ASK, "blue.png", *LABELS, "--top", "2", "--or-else", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["picture"], second["picture"]) == ("red.png", "blue.png")
    assert len(first["labels"]) == 2
    assert sum(each["probability"] for each in first["labels"]) + first["none_of_these"] < 1.001


def test_folders_name_labels_and_are_counted(capsys):
    with zipfile.ZipFile("set.zip", "w") as packed:
        for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
            packed.write("red.png", name)
    assert main(["classify", "set.zip", "--json", "--csv", "deep/table.csv"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {each["label"] for each in lines[0]["labels"]} == {"cat", "dog"}
    evaluation = lines[-1]["evaluation"]
    assert evaluation["pictures"] == 3
    assert evaluation["accuracy"] in (pytest.approx(1 / 3), pytest.approx(2 / 3))
    with open("deep/table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["folder"] for row in rows] == ["cat", "cat", "dog"]


def test_what_spoke_for_a_label_is_drawn(capsys):
    assert main([*ASK, *LABELS, "--explain", "heat.png", "--for", "b"]) == 0
    with Image.open("heat.png") as heat:
        assert heat.size == (256, 192)


def test_a_label_that_is_a_set_of_ones_own_is_found(tmp_path, capsys):
    from pixgen.vision.zeroshot.labels import LabelSet

    (tmp_path / "outputs" / "labels").mkdir(parents=True)
    (tmp_path / "outputs" / "labels" / "mine.json").write_text(LabelSet("mine", "Mine", ("x", "y")).to_json())
    assert main([*ASK, "--label-set", "mine", "--json"]) == 0
    assert {each["label"] for each in json.loads(capsys.readouterr().out)["labels"]} == {"x", "y"}

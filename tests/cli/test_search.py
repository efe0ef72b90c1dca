"""``pixgen index``, ``search`` and ``collections`` with the bundled CLIP."""

import json

import pytest
from PIL import Image

from pixgen.cli.app import main
from tests.vision.conftest import draw

COLOURS = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))
    monkeypatch.delenv("PIXGEN_LIBRARY", raising=False)


@pytest.fixture
def folder(tmp_path):
    """Plain colours, one of them deeper."""
    for colour in COLOURS:
        draw(
            tmp_path / "Some Pictures" / ("" if colour != "blue" else "deep") / f"{colour}.png",
            colour,
        )
    return tmp_path / "Some Pictures"


def told(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_indexed_and_searched(folder, capsys, tmp_path):
    (folder / "broken.png").write_bytes(b"no pixels")
    assert main(["index", str(folder), "--json"]) == 0
    (figures,) = told(capsys)
    assert (figures["collection"], figures["pictures"], figures["added"]) == ("Some-Pictures", 3, 3)
    assert [each["path"] for each in figures["skipped"]] == ["broken.png"]
    assert main(["index", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "Some-Pictures: 3 pictures; 0 new, 0 changed, 0 removed, 3 unchanged, 1 skipped." in said
    assert "skipped broken.png: “broken.png” is not a picture" in said

    draw(tmp_path / "another red.png", "red", size=(96, 64))
    assert main(["search", "--picture", "another red.png", "--json"]) == 0
    hits = told(capsys)
    assert [hit["path"] for hit in hits][0] == str(folder / "red.png")
    assert hits[0]["score"] > hits[1]["score"]
    assert main(["search", "a blue thing + [another red.png]", "--in", "deep", "--json"]) == 0
    assert [hit["path"] for hit in told(capsys)] == [str(folder / "deep" / "blue.png")]
    assert main(["search", "red", "--top", "1"]) == 0
    assert capsys.readouterr().out.endswith(f"  {folder / 'red.png'}\n")
    assert main(["search", "red", "--threshold", "0.999"]) == 0
    assert "No picture matches" in capsys.readouterr().out
    assert main(["collections", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert ("Some-Pictures", 3, "pocket") in [
        (each["collection"], each["pictures"], each["model"]) for each in listed
    ]


def test_own_pictures_are_found_by_their_recipe(capsys):
    for seed, prompt in ((7, "a red fox"), (8, "a blue whale")):
        asked = ["generate", prompt, "--seed", str(seed), "--size", "32x32", "--steps", "0"]
        assert main([*asked, "--preset", "draft", "--json"]) == 0
    capsys.readouterr()
    assert main(["search", "anything", "--collection", "runs", "--json", "--copies"]) == 0
    assert {(hit["prompt"], hit["seed"]) for hit in told(capsys)} == {
        ("a red fox", 7),
        ("a blue whale", 8),
    }
    assert main(["search", "anything", "--prompt", "WHALE", "--preset", "draft", "--json"]) == 0
    (hit,) = told(capsys)
    assert hit["seed"] == 8
    with Image.open(hit["path"]) as picture:
        assert picture.size == (32, 32)
    assert main(["search", "anything", "--seed", "9", "--json"]) == 0
    assert told(capsys) == []


def test_the_bundled_drawings_can_be_searched_at_once_and_only_by_name(capsys):
    assert main(["search", "a fox", "--collection", "bundled", "--top", "3", "--json"]) == 0
    hits = told(capsys)
    assert len(hits) == 3
    assert {hit["collection"] for hit in hits} == {"bundled"}
    assert main(["search", "a fox", "--json"]) == 0
    assert told(capsys) == []


def test_nothing_indexed_yet_is_said(capsys):
    assert main(["collections"]) == 0
    assert "No collections yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search"], "The search is empty"),
        (["search", " "], "The search is empty"),
        (["search", "a + "], "A term of the search is missing"),
        (["search", "a", "--after", "lately"], "“lately” is not a date"),
        (["search", "a", "--top", "0"], "from 1 to 1000"),
        (["search", "a", "--threshold", "7"], "from -1 to 1"),
        (["search", "a", "--seed", "-1"], "whole numbers"),
        (["search", "a", "--collection", "cats"], "There is no collection “cats”"),
        (["search", "a", "--model", "magic"], "“magic”"),
        (["search", "[missing.png]"], "“missing.png” cannot be read"),
        (["index", "nowhere"], "There is no folder “nowhere”"),
        (["index", ".", "--collection", "My Cats"], "cannot name a collection"),
        (["index", ".", "--collection", "runs"], "cannot both be the collection “runs”"),
        (["index", ".", "--approximate"], "an approximate index needs at least 1000"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_status_2(arguments, said, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("pixgen: ")
    assert error.count("\n") == 1


def test_a_name_is_for_one_folder(folder, tmp_path, capsys):
    draw(tmp_path / "other" / "x.png", "white")
    assert main(["index", str(folder), "--collection", "mine"]) == 0
    capsys.readouterr()
    assert main(["index", str(tmp_path / "other"), "--collection", "mine"]) == 2
    assert "contains the pictures of another folder" in capsys.readouterr().err

"""``pixgen journey`` and ``restyle``, and stories from a table, over a painter that needs no model."""

import json

import numpy as np
import pytest

import pixgen
from pixgen.cli.app import main
from pixgen.errors import RecipeError
from pixgen.recipe.story import read_rows
from pixgen.studio import Studio
from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.video.export import VideoWriter
from tests.studio.fakes import Painters

QUICK = ["--size", "32x32", "--device", "cpu", "--json", "--seed", "3"]


@pytest.fixture(autouse=True)
def painters(monkeypatch, tmp_path):
    """Studios of this test paint without models, below a folder of its own."""
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))
    made = Painters()
    monkeypatch.setitem(Studio.__init__.__kwdefaults__, "painter", made)
    return made


@pytest.fixture
def video(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", fps=12) as film:
        for number in range(5):
            film.add(np.full((32, 64, 3), 40 * number, np.uint8))
    return tmp_path / "a.mp4"


def result(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_journey_has_the_frames_that_were_asked_for(tmp_path, capsys):
    out = tmp_path / "trip.mp4"
    moves = [
        "--frames",
        "7",
        "--every",
        "2",
        "--after",
        "3",
        "--zoom",
        "0:1, 60:1.02",
        "--fps",
        "10",
    ]
    assert main(["journey", "a fox", *moves, *QUICK, "--out", str(out)]) == 0
    told = result(capsys)
    assert read_timing(out) == (7, 10.0)
    assert told["recipe"]["journey"]["zoom"] == [[0, 1.0], [60, 1.02]]
    assert read_metadata(out).steps == 3 + 6 * 2
    assert main(["journey", "--resume", told["run"], "--frames", "9", "--json"]) == 0
    longer = result(capsys)
    assert read_timing(tmp_path / "outputs" / longer["run"] / "progress.mp4") == (9, 10.0)


def test_a_video_is_restyled(video, tmp_path, capsys):
    assert main(["restyle", str(video), "watercolour", "--every", "2", "--frames", "4", *QUICK,
                 "--out", str(tmp_path / "out.mp4")]) == 0  # fmt: skip
    recipe = result(capsys)["recipe"]
    assert recipe["steps"] == 8
    assert recipe["init"]["kind"] == "video"
    assert read_timing(tmp_path / "out.mp4") == (4, 12.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["journey"], "prompt is empty"),
        (["journey", "a", "--zoom", "9"], "from 0.5 to 2, not 9"),
        (["journey", "a", "--where", "there"], "'picture' or 'latent'"),
        (["journey", "a", "--frames", "0"], "1 to 5000 frames"),
        (["journey", "a", "--resume", "x"], "own recipe"),
        (["restyle"], "Name the video"),
        (["restyle", "nothing.mp4", "a fox"], "“nothing.mp4” cannot be read"),
        (["restyle", "pyproject.toml", "a fox"], "not a video that can be read"),
        (["generate", "--story", "nothing.csv"], "“nothing.csv” cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_story_is_read_from_a_table(kind, tmp_path, capsys):
    rows = [{"from": 0, "prompt": "a fox, red"}, {"from": 8, "prompt": "an owl", "weight": 2}]
    text = json.dumps(rows) if kind == "json" else 'from,prompt,weight\n0,"a fox, red",\n8,an owl,2\n'
    (tmp_path / f"story.{kind}").write_text(text)
    table = ["--story", str(tmp_path / f"story.{kind}"), "--steps", "12"]
    assert main(["generate", *table, "--preset", "story", *QUICK]) == 0
    recipe = result(capsys)["recipe"]
    assert recipe["story"]["starts"] == [0, 8]
    assert [[each["text"] for each in scene] for scene in recipe["prompts"]] == [
        ["a fox, red"],
        ["an owl"],
    ]
    assert recipe["prompts"][1][0]["weight"] == 2


@pytest.mark.parametrize("text", ["when,what\n0,a\n", '[{"prompt": "a", "colour": 1}]', "[1]", '[{"pr'])
def test_what_is_no_table_is_an_error(tmp_path, text):
    (tmp_path / "story.txt").write_text(text)
    with pytest.raises(RecipeError, match="table"):
        read_rows(tmp_path / "story.txt")


def test_python_paints_the_same(video, tmp_path):
    made = pixgen.journey("a fox", tmp_path / "a.gif", frames=3, size="32x32", every=1, device="cpu")
    assert made.read_bytes().startswith(b"GIF89a")
    made = pixgen.restyle(video, "a fox", tmp_path / "b.mp4", frames=3, every=1, device="cpu")
    assert read_timing(made)[0] == 3

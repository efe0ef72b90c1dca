"""``pixgen export-video``, and ``pixgen.video``."""

import json

import numpy as np
import pytest

import pixgen
from pixgen.cli.app import main
from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.video.source import read_frames
from tests.studio.fakes import Painters, a_recipe


@pytest.fixture
def run(tmp_path):
    """A run that is done."""
    from pixgen.studio import Studio

    with Studio(tmp_path / "outputs", device="cpu", painter=Painters()) as studio:
        job = studio.submit(a_recipe(prompts="a red fox ^ an owl"))
        assert job.wait(20)
    return job.run


@pytest.mark.parametrize("name", ["by name", "by folder", "by film"])
def test_a_run_is_exported_without_painting(run, tmp_path, capsys, name):
    meant = {"by name": run.id, "by folder": str(run.folder), "by film": str(run.video)}[name]
    where = ["--output-dir", str(run.folder.parent)] if name == "by name" else []
    out = tmp_path / "fox.mp4"
    options = ["--out", str(out), "--seconds", "6", "--hold", "1", "--even", "--captions", "--loop"]
    assert main(["film", meant, *options, *where]) == 0
    assert capsys.readouterr().out == f"Video: {out}\n"
    count, rate = read_timing(out)
    assert count / rate == pytest.approx(6, abs=0.06)


def test_the_result_is_told_to_programs(run, tmp_path, capsys):
    out = tmp_path / "fox.webp"
    assert main(["film", str(run.folder), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"film": str(out), "bytes": out.stat().st_size, "notice": ""}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "a.avi"], ".mp4 or .webm or .gif or .webp"),
        (["--out", "a.gif", "--seconds", "1"], "longer than the"),
        (["--out", "a.gif", "--fps", "3", "--seconds", "3"], "not both"),
        (["--out", "a.gif", "--scale", "0"], "1 to 8 times"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(run, tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.chdir(tmp_path)
    assert main(["film", str(run.folder), *options]) == 2
    assert said in capsys.readouterr().err


def test_an_unknown_run_and_an_existing_file_are_one_sentence(run, tmp_path, capsys):
    (tmp_path / "kept.gif").write_bytes(b"mine")
    kept = ["--out", str(tmp_path / "kept.gif")]
    assert main(["film", str(run.folder), *kept]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["film", "20200101-000000-abcdef", *kept, "--overwrite", "--output-dir", str(tmp_path)]) == 2
    assert "There is no run" in capsys.readouterr().err
    assert (tmp_path / "kept.gif").read_bytes() == b"mine"


def test_python_exports_the_same(run, tmp_path):
    made = pixgen.video(run.folder, tmp_path / "fox.mp4", seconds=2)
    count, rate = read_timing(made)
    assert count / rate == pytest.approx(2, abs=0.06)
    first = next(read_frames(made))
    assert first.shape == (32, 32, 3)
    assert first.dtype == np.uint8

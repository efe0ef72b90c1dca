"""The page's entry: its arguments, and what it says when it cannot begin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).parent.parent.parent


def test_every_argument_is_understood():
    asked = app.arguments(
        ["--host", "0.0.0.0", "--port", "8000", "--share", "--auth", "ada:se:cret", "--device", "cpu",
         "--output-dir", "runs", "--search-root", "a", "--search-root", "b", "--public", "--models-dir", "own"]
    )  # fmt: skip
    assert (asked.host, asked.port, asked.share, asked.public) == ("0.0.0.0", 8000, True, True)
    assert asked.auth == ("ada", "se:cret")
    assert asked.output_dir == Path("runs")
    assert asked.search_root == [Path("a"), Path("b")]
    assert asked.models_dir == Path("own")
    assert app.arguments([]).search_root == []


def test_on_spaces_the_page_is_public(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert not app.arguments([]).public
    monkeypatch.setenv("SPACE_ID", "ada/pixgen")
    assert app.arguments([]).public


@pytest.mark.parametrize("given", [["--auth", "ada"], ["--auth", ":x"], ["--port", "0"], ["--port", "x"]])
def test_a_wrong_argument_ends_with_a_sentence(given, capsys):
    with pytest.raises(SystemExit) as caught:
        app.arguments(given)
    assert caught.value.code == 2
    assert given[0] in capsys.readouterr().err


def test_app_is_short():
    assert len((ROOT / "app.py").read_text("utf-8").splitlines()) < 80


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--output-dir", "a file"], "cannot be written"),
        (["--search-root", "nowhere"], "There is no folder “nowhere”"),
        (["--keep", "a lot"], "“a lot” is no limit of what is kept"),
    ],
)
def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path, given, said):
    (tmp_path / "a file").touch()
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "--device", "cpu", *given],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr

"""What is typed and printed: words with a minus, paths with a tilde, streams that know few letters or close."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pixgen.cli._options import WordsCommand, expand_home_paths
from pixgen.cli._outputs import PipeSafeConsole, prepare_streams, print_line

ROOT = Path(__file__).parent.parent.parent
QUICK = ["--preset", "draft", "--steps", "1", "--size", "32", "--device", "cpu"]


@pytest.fixture
def typed():
    """Runs a command with an option, a flag and words; what it was given."""
    app = typer.Typer()

    @app.command(cls=WordsCommand)
    def command(words: list[str], top: int = 1, fast: bool = False) -> None:
        typer.echo(json.dumps([words, top, fast]))

    def run(*arguments: str):
        done = CliRunner().invoke(app, list(arguments))
        return json.loads(done.stdout) if done.exit_code == 0 else done.exit_code

    return run


@pytest.mark.parametrize("words", ["- rider + horse", "-rider", "-5 degrees", "--so be it", "-", "fox"])
def test_words_may_begin_with_a_minus(typed, words):
    for arguments in (
        [words, "--top", "2", "--fast"],
        ["--top=2", "--fast", words],
        ["--top", "2", "--fast", "--", words],
    ):
        assert typed(*arguments) == [[words], 2, True]


def test_an_option_is_no_word_and_takes_what_follows(typed):
    assert typed("fox", "--tpo", "3") == 2
    assert typed("a", "--top", "-3", "-b", "c") == [["a", "-b", "c"], -3, False]
    assert typed("a", "--no-fast") == [["a"], 1, False]


def test_paths_are_expanded_wherever_they_are_given(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    command = expand_home_paths(lambda **named: named)
    given = command(
        out=Path("~/a.png"), several=[Path("~/b"), Path("c~")], text="~/d", nobody=Path("~no-one/e")
    )
    assert given == {
        "out": tmp_path / "a.png",
        "several": [tmp_path / "b", Path("c~")],
        "text": "~/d",
        "nobody": Path("~no-one/e"),
    }


@given(st.text(min_size=1))
def test_json_that_a_stream_cannot_encode_is_read_as_the_same_text(text):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", errors="strict", newline="\n")
    before, sys.stdout = sys.stdout, stream
    try:
        prepare_streams()
        print_line(json.dumps(text, ensure_ascii=False))
    finally:
        sys.stdout = before
    assert json.loads(raw.getvalue().decode("cp1252")) == text


def test_a_name_that_is_no_utf_8_is_printed(capsys):
    prepare_streams()
    print_line(os.fsdecode(b"caf\xe9"))
    assert capsys.readouterr().out == "caf\\udce9\n"


class Left(io.StringIO):
    """A reader who has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_who_leaves_ends_no_work(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Left())
    print_line("nobody hears this")
    console = PipeSafeConsole(file=Left())
    console.print("nor this")
    assert console.quiet


@pytest.mark.slow
@pytest.mark.parametrize(
    ("closing", "as_json"),
    [
        (">&-", ["--json"]),
        ("2>&-", []),
        ("| true", ["--json"]),
        ("2>&1 | head -c 1", []),
        (">/dev/full", ["--json"]),
    ],
)
def test_a_picture_is_kept_when_nobody_reads(closing, as_json, tmp_path):
    command = [
        sys.executable,
        "-m",
        "pixgen",
        "generate",
        "a 狐",
        "--out",
        str(tmp_path / "fox.png"),
        *QUICK,
        *as_json,
    ]
    told = " ".join(f"'{each}'" for each in command)
    environment = {
        **os.environ,
        "PIXGEN_OUTPUT_DIR": str(tmp_path / "out"),
        "PYTHONIOENCODING": "ascii",
    }
    done = subprocess.run(
        ["bash", "-c", f"{told} {closing}"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (tmp_path / "fox.png").is_file(), done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr

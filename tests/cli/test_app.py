"""``pixgen app`` and ``app.py``: how their options are read, and what they say when the page cannot open."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from pixgen.cli.app import main

ROOT = Path(__file__).parent.parent.parent


class FakePolicy(NamedTuple):
    """What decides the policy."""

    public: bool
    keep: str | None


@pytest.fixture
def opened(monkeypatch):
    """What the studio, the library and the page were opened with; nothing is served."""
    import pixgen.studio
    import pixgen.studio.library.library as library
    import pixgen.ui.page as page

    given = {}

    class FakeStudio(SimpleNamespace):
        def __init__(self, folder, *, device, devices, catalogue, storage, policy):
            given.update(folder=folder, device=device, catalogue=catalogue, storage=storage, policy=policy)

        def close(self):
            given["closed"] = True

        def preload(self):
            given["preloaded"] = True

    class FakeLibrary:
        def __init__(self, studio, *, roots):
            given["roots"] = roots

        def follow(self):
            given["followed"] = True

    monkeypatch.setattr(pixgen.studio, "Studio", FakeStudio)
    monkeypatch.setattr(library, "PictureLibrary", FakeLibrary)
    monkeypatch.setattr(page, "build", lambda *_, **__: SimpleNamespace(is_running=False))
    monkeypatch.setattr(page, "policy_of", lambda *, public, keep: FakePolicy(public, keep))
    monkeypatch.setattr(page, "launch", lambda _, **where: given.update(where))
    monkeypatch.setenv("PIXGEN_MODELS_DIR", "")
    return given


def test_every_option_reaches_the_page(opened):
    arguments = [
        "--host", "0.0.0.0", "--port", "8000", "--share", "--auth", "ada:se:cret", "--device", "cpu",
        "--output-dir", "runs", "--search-root", "a", "--search-root", "b", "--public", "--models-dir", "own",
        "--keep", "30 days", "--lang", "tr", "--root-path", "/pixgen", "--log-format", "text",
        "--catalogue", "postgresql://localhost/pixgen", "--storage", "s3://pictures/pixgen",
    ]  # fmt: skip
    assert main(["app", *arguments]) == 0
    assert (opened["server_name"], opened["server_port"], opened["share"]) == ("0.0.0.0", 8000, True)
    assert opened["auth"] == ("ada", "se:cret")
    assert (opened["folder"], opened["device"]) == (Path("runs"), "cpu")
    assert opened["policy"] == (True, "30 days")
    assert opened["catalogue"] == "postgresql://localhost/pixgen"
    assert opened["storage"] == "s3://pictures/pixgen"
    assert opened["roots"] == [Path("a"), Path("b")]
    assert (opened["by_browser"], opened["root_path"]) == (False, "/pixgen")
    assert os.environ["PIXGEN_MODELS_DIR"] == "own"
    assert opened["closed"]


def test_without_options_the_page_follows_the_browser_and_searches_no_folder(opened, monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.delenv("PIXGEN_KEEP", raising=False)
    assert main(["app"]) == 0
    assert (opened["roots"], opened["by_browser"], opened["auth"]) == ([], True, None)
    assert opened["policy"] == (False, None)


def test_in_a_space_the_page_is_public(opened, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "ada/pixgen")
    monkeypatch.setenv("PIXGEN_KEEP", "200 runs")
    assert main(["app"]) == 0
    assert opened["policy"] == (True, "200 runs")


def test_an_open_link_without_a_password_is_warned_about(opened, capsys):
    assert main(["app", "--share"]) == 0
    assert "--auth asks for a password" in capsys.readouterr().err


def test_an_address_that_is_taken_is_a_sentence(opened, monkeypatch, capsys):
    import pixgen.ui.page as page

    def launch(*_, **__):
        raise OSError("Cannot find empty port")

    monkeypatch.setattr(page, "launch", launch)
    assert main(["app"]) == 2
    assert "choose another --host or --port" in capsys.readouterr().err
    assert opened["closed"]


@pytest.mark.parametrize(
    "given",
    [
        ["--auth", "ada"],
        ["--auth", ":x"],
        ["--port", "0"],
        ["--port", "x"],
        ["--lang", "fr"],
        ["--log-format", "xml"],
    ],
)
def test_a_wrong_argument_is_a_sentence_and_status_2(given, capsys):
    assert main(["app", *given]) == 2
    printed = capsys.readouterr()
    assert given[0] in printed.err or given[1] in printed.err
    assert printed.err.startswith("pixgen: ")


def test_app_py_is_short():
    assert len((ROOT / "app.py").read_text("utf-8").splitlines()) < 80


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--output-dir", "a file"], "cannot be written"),
        (["--search-root", "nowhere"], "There is no folder “nowhere”"),
        (["--keep", "a lot"], "“a lot” is"),
    ],
)
def test_app_py_says_in_a_sentence_which_folder_or_limit_cannot_be_used(tmp_path, given, message):
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
    assert message in done.stderr
    assert "Traceback" not in done.stderr

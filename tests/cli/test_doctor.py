"""``pixgen doctor``."""

import json

from pixgen.cli import doctor as command
from pixgen.cli.app import main
from pixgen.studio import Studio
from pixgen.studio.video import ffmpeg
from tests.studio.fakes import Painters, a_recipe


def findings(capsys, *arguments):
    status = main(["doctor", "--device", "cpu", "--json", *map(str, arguments)])
    return status, json.loads(capsys.readouterr().out)


def test_it_says_what_the_machine_has_and_what_runs(tmp_path, capsys):
    status, found = findings(capsys, "--output-dir", tmp_path / "runs")
    assert status == 0
    assert {each["what"] for each in found} >= {
        "python", "packages", "device", "output folder", "ffmpeg", "presets",
    }  # fmt: skip
    ready = next(each for each in found if each["what"] == "presets")
    assert {"draft", "balanced"} <= set(ready["text"].removeprefix("ready: ").split(", "))
    assert not (tmp_path / "runs").exists()


def test_a_zero_gpu_space_is_recognised(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pixgen.studio.workers.zerogpu.has_zero_gpu", lambda: True)
    status, found = findings(capsys, "--output-dir", tmp_path)
    assert status == 0
    assert {"zerogpu", "device"} <= {each["what"] for each in found}


def test_models_that_are_not_here_are_named_with_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path))
    _status, found = findings(capsys, "--output-dir", tmp_path, "--models")
    assert any("models fetch" in each["text"] for each in found)


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    status, found = findings(capsys, "--output-dir", file)
    assert status == 1
    assert next(each for each in found if each["what"] == "output folder")["state"] == "problem"


def test_a_missing_ffmpeg_is_a_problem(tmp_path, capsys, monkeypatch):
    def missing():
        raise ffmpeg.missing_ffmpeg()

    monkeypatch.setattr(ffmpeg, "imageio_ffmpeg", missing)
    status, found = findings(capsys, "--output-dir", tmp_path)
    assert status == 1
    assert next(each for each in found if each["what"] == "ffmpeg")["state"] == "problem"


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(command, "PACKAGES", ("gradio", "no-such-package"))
    found = command._packages()
    assert (found.state, "no-such-package" in found.text) == ("problem", True)


def test_an_unknown_device_is_an_error(capsys):
    assert main(["doctor", "--device", "tpu"]) != 0
    assert "There is no device “tpu”" in capsys.readouterr().err


def test_a_storage_is_examined(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PIXGEN_STORAGE", f"file://{tmp_path}/store")
    with Studio(tmp_path / "runs", device="cpu", painter=Painters(), storage="") as studio:
        assert studio.submit(a_recipe()).wait(20)

    def storage():
        status, found = findings(capsys, "--output-dir", tmp_path / "runs")
        found = next(each for each in found if each["what"] == "storage")
        return status, found["state"], found["text"]

    assert storage() == (0, "note", f"file://{tmp_path}/store, 0 runs; 1 of this folder are not copied yet: a page, "
                         "or any command that paints, copies them")  # fmt: skip
    with Studio(tmp_path / "runs", device="cpu", painter=Painters()):
        pass
    assert storage() == (0, "ok", f"file://{tmp_path}/store, 1 runs")
    monkeypatch.setenv("PIXGEN_STORAGE", "file:///proc/none")
    assert storage()[:2] == (1, "problem")

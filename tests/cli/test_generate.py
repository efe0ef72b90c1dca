"""``pixgen generate`` from submission to its last line: over a painter that needs no model, and over
the pocket pair."""

import io
import json
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixgen
from pixgen.cli._jobs import JsonReport, RichReport, follow_job
from pixgen.cli._outputs import Outputs
from pixgen.cli.app import main
from pixgen.errors import StorageError, StudioError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import FinalFrame, Studio
from pixgen.studio.metadata.picture_info import read_metadata

QUICK = ["--size", "32x32", "--set", "cutouts.count=1", "--device", "cpu", "--json"]


class Grey:
    """Paints a grey that lightens; fails at the step where it is told to."""

    def __init__(self, recipe, *_, fails_at=None):
        self.recipe, self.step, self.fails_at = recipe, 0, fails_at

    def __iter__(self):
        return self

    def __next__(self):
        if self.step == self.fails_at:
            raise StudioError("The brush broke.")
        if self.step > self.recipe.steps:
            raise StopIteration
        time.sleep(0.002)
        picture = np.full((self.recipe.height, self.recipe.width, 3), self.step % 256, np.uint8)
        similarities = (("a red fox", self.step / 100), ("snow", 0.5))
        frame = FinalFrame(self.step, self.recipe.steps, similarities, {}, 0.0, picture)
        self.step += 1
        return frame

    def state(self):
        return {"step": self.step}

    def restore(self, state):
        self.step = state["step"]


@pytest.fixture
def recipe():
    return make_recipe({"prompts": "a red fox | snow", "width": 32, "height": 32, "steps": 20})


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))


@pytest.fixture(autouse=True)
def _interruptible():
    """Started in the background, a shell's children ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Collected(JsonReport):
    """The lines of a machine's report, kept instead of printed."""

    def __init__(self, lines):
        self._lines = lines

    def _line(self, value):
        self._lines.append(json.loads(json.dumps(value)))


def followed(tmp_path, recipe, *, painter=Grey, outputs=None, report=Collected):
    """The exit status, what a machine reads, and the studio's only run."""
    lines: list[dict] = []
    with Studio(tmp_path / "outputs", device="cpu", painter=painter) as studio:
        report = report(lines)
        status = follow_job(studio.submit(recipe), outputs=outputs or Outputs(), report=report)
        (run,) = studio.runs()
    return status, lines, run


class Interrupted(Collected):
    """Somebody presses Ctrl-C when the first picture is there."""

    def progress(self, job_status):
        if job_status.frame is not None:
            signal.raise_signal(signal.SIGINT)


def test_the_last_line_tells_a_machine_where_everything_is(tmp_path, recipe):
    status, lines, run = followed(tmp_path, recipe)
    result = lines[-1]
    assert status == 0
    assert (result["run"], result["state"], result["step"]) == (run.id, "done", 20)
    assert (result["picture"], result["film"]) == (str(run.picture), str(run.video))
    assert result["similarities"] == [
        {"prompt": "a red fox", "similarity": 0.2},
        {"prompt": "snow", "similarity": 0.5},
    ]
    assert make_recipe(result["recipe"]) == recipe


def test_out_and_video_are_copies_of_what_the_run_keeps(tmp_path, recipe):
    outputs = Outputs(picture=tmp_path / "fox.png", video=tmp_path / "fox.mp4")
    _, lines, run = followed(tmp_path, recipe, outputs=outputs)
    assert lines[-1]["picture"] == str(tmp_path / "fox.png")
    assert (tmp_path / "fox.png").read_bytes() == run.picture.read_bytes()
    assert (tmp_path / "fox.mp4").read_bytes() == run.video.read_bytes()
    assert read_metadata(tmp_path / "fox.png") == recipe


def test_a_video_can_be_kept_as_a_gif(tmp_path, recipe):
    followed(tmp_path, recipe, outputs=Outputs(video=tmp_path / "fox.gif"))
    with Image.open(tmp_path / "fox.gif") as film:
        assert (film.format, film.size) == ("GIF", (32, 32))


def test_ctrl_c_keeps_the_picture_and_what_is_needed_to_go_on(tmp_path, recipe):
    recipe = recipe.model_copy(update={"steps": 2000})
    outputs = Outputs(picture=tmp_path / "fox.png")
    status, lines, run = followed(tmp_path, recipe, outputs=outputs, report=Interrupted)
    assert status == 130
    assert (lines[-1]["state"], lines[-1]["picture"]) == ("stopped", str(tmp_path / "fox.png"))
    assert run.step < 2000
    with Studio(tmp_path / "outputs", device="cpu", painter=Grey) as studio:
        job = studio.resume(run.id)
        assert next(job.watch()).state in ("waiting", "loading", "painting")


def test_a_failure_is_raised_and_the_picture_so_far_kept(tmp_path, recipe):
    outputs = Outputs(picture=tmp_path / "fox.png")

    def breaks(*arguments):
        return Grey(*arguments, fails_at=3)

    with pytest.raises(StudioError, match=r"^The brush broke. .* kept as .*fox\.png\.$"):
        followed(tmp_path, recipe, painter=breaks, outputs=outputs)
    assert pixels("fox.png").max() == 2


def test_when_the_disk_is_full_the_picture_goes_elsewhere(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()

    def full(*arguments):
        folder = next((tmp_path / "outputs").iterdir())
        (folder / "picture.png").mkdir()  # nothing can be written there any more
        return Grey(*arguments)

    with pytest.raises(StorageError, match=r"kept as .*elsewhere/.*\.png\.$"):
        followed(tmp_path, recipe, painter=full)
    (saved,) = (tmp_path / "elsewhere").iterdir()
    assert pixels(saved).max() == 20


def test_a_copy_that_cannot_be_written_says_where_the_picture_is(tmp_path, recipe):
    (tmp_path / "fox.png").mkdir()
    with pytest.raises(StorageError, match=r"It is kept as .*picture\.png\.$"):
        followed(tmp_path, recipe, outputs=Outputs(picture=tmp_path / "fox.png"))


def test_a_person_reads_similarities_and_how_to_go_on(tmp_path, recipe, capsys):
    screen = io.StringIO()

    class Person(RichReport):
        def __init__(self, _):
            super().__init__(stream=screen)

        def progress(self, job_status):
            super().progress(job_status)
            Interrupted.progress(self, job_status)

    _, _, run = followed(tmp_path, recipe.model_copy(update={"steps": 2000}), report=Person)
    assert "a red fox" in screen.getvalue()
    assert f"To continue: python -m pixgen generate --resume outputs/{run.id}" in screen.getvalue()
    assert f"Picture: outputs/{run.id}/picture.png" in capsys.readouterr().out


def machine(arguments, capsys):
    """The objects on stdout of a command that succeeds."""
    assert main([*arguments, "--json"] if "--json" not in arguments else arguments) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_the_pocket_pair_paints_tells_repeats_and_goes_on(tmp_path, capsys):
    asked = ["generate", "a red fox", "--seed", "7", "--out", "fox.png", *QUICK]
    painted = machine([*asked, "--steps", "2"], capsys)[-1]
    assert (painted["state"], painted["recipe"]["seed"]) == ("done", 7)
    assert machine(["info", "fox.png"], capsys) == [painted["recipe"]]

    repeated = machine(["generate", "--recipe", "fox.png", "--out", "again.png", *QUICK[-3:]], capsys)[-1]
    assert repeated["recipe"] == painted["recipe"]
    assert (pixels("again.png") == pixels("fox.png")).all()

    folder = f"outputs/{painted['run']}"  # a run goes by its name or by its folder
    longer = machine(["generate", "--resume", folder, "--steps", "3", *QUICK[-3:]], capsys)[-1]
    assert (longer["parent"], longer["step"]) == (painted["run"], 3)
    listed = machine(["runs"], capsys)[0]
    assert [run["run"] for run in listed] == [longer["run"], repeated["run"], painted["run"]]

    turn = ["a blue owl | snow", "--weight", "2=0.5", "--learning-rate", "0.2", "--steps", "4"]
    turned = machine(["fork", folder, *turn, "--out", "turned.png", *QUICK[-3:]], capsys)[-1]
    assert (turned["parent"], turned["recipe"]["changes"][0]["step"]) == (painted["run"], 2)
    replayed = ["generate", "--recipe", "turned.png", "--out", "replayed.png", *QUICK[-3:]]
    assert machine(replayed, capsys)[-1]["recipe"] == turned["recipe"]
    assert (pixels("replayed.png") == pixels("turned.png")).all()


def test_python_paints_the_same_picture_as_the_command_line(capsys):
    machine(["generate", "a red fox", "--seed", "7", "--steps", "1", "--out", "fox.png", *QUICK], capsys)
    picture = pixgen.generate(
        "a red fox", seed=7, steps=1, size="32x32", assignments=["cutouts.count=1"], device="cpu"
    )
    assert (np.asarray(picture) == pixels("fox.png")).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "giant"], "There is no image model “giant”: choose pocket"),
        (["--clip", "giant"], "There is no CLIP “giant”: choose pocket"),
        (["--device", "tpu"], "There is no device “tpu”: choose auto, cpu"),
        (["--init", "picture:missing.png"], "“missing.png” cannot be read"),
        (["--size", "2048x2048"], "at most 1024 pixels"),
        (["--resume", "20260101-000000-abcdef"], "There is no run"),
        (["--resume", "elsewhere/20260101-000000-abcdef"], "There is no run"),
        (["--output-dir", "file/outputs"], "cannot be written"),
    ],
)
def test_what_the_studio_refuses_is_one_clear_sentence_too(arguments, said, tmp_path, capsys):
    (tmp_path / "file").touch()
    prompt = [] if "--resume" in arguments else ["a red fox"]
    assert main(["generate", *prompt, *arguments]) == 2
    told = capsys.readouterr()
    assert said in told.err.splitlines()[-1]
    assert told.out == ""


def test_without_runs_the_listing_says_so(capsys):
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.startswith("No runs yet in ")


def test_a_model_that_cannot_be_read_leaves_no_run_behind(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    pointer = Path(__file__).parent.parent / "fixtures/files/lfs.ckpt"
    asked = ["generate", "a fox", "--model", str(pointer), "--output-dir", str(tmp_path / "runs")]
    assert main([*asked, *QUICK]) == 2
    said = capsys.readouterr()
    assert "is a git-lfs pointer, not the file itself: get it with git lfs pull" in said.out + said.err
    assert not list((tmp_path / "runs").glob("2*"))

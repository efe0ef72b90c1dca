"""ZeroGPU: recipes and embeddings go through a forked process, with a stand-in for the ``spaces`` package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixgen.errors import DeviceError
from pixgen.studio.workers.base import WorkerLost
from pixgen.studio.workers.zerogpu import _loan_error, has_zero_gpu, painting_seconds
from tests.studio.fakes import a_recipe

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="ZeroGPU forks")

BEGINNING = """
import json, os, signal, sys, threading
import spaces
import numpy as np
from pathlib import Path
import pixgen.studio.workers.zerogpu as zerogpu
from pixgen.cli._studio import open_studio
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Studio
zerogpu._START_SECONDS, zerogpu._STATE_EVERY = 1.0, 0.0
found = {}
folder = Path(sys.argv[1])
recipe = make_recipe({"prompts": "a red fox", "width": 32, "height": 32, "steps": 6, "seed": 3,
                      "cutouts": {"count": 2}})
def end(job):
    assert job.wait(120)
    return job
def pixels(job):
    from PIL import Image
    return np.asarray(Image.open(job.run.picture)).tolist()
with open_studio(folder / "lent", device="auto", devices=None) as studio:
"""


def run(tmp_path, script):
    """What a script about a studio on ZeroGPU has put into ``found``."""
    code = BEGINNING + "\n".join("    " + line for line in script.strip().splitlines())
    code += "\nprint(json.dumps(found), flush=True)\nos._exit(0)\n"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            **os.environ, "SPACES_ZERO_GPU": "1", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests/stand_ins")]),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_picture_of_several_loans_has_the_pixels_of_one_that_was_painted_here(tmp_path):
    found = run(tmp_path, """
zerogpu._LOAN_SECONDS = 0.0  # a step a loan
spaces.request.set("ada")
job = end(studio.submit(recipe))
found.update(state=job.state, error=str(job.error), lent=pixels(job), calls=spaces.calls, video=job.run.video.is_file())
assert "torch.cuda" not in str(type(job.frame.picture))
with Studio(folder / "own", device="cpu") as own:
    found["own"] = pixels(end(own.submit(recipe)))
""")  # fmt: skip
    assert (found["state"], found["error"], found["video"]) == ("done", "None", True)
    assert found["lent"] == found["own"]
    assert len(found["calls"]) >= 6
    names, seconds, requests = zip(*found["calls"], strict=True)
    assert set(names) == {"paint_on_gpu"}
    assert all(isinstance(each, int) and 0 < each <= 120 for each in seconds)
    assert set(requests) == {"ada"}  # whose quota it is


@pytest.mark.slow
def test_stop_edits_and_resuming_are_exact(tmp_path):
    found = run(tmp_path, """
long = recipe.model_copy(update={"steps": 400})
job = studio.submit(long)
for status in job.watch(rate=1e6):
    if status.frame is not None and status.frame.step == 2:
        job.change("a blue whale")
    if status.frame is not None and status.frame.step >= 8:
        job.stop()
found.update(state=job.state, step=job.run.step, changes=[change.step for change in job.recipe.changes])
again = studio.resume(job.id)
for status in again.watch(rate=1e6):
    if status.frame is not None and status.frame.step >= found["step"] + 4:
        again.stop()
stopped_at = again.run.step
with Studio(folder / "own", device="cpu") as own:
    whole = own.submit(again.recipe)
    for status in whole.watch(rate=1e9):
        frame = status.frame
        if frame is not None and frame.step == stopped_at:
            found["same"] = bool((frame.picture == np.asarray(pixels(again))).all())
        if frame is not None and frame.step > stopped_at:
            whole.stop()
""")  # fmt: skip
    assert (found["state"], found["step"] >= 8, len(found["changes"])) == ("stopped", True, 1)
    assert found["same"]


@pytest.mark.slow
def test_errors_are_sentences_and_the_next_picture_is_painted(tmp_path):
    found = run(tmp_path, """
spaces.refusal = "<a href='x'>You</a> have exceeded your GPU quota"
found["refused"] = str(end(studio.submit(recipe)).error)
spaces.refusal = ""
found["unknown"] = str(end(studio.submit(recipe.model_copy(update={"model": "nothing"}))).error)
paint, lost = zerogpu.paint_on_gpu, []
def killed(*given):
    if not lost:
        lost.append(True)
        yield next(iter(paint(*given)))
        raise spaces.Error("GPU task aborted")
    yield from paint(*given)
zerogpu.paint_on_gpu = killed
job = end(studio.submit(recipe))
found.update(state=job.state, lost=len(lost))
""")  # fmt: skip
    assert found["refused"].startswith("No GPU was granted (You have exceeded your GPU quota): try again")
    assert "nothing" in found["unknown"]
    assert "ZeroGPU" not in found["unknown"]
    assert (found["state"], found["lost"]) == ("done", 1)


@pytest.mark.slow
def test_many_pictures_are_embedded_on_the_gpu_and_few_are_not(tmp_path):
    found = run(tmp_path, """
import torch
torch.manual_seed(0)
perceptor = studio.perceptor(("pocket",))
pictures = torch.rand(20, 3, 64, 64)
many = perceptor.embed_images(pictures)
found["calls"] = [call[0] for call in spaces.calls]
few = torch.cat([perceptor.embed_images(part) for part in pictures.split(10)])
found["calls_of_few"] = len(spaces.calls) - len(found["calls"])
found["near"] = bool(torch.allclose(many, few, atol=1e-4))
found["texts"] = list(perceptor.embed_texts(["a fox"]).shape)
""")  # fmt: skip
    assert (found["calls"], found["calls_of_few"]) == (["embed_on_gpu"], 0)
    assert found["near"]
    assert found["texts"][0] == 1


def test_elsewhere_nothing_is_forked(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert not has_zero_gpu()


def test_the_duration_grows_with_the_recipe():
    short, long = a_recipe(), a_recipe(width=512, height=512)
    assert painting_seconds(short, {}, None, (), 10) < painting_seconds(long, {}, None, (), 100)


def test_what_spaces_says_becomes_a_sentence():
    assert isinstance(_loan_error(RuntimeError("GPU task aborted")), WorkerLost)
    refused = _loan_error(RuntimeError("No GPU was available after 60s"))
    assert isinstance(refused, DeviceError)
    assert "No GPU was available after 60s" in str(refused)

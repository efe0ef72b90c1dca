"""SIGTERM and a lost terminal end a command as Ctrl-C does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pixgen.cli._signals import Terminated, exit_status, terminate_as_interrupt
from pixgen.studio import Studio
from tests.cli.test_generate import Collected, followed, recipe  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_picture_is_saved_at_its_step(tmp_path, recipe, number):  # noqa: F811
    class Ended(Collected):
        def progress(self, job_status):
            if job_status.frame is not None:
                signal.raise_signal(number)

    recipe = recipe.model_copy(update={"steps": 2000})
    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with terminate_as_interrupt():
            status, lines, run = followed(tmp_path, recipe, report=Ended)
    finally:
        signal.signal(number, before)
    assert status == 128 + number
    assert (run.state, lines[-1]["state"]) == ("stopped", "stopped")
    assert all(path.is_file() for path in (run.picture, run.video, run.state_file))


def test_a_second_signal_changes_nothing_and_the_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with terminate_as_interrupt():
        with pytest.raises(Terminated) as raised:
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    assert exit_status(raised.value) == 143
    assert exit_status(KeyboardInterrupt()) == 130
    assert signal.getsignal(signal.SIGTERM) is before


def test_nohup_is_respected():
    code = (
        "import os, signal; from pixgen.cli._signals import terminate_as_interrupt\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with terminate_as_interrupt(): os.kill(os.getpid(), signal.SIGHUP); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "still here")


def test_a_studio_saves_its_jobs_without_waiting_for_what_follows(tmp_path, recipe):  # noqa: F811
    import threading

    from tests.studio.fakes import Painters

    hold = threading.Event()
    with Studio(tmp_path, device="cpu", painter=Painters(seconds=0.02)) as studio:
        studio.on_job_end(lambda job: hold.wait(60))
        job = studio.submit(recipe.model_copy(update={"steps": 2000}))
        for job_status in job.watch():
            if job_status.frame is not None:
                break
        studio.save_jobs(30)
        assert (job.state, job.run.picture.is_file()) == ("stopped", True)
        hold.set()


@pytest.mark.slow
def test_a_page_that_is_terminated_saves_the_picture_and_ends_soon(tmp_path, capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["app", "--device", "cpu", "--port", str(port), "--output-dir", str(tmp_path / "runs")]
    page = subprocess.Popen(
        [sys.executable, "-m", "pixgen", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )

    def until(true):
        deadline = time.monotonic() + 300
        while not true():
            assert page.poll() is None, page.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def health():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
                return json.load(answer)
        except OSError:
            return {}

    try:
        until(health)
        values = {"data": ["a red fox", "draft", "64x64", 2000, "1"]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/gradio_api/call/generate",
            json.dumps(values).encode(),
            {"content-type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()
        until(lambda: health().get("painting") and any((tmp_path / "runs").glob("*/*.mp4")))
        began = time.monotonic()
        page.terminate()
        _, said = page.communicate(timeout=60)
        seconds = time.monotonic() - began
    finally:
        page.kill()
        page.wait()
    with capsys.disabled():
        print(
            f"\nended {seconds:.2f} s after SIGTERM"
        )  # the promise is 5 on a machine that does nothing else
    assert page.returncode == 128 + signal.SIGTERM
    assert "are saved" in said
    with Studio(tmp_path / "runs", device="cpu") as studio:
        (run,) = studio.runs()
    assert (run.state, run.step > 0) == ("stopped", True)
    assert all(path.is_file() for path in (run.picture, run.video, run.state_file))

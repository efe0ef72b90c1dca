"""SIGTERM and a lost terminal end a command as Ctrl-C does."""

import os
import signal
import subprocess
import sys

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
    with terminate_as_interrupt():
        status, lines, run = followed(tmp_path, recipe, report=Ended)
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

"""Processes that are killed while they paint."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KILLED = """
import sys
from pixgen.studio import Studio
from tests.studio.fakes import Painters, a_recipe
studio = Studio(sys.argv[1], device="cpu", painter=Painters(seconds=0.02), save_every=0.2)
job = studio.submit(a_recipe(steps=200, seed=5))
print(job.id, flush=True)
job.wait()
"""


def killed(folder, until):
    """A run whose process was killed by the system when ``until(folder of the run)`` was true."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with process:
        run_id = process.stdout.readline().strip()
        deadline = time.monotonic() + 20
        while not until(folder / run_id) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    return run_id

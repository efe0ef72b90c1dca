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
from pixgen.recipe.recipe import read_recipe
from pixgen.studio import Studio
from tests.studio.fakes import Painters, a_recipe
if sys.argv[2:]:
    studio, recipe = Studio(sys.argv[1], device="cpu", save_every=0), read_recipe(sys.argv[2])
else:
    painter, recipe = Painters(seconds=0.02), a_recipe(steps=200, seed=5)
    studio = Studio(sys.argv[1], device="cpu", painter=painter, save_every=0.2)
job = studio.submit(recipe)
print(job.id, flush=True)
job.wait()
"""


def killed(folder, until, *, recipe=None):
    """A run whose process was killed by the system when ``until(folder of the run)`` was true; with the
    bundled models if a recipe is given, else with a fake painter."""
    given = [] if recipe is None else [recipe.to_json()]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), *given],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        run_id = process.stdout.readline().strip()
        deadline = time.monotonic() + (20 if recipe is None else 300)
        while not until(folder / run_id) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    return run_id

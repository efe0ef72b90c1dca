"""A painter that an actor can build: importable by name, without models."""

import os
import signal
import time
from pathlib import Path

from pixgen.errors import OutOfMemory
from tests.studio.fakes import FakePainter, Painters


def paint_slowly(marker, recipe, pictures, device, models):
    """A painter whose step takes a while, so that something can happen to it.

    The prompt “too large” runs out of memory; “frozen” stops the whole process before step 6, unless the file
    ``marker`` is there.
    """
    painters, words = Painters(seconds=0.05), recipe.prompts[0][0].text

    def freeze() -> None:
        if not Path(marker).exists():
            Path(marker).touch()
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(1)

    if words == "too large":
        painters.fail_at, painters.error = 3, OutOfMemory("Try fewer cutouts.")
    if words == "frozen":
        painters.at[6] = freeze
    return FakePainter(recipe, pictures, painters)

"""The page's entry point in a clone and in a Space: ``python app.py`` does what ``pixgen app`` does.

Hugging Face Spaces starts this file; there the page is always in public mode.
"""

import contextlib
import os
import sys

# Waiting threads that spin starve the browser, the video encoder and each other. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

with contextlib.suppress(ImportError):
    import spaces  # noqa: F401 - where there is ZeroGPU, it must come before torch

from pixgen.cli.app import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))

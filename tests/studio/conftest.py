"""Studios in temporary folders, closed after the test."""

import subprocess
from contextlib import ExitStack

import imageio_ffmpeg
import numpy as np
import pytest

from pixgen.studio import Studio
from tests.studio.fakes import Painters


@pytest.fixture
def open_studio(tmp_path):
    """Opens studios on the CPU with fake painters, by default all in one folder."""
    with ExitStack() as stack:

        def open_one(painter=None, **options):
            options.setdefault("folder", tmp_path / "outputs")
            painter = painter or Painters()
            studio = Studio(device="cpu", painter=painter, **options)
            stack.callback(studio.close)
            if isinstance(painter, Painters):
                stack.callback(painter.go_on.set)  # runs first: a held painter would never end
            return studio

        yield open_one


@pytest.fixture
def studio(open_studio):
    """A studio with a fake painter."""
    return open_studio()


@pytest.fixture
def real(tiny_vqgan, tiny_perceptor):
    """Makes real painters, with tiny models."""
    from pixgen.synthesis import Optimization, make_drawer

    def make(recipe, pictures, device, models):
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, pictures=pictures)

    return make


@pytest.fixture
def frames_of():
    """Reads a film: its pictures ``(H, W, 3)``, the held ones included."""

    def read(path, *, width=32, height=32):
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-i",
            str(path),
            "-f",
            "rawvideo",
        ]
        data = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
        return list(np.frombuffer(data.stdout, np.uint8).reshape(-1, height, width, 3))

    return read

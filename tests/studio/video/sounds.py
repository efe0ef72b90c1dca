"""Generated sounds for tests: a sine that swells, and clicks at known times."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixgen.studio.video.sound import RATE


def swelling_sine_with_clicks(*, seconds: float, clicks: Sequence[float]) -> np.ndarray:
    """A sine of 100 Hz that swells from silence to half amplitude, with a short noise at each click, at ``RATE``."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples = 0.5 * np.sin(2 * np.pi * 100 * time) * time / seconds
    noise = np.random.default_rng(7).uniform(-0.5, 0.5, RATE // 50)
    for click in clicks:
        start = round(click * RATE)
        samples[start : start + len(noise)] += noise[: len(samples) - start]
    return samples


def write_wav(path: Path, samples: np.ndarray, *, rate: int = RATE) -> None:
    """Write samples ``(N,)`` in [-1, 1] as a 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())

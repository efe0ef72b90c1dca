"""Sound that a video carries and that expressions follow: its levels (bass, mid, treble, onset) over time.

The samples are decoded by ffmpeg; the levels are computed by numpy from short spectra.
"""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixgen.errors import VideoError
from pixgen.images import LARGEST_UPLOAD
from pixgen.studio.metadata.mp4 import is_quicktime
from pixgen.studio.video.ffmpeg import Sound, file_url, imageio_ffmpeg, missing_ffmpeg

RATE = 22_050  # samples per second that are analysed
_HOP = 256  # samples between two levels: 86 a second
_WINDOW = 1024
_LONGEST = 1200.0  # seconds that are analysed
_LONGEST_WAIT = 120.0  # for the decoder
# The bands in Hz: a bass drum and bass guitar, voices and most instruments, cymbals and consonants.
_BANDS = {"bass": (20, 250), "mid": (250, 2500), "treble": (2500, 10_000)}
_LOUD = 0.98  # the quantile of a band's level that counts as 1
_SILENT = 1e-4  # amplitudes below this are silence, so that noise is not raised to 1
_HALF_LIFE = 0.1  # seconds in which an onset fades to a half
_AROUND = 0.5  # seconds around an onset, whose mean is no onset
# What a file begins with, and ffmpeg's demuxer for it: naming it keeps ffmpeg from reading playlists, which could
# name other files or addresses.
_HEADS = ((b"ID3", "mp3"), (b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska"))
SOUND_SUFFIXES = (".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".mp4", ".mov", ".webm", ".mkv")


@dataclass(frozen=True)
class Levels:
    """The levels of a sound, each in [0, 1], ``RATE / _HOP`` times a second.

    Args:
        values: by name, arrays of one length ``(N,)``.
    """

    values: Mapping[str, np.ndarray]

    def at(self, seconds: float, length: float) -> dict[str, float]:
        """The levels from a second on, for a length in seconds: the mean of a band, and the strongest onset.
        Silence beyond the end."""
        first = round(seconds * RATE / _HOP)
        last = max(first + 1, round((seconds + length) * RATE / _HOP))
        found = {}
        for name, values in self.values.items():
            part = values[max(0, first) : last]
            merge = np.max if name == "onset" else np.mean
            found[name] = float(merge(part)) if len(part) else 0.0
        return found


def measure_levels(samples: np.ndarray) -> Levels:
    """The levels of a sound, ``(N,)`` float in [-1, 1] at ``RATE``.

    A band is the amplitude of its frequencies, divided by that of its loud parts. Onsets are the peaks of the
    spectral flux, the sum of all increases of the logarithmic spectrum (Bello et al., 2005), and fade.
    """
    samples = np.pad(samples.astype(np.float32), (_WINDOW // 2, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    inside = {name: (frequencies >= low) & (frequencies < high) for name, (low, high) in _BANDS.items()}
    levels: dict[str, list[np.ndarray]] = {name: [] for name in _BANDS}
    flux = []
    before = np.zeros(len(frequencies), np.float32)
    for part in _pieces(frames):
        spectrum = np.abs(np.fft.rfft(part * np.hanning(_WINDOW), axis=1)) * (4 / _WINDOW)
        for name, some in inside.items():
            levels[name].append(np.sqrt(np.square(spectrum[:, some]).sum(1) / 1.5))
        logarithm = np.log1p(spectrum * 1000).astype(np.float32)
        rises = np.diff(np.concatenate([before[None], logarithm]), axis=0)
        flux.append(np.maximum(rises, 0).sum(1))
        before = logarithm[-1]
    values = {name: _by_loudness(np.concatenate(parts)) for name, parts in levels.items()}
    return Levels({**values, "onset": _onsets(np.concatenate(flux))})


def _pieces(frames: np.ndarray, size: int = 4096) -> Iterator[np.ndarray]:
    for start in range(0, len(frames), size):
        yield frames[start : start + size]


def _by_loudness(level: np.ndarray) -> np.ndarray:
    """An amplitude, divided by that of its loud parts, in [0, 1]."""
    return np.clip(level / max(float(np.quantile(level, _LOUD)), _SILENT), 0, 1)


def _onsets(flux: np.ndarray) -> np.ndarray:
    """Peaks of the flux above its neighbourhood, which fade, in [0, 1]."""
    flux = np.concatenate([[0.0], flux[:-1]])  # a window rises most when a sound is in its last quarter
    around = max(1, round(_AROUND * RATE / _HOP)) | 1
    mean = np.convolve(np.pad(flux, around // 2, mode="edge"), np.full(around, 1 / around), mode="valid")
    above = np.maximum(flux - 1.5 * mean, 0)
    strongest = float(above.max(initial=0))
    if strongest < 1:  # no more than rounding
        return np.zeros_like(flux)
    fade, level = 0.5 ** (_HOP / RATE / _HALF_LIFE), 0.0
    found = np.empty_like(above)
    for number, value in enumerate(above / strongest):
        level = max(float(value), level * fade)
        found[number] = level
    return found


def read_samples(path: Path) -> np.ndarray:
    """The samples of a sound file as one channel at ``RATE``, ``(N,)`` float32, at most 20 minutes. Raises
    VideoError."""
    arguments = (
        *("-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-f", sound_kind(path)),
        *("-i", file_url(path), "-map", "0:a:0", "-t", f"{_LONGEST}", "-ac", "1", "-ar", f"{RATE}"),
        *("-threads", "1", "-f", "f32le", "pipe:1"),
    )
    try:
        done = subprocess.run(
            [imageio_ffmpeg().get_ffmpeg_exe(), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            check=False,
            timeout=_LONGEST_WAIT,
        )
    except subprocess.TimeoutExpired as error:
        raise _unreadable(path) from error
    except OSError as error:
        raise missing_ffmpeg() from error
    samples = np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], "<f4")
    if done.returncode or not len(samples):
        raise _unreadable(path)
    return np.nan_to_num(samples, nan=0, posinf=0, neginf=0)


def open_levels(path: Path) -> Levels:
    """The levels of a sound file. Raises VideoError."""
    return measure_levels(read_samples(path))


def open_sound(path: Path) -> Sound:
    """A sound file, to be added to a video. Raises VideoError."""
    kind = sound_kind(path)
    return Sound(path, ("-protocol_whitelist", "file", "-f", kind), "mp3" if kind == "mp3" else "")


def sound_kind(path: Path) -> str:
    """ffmpeg's name of a sound file's format, by its first bytes. Raises VideoError if it is none that is read."""
    try:
        if path.stat().st_size > LARGEST_UPLOAD:
            raise VideoError(
                "“{name}” is too large: at most {limit} MB.", name=path.name, limit=LARGEST_UPLOAD // 2**20
            )
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError) as error:
        raise VideoError("“{name}” cannot be read: check that the sound is there.", name=path.name) from error
    if is_quicktime(head):
        return "mov"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    for start, kind in _HEADS:
        if head.startswith(start):
            return kind
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # a frame of MPEG audio
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    raise VideoError(
        "“{name}” is not a sound that can be read: use MP3, WAV, FLAC, OGG, M4A or a video.", name=path.name
    )


def _unreadable(path: Path) -> VideoError:
    return VideoError("“{name}” has no sound that can be read: choose another file.", name=path.name)

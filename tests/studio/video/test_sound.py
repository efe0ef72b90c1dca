"""Sound: its levels against generated sounds, and files that are none."""

import wave

import numpy as np
import pytest

from pixgen.errors import VideoError
from pixgen.studio.video.sound import RATE, measure_levels, open_levels, open_sound
from tests.studio.video.sounds import swelling_sine_with_clicks, write_wav

CLICKS = (1.0, 2.5, 4.0)


def test_a_sine_that_swells_is_heard_in_its_band():
    seconds = np.arange(6 * RATE) / RATE
    levels = measure_levels(np.sin(2 * np.pi * 100 * seconds) * seconds / 6)
    bass = [levels.at(second, 0.1)["bass"] for second in range(6)]
    assert bass == sorted(bass)
    assert bass[1] == pytest.approx(1 / 6, abs=0.05)
    assert bass[5] > 0.8
    assert levels.values["bass"].max() <= 1


@pytest.mark.parametrize(("pitch", "name"), [(100, "bass"), (800, "mid"), (5000, "treble")])
def test_each_band_hears_its_own_pitch(pitch, name):
    sound = 0.5 * np.sin(2 * np.pi * pitch * np.arange(2 * RATE) / RATE)
    amplitudes = measure_levels(np.concatenate([sound, sound * 0.1]))
    found = amplitudes.at(0.5, 0.5)
    assert found[name] > 0.95
    assert amplitudes.at(2.5, 0.5)[name] == pytest.approx(0.1, abs=0.03)


def test_clicks_are_onsets_at_their_times():
    levels = measure_levels(swelling_sine_with_clicks(seconds=5, clicks=CLICKS))
    onset = levels.values["onset"]
    rises = np.flatnonzero(np.diff(onset) > 0.5) + 1
    assert [number * 256 / RATE for number in rises] == pytest.approx(CLICKS, abs=0.02)
    assert all(levels.at(click, 0.1)["onset"] > 0.7 for click in CLICKS)
    assert levels.at(1.8, 0.2)["onset"] < 0.1


def test_silence_has_no_levels():
    levels = measure_levels(np.zeros(RATE))
    assert levels.at(0.2, 0.5) == {"bass": 0, "mid": 0, "treble": 0, "onset": 0}
    assert levels.at(99, 1) == {"bass": 0, "mid": 0, "treble": 0, "onset": 0}


def test_a_file_is_decoded(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, swelling_sine_with_clicks(seconds=3, clicks=()), rate=RATE)
    levels = open_levels(path)
    assert levels.at(2.5, 0.2)["bass"] > levels.at(0.5, 0.2)["bass"] > 0


def test_what_is_no_sound_is_refused(tmp_path):
    text = tmp_path / "a.mp3"
    text.write_text("#EXTM3U\nfile:///etc/passwd")
    with pytest.raises(VideoError, match="is not a sound that can be read"):
        open_sound(text)
    broken = tmp_path / "b.wav"
    broken.write_bytes(b"RIFF1234WAVE" + bytes(100))
    with pytest.raises(VideoError, match="has no sound that can be read"):
        open_levels(broken)
    with pytest.raises(VideoError, match="check that the sound is there"):
        open_sound(tmp_path / "none.mp3")


def test_a_wave_file_is_what_the_helper_writes(tmp_path):
    write_wav(tmp_path / "a.wav", np.zeros(100), rate=8000)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() == 100

"""A journey that follows a sound: its zoom, measured in the finished video, and its sound."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.recipe.recipe import make_recipe
from pixgen.studio.metadata.mp4 import has_sound, read_timing
from pixgen.studio.video.export import export
from pixgen.studio.video.sound import RATE, measure_levels, read_samples
from pixgen.studio.video.source import read_info
from pixgen.studio.workers.local import paint
from tests.studio.video.sounds import swelling_sine_with_clicks, write_wav

FPS, SECONDS, CLICKS, SIDE = 6, 4, (1.0, 3.0), 96


def speckled(path):
    """A picture in which every zoom can be measured."""
    noise = np.random.default_rng(3).uniform(0, 255, (24, 24, 3)).astype(np.uint8)
    Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
    return str(path)


def measured_zoom(before, after):
    """The zoom between two frames: the one with which the first is most like the second."""
    zooms = np.arange(1, 1.3, 0.005)
    half = SIDE / 2
    picture = Image.fromarray(before)
    differences = []
    for zoom in zooms:
        box = (half - half / zoom, half - half / zoom, half + half / zoom, half + half / zoom)
        moved = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box), float)
        differences.append(np.abs(moved - after)[12:-12, 12:-12].mean())
    return float(zooms[np.argmin(differences)])


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "song.wav"
    write_wav(path, swelling_sine_with_clicks(seconds=SECONDS + 2, clicks=CLICKS))
    return str(path)


def painted(studio, tmp_path, sound, zoom):
    recipe = make_recipe(
        {
            "prompts": "a fox",
            "width": SIDE,
            "height": SIDE,
            "steps": FPS * SECONDS - 1,
            "drawer": "fourier",
            "init": {"kind": "picture", "picture": speckled(tmp_path / "speckles.png")},
            "cutouts": {"count": 1},
            "optimizer": {"learning_rate": 1e-6},
            "journey": {"every": 1, "fps": FPS, "zoom": zoom, "audio": sound},
        }
    )
    job = studio.submit(recipe, trusted={recipe.init.picture, sound})
    assert job.wait(300)
    assert job.error is None, job.error
    return job


def registered_zoom(before, after):
    """The zoom between two frames whose painting changes too: that with which their greys correlate best."""
    zooms = torch.arange(0.95, 1.3, 0.005)
    before, after = (torch.tensor(each).float().mean(2)[None, None] for each in (before, after))
    matrices = torch.eye(2, 3) / zooms[:, None, None]
    grid = F.affine_grid(matrices, [len(zooms), 1, *before.shape[-2:]], align_corners=False)
    moved = F.grid_sample(before.expand(len(zooms), -1, -1, -1), grid, mode="bicubic", align_corners=False)
    moved, after = (each[:, 0, 12:-12, 12:-12].flatten(1) for each in (moved, after))
    likeness = F.cosine_similarity(moved - moved.mean(1, keepdim=True), after - after.mean())
    return float(zooms[likeness.argmax()])


def test_ten_seconds_that_are_really_painted_zoom_where_the_sound_says(open_studio, frames_of, tmp_path):
    fps, seconds, clicks = 8, 10, (1.5, 4.0, 6.25, 8.5)
    song = tmp_path / "song.wav"
    samples = swelling_sine_with_clicks(seconds=seconds + 3, clicks=clicks)
    write_wav(song, samples)
    recipe = make_recipe(
        {
            "prompts": "a forest with many colourful flowers",
            "width": SIDE,
            "height": SIDE,
            "steps": fps * seconds - 1,
            "seed": 3,
            "model": "pocket-2",
            "init": {"kind": "sketch"},
            "cutouts": {"count": 2},
            "optimizer": {"learning_rate": 0.05, "schedule": "constant"},
            "journey": {
                "every": 1,
                "fps": fps,
                "zoom": "1 + 0.04*bass + 0.2*onset*(onset > 0.5)",
                "audio": str(song),
            },
        }
    )
    job = open_studio(paint).submit(recipe, trusted={str(song)})
    assert job.wait(300)
    assert job.error is None, job.error
    video = job.run.video
    assert read_timing(video) == (fps * seconds, fps)
    frames = frames_of(video, width=SIDE, height=SIDE)
    measured = [registered_zoom(one, other) for one, other in zip(frames, frames[1:], strict=False)]
    levels = measure_levels(samples)
    heard = [levels.at(number / fps, 1 / fps) for number in range(len(measured))]
    asked = [1 + 0.04 * each["bass"] + 0.2 * each["onset"] * (each["onset"] > 0.5) for each in heard]
    assert [number / fps for number, zoom in enumerate(measured) if zoom > 1.1] == list(clicks)
    assert np.corrcoef(measured, asked)[0, 1] > 0.97
    assert np.abs(np.subtract(measured, asked)).mean() < 0.01
    calm = [zoom for zoom in measured if zoom < 1.1]
    assert np.median(calm[:20]) < 1.01
    assert np.median(calm[-20:]) > 1.01  # the bass swells
    carried = read_samples(video)
    assert len(carried) / RATE == pytest.approx(seconds, abs=0.15)
    loudness = [np.abs(carried[round(at * RATE) :][:RATE]).mean() for at in (2.5, 7)]
    assert loudness[1] > 2 * loudness[0]


def test_the_zoom_of_the_video_is_where_the_sound_says(open_studio, real, frames_of, tmp_path, sound):
    job = painted(open_studio(real), tmp_path, sound, "1 + 0.2*onset*(onset > 0.5)")
    frames = frames_of(job.run.video, width=SIDE, height=SIDE)
    assert read_timing(job.run.video) == (FPS * SECONDS, FPS)
    zooms = [measured_zoom(one, other) for one, other in zip(frames, frames[1:], strict=False)]
    fast = [number / FPS for number, zoom in enumerate(zooms) if zoom > 1.1]
    assert fast == pytest.approx(CLICKS)
    assert all(zoom < 1.02 for number, zoom in enumerate(zooms) if number / FPS not in CLICKS)


def test_the_zoom_grows_with_the_bass(open_studio, real, frames_of, tmp_path, sound):
    job = painted(open_studio(real), tmp_path, sound, "1 + 0.2*bass")
    frames = frames_of(job.run.video, width=SIDE, height=SIDE)
    zooms = [measured_zoom(one, other) for one, other in zip(frames, frames[1:], strict=False)]
    # The sine swells for 6 seconds: after 0.5, 2 and 3.5 of them it has a twelfth, a third and 7 twelfths.
    for second, share in ((0.5, 1 / 12), (2, 1 / 3), (3.5, 7 / 12)):
        assert zooms[round(second * FPS)] == pytest.approx(1 + 0.2 * share, abs=0.02)


def test_the_video_carries_the_sound_cut_to_its_length(open_studio, real, tmp_path, sound):
    job = painted(open_studio(real), tmp_path, sound, "1 + 0.01*bass")
    assert has_sound(job.run.video)
    assert read_info(job.run.video).seconds == pytest.approx(SECONDS, abs=0.1)
    export(job.run.video, tmp_path / "out.webm")
    info = read_info(tmp_path / "out.webm", source=("-f", "matroska"))
    assert info.sound.startswith("opus")
    assert info.seconds == pytest.approx(SECONDS, abs=0.1)
    assert job.recipe.journey.audio.startswith("inputs/")

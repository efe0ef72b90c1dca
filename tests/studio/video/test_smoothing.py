"""Frames in between: more of them, and really in between."""

import numpy as np
import pytest

from pixgen.errors import VideoError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.video.export import VideoWriter, export
from pixgen.studio.video.source import read_frames, read_info
from pixgen.studio.video.timeline import ExportSettings


@pytest.fixture
def moving(tmp_path):
    """A soft spot that moves to the right by 8 pixels a frame, at 6 frames a second."""
    path = tmp_path / "spot.mp4"
    recipe = make_recipe(
        {
            "prompts": "a",
            "width": 96,
            "height": 64,
            "steps": 8,
            "journey": {"every": 1, "fps": 6, "smooth_fps": 24},
        }
    )
    y, x = np.mgrid[:64, :96]
    with VideoWriter(path, fps=6, recipe=recipe) as video:
        for number in range(8):
            light = 220 * np.exp(-((x - 16 - 8 * number) ** 2 + (y - 32) ** 2) / 200)
            video.add(np.repeat(light[..., None], 3, 2).astype(np.uint8))
    return path


def centres(path):
    found = []
    for frame in read_frames(path):
        light = frame.astype(float).mean(2)
        found.append((light.sum(0) * np.arange(light.shape[1])).sum() / light.sum())
    return found


def test_frames_in_between_move_evenly(moving, tmp_path):
    export(moving, tmp_path / "a.mp4", ExportSettings(hold=0, smooth_fps=24))
    found = centres(tmp_path / "a.mp4")
    assert len(found) == 32  # 8 frames of a sixth of a second, 24 a second
    steps = np.diff(found[2:24])
    assert steps.mean() == pytest.approx(2, abs=0.5)
    assert steps.max() < 6  # never a whole frame at once


def test_the_recipe_asks_for_it_and_an_export_may_refuse(moving, tmp_path):
    export(moving, tmp_path / "a.webm", ExportSettings(hold=0))
    export(moving, tmp_path / "b.mp4", ExportSettings(hold=0, smooth_fps=0, fps=12))
    assert sum(1 for _ in read_frames(tmp_path / "a.webm", source=("-f", "matroska"))) == 32
    assert sum(1 for _ in read_frames(tmp_path / "b.mp4")) == 8
    export(moving, tmp_path / "c.gif", ExportSettings(hold=0))  # without frames in between
    assert read_info(tmp_path / "c.gif", source=("-f", "gif")).width == 96


def test_what_is_not_possible_is_said(moving, tmp_path):
    with pytest.raises(VideoError, match="A GIF cannot have frames in between"):
        export(moving, tmp_path / "a.gif", ExportSettings(smooth_fps=30))
    with pytest.raises(VideoError, match="1 to 120 frames per second, not 500"):
        ExportSettings(smooth_fps=500)

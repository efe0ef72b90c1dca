"""The page's films: exports of a run, stories, journeys, and videos that are painted over."""

import json
from pathlib import Path

import numpy as np
import pytest

from pixgen.errors import RecipeError, VideoError
from pixgen.recipe.presets import available_presets
from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.policy import Policy
from pixgen.studio.video.export import VideoWriter
from pixgen.ui.create.form import form_fields, preset_values
from pixgen.ui.create.panels import video_export
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.session import BrowserSession
from tests.ui.forms import paint, to_recipe


def recipe(**values):
    return to_recipe({"prompt": "a red fox", "seed": "7", **values})


def test_scenes_in_rows_are_a_story_and_win_over_the_words():
    rows = [
        [0, "a fox", "", ""],
        ["", "snow", 0.5, ""],
        ["30", "an owl", None, "late"],
        ["", "", "", ""],
    ]
    made = recipe(story_rows=rows, fade=0.5, blend="weights")
    assert made.prompt == "a fox | snow :0.5 ^ an owl"
    assert made.story.starts == (0, 30)
    assert made.story.easings == ("smooth", "late")
    assert (made.story.fade, made.story.blend) == (0.5, "weights")


def test_cards_are_a_story_whose_seconds_decide_its_steps():
    cards = [
        {"prompt": "a fox", "seconds": "1.5", "easing": "smooth"},
        {"prompt": " ", "seconds": "9", "easing": "smooth"},
        {"prompt": "an owl | snow", "seconds": "", "easing": "late"},
    ]
    made = recipe(story_rows=json.dumps(cards), fade=0.5)
    assert made.prompt == "a fox ^ an owl | snow"
    assert (made.story.starts, made.steps) == (
        (0, 30),
        70,
    )  # 20 steps a second; 2 seconds where none are given
    assert made.story.easings == ("smooth", "late")
    even = recipe(story_rows=json.dumps([card | {"seconds": ""} for card in cards]), steps=12)
    assert (even.story.starts, even.steps) == ((), 12)


@pytest.mark.parametrize(
    "text",
    ["[", "[1]", '[{"prompt": 1}]', "{}{", '[{"prompt": "a", "seconds": "b", "easing": ""}]', "[" * 99_999],
)
def test_cards_that_did_not_arrive_whole_are_refused(text):
    with pytest.raises(RecipeError, match="did not arrive"):
        recipe(story_rows=text)


@pytest.mark.parametrize("seconds", ["-1", "1e9", "nan"])
def test_a_scene_lasts_for_some_seconds(seconds):
    with pytest.raises(RecipeError, match="seconds of a scene"):
        recipe(story_rows=json.dumps([{"prompt": "a", "seconds": seconds, "easing": "smooth"}]))


def test_empty_rows_leave_the_words():
    assert recipe(story_rows=[["", "", "", ""]] * 3).prompt == "a red fox"
    assert recipe(story_rows=None).prompt == "a red fox"


def test_a_path_in_a_row_is_refused():
    with pytest.raises(RecipeError, match="path"):
        recipe(story_rows=[["", "[/etc/passwd]", "", ""]])


def test_frames_make_a_journey_and_none_makes_a_picture():
    made = recipe(frames=10, every=2, after=5, zoom="0:1, 9:1.1", turn="2", where="latent")
    assert made.steps == 5 + 9 * 2
    assert made.journey.motion(9).zoom == pytest.approx(1.1)
    assert made.journey.where == "latent"
    assert not recipe(preset="journey", frames=0).journey.moving


@pytest.mark.parametrize("name", available_presets())
def test_the_form_filled_by_a_preset_makes_the_presets_video(name):
    if name == "restyle":  # needs a video
        with pytest.raises(RecipeError, match="add it under"):
            recipe(preset=name, **preset_values(name))
        return
    made, plain = recipe(preset=name, **preset_values(name)), recipe(preset=name)
    assert (made.story, made.journey, made.steps) == (plain.story, plain.journey, plain.steps)


def test_every_preset_fits_the_settings():
    allowed = form_fields(Policy())
    for name in available_presets():
        for setting, value in preset_values(name).items():
            assert allowed[setting].nearest(value) == value, (name, setting)


def test_a_video_is_painted_over_in_its_shape(tmp_path):
    with VideoWriter(tmp_path / "wide.mp4", fps=12) as film:
        for _ in range(5):
            film.add(np.full((32, 64, 3), 90, np.uint8))
    made = recipe(preset="restyle", video=str(tmp_path / "wide.mp4"), size="128x128", frames=4)
    assert (made.width, made.height) == (176, 96)
    assert made.journey.video == str(tmp_path / "wide.mp4")
    assert made.journey.frames(made.steps) == 4


@pytest.fixture
def painted(studio, visitor):
    """A visitor whose picture is done."""
    screens = list(paint(studio, {"prompt": "a fox", "steps": 6}, visitor, say=ENGLISH))
    session = next(screen.session for screen in screens if screen.session)
    return BrowserSession.from_browser(session, None)


class Served:
    """What a download button is to the one who fills it."""

    def __init__(self, folder):
        self.GRADIO_CACHE = str(folder)


def exported(studio, visitor, tmp_path, *wishes):
    return list(video_export._export(studio, visitor, wishes, ENGLISH, component=Served(tmp_path)))


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_visitor_gets_another_video_of_the_run(studio, painted, tmp_path, suffix):
    *meanwhile, (button, told) = exported(studio, painted, tmp_path, suffix, 3, 0, 1, True, True, True)
    assert meanwhile
    assert "frame 1 of" in meanwhile[0][1]
    assert ENGLISH("Done") in told
    path = Path(button["value"])
    assert path.name.startswith("a-fox-")
    assert path.suffix == suffix
    if suffix == ".mp4":
        count, rate = read_timing(path)
        assert count / rate == pytest.approx(3, abs=0.06)


def test_a_video_has_as_many_pictures_a_second_as_wanted_or_is_as_long_but_not_both(
    studio, painted, tmp_path
):
    *_, (button, _) = exported(studio, painted, tmp_path, ".mp4", 0, 30, 1, False, False, False)
    assert read_timing(Path(button["value"]))[1] == 30
    with pytest.raises(VideoError, match="not both"):
        exported(studio, painted, tmp_path, ".mp4", 3, 30, 1, False, False, False)


def test_who_has_painted_nothing_is_told_so(studio, visitor, tmp_path):
    with pytest.raises(VideoError, match="paint something first"):
        exported(studio, visitor, tmp_path, ".mp4", 0, 0, 1, False, False, False)

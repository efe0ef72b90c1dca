"""A video as a region that moves: checked and shown on the page, painted, and back with its recipe."""

import re

import pytest

from pixgen.errors import VideoError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.runs.inputs import KEPT_PATH
from pixgen.studio.video.ffmpeg import run
from pixgen.studio.video.source import read_opening
from pixgen.ui.create.form import form_fields
from pixgen.ui.create.form_recipe import BaseRecipe
from pixgen.ui.create.panels.moving_region import kept_html, opening_html
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.info.tab import form_values
from tests.ui.create.test_actions import painted, session_after


def video(path, *, seconds=2, options=()):
    """A white square of 16 pixels that goes to the right over black."""
    black = f"color=black:s=64x48:r=12:d={seconds}"
    moving = (
        f"{black}[ground];color=white:s=16x16:r=12:d={seconds}[square];[ground][square]overlay=x=16*t:y=16"
    )
    run(("-f", "lavfi", "-i", moving, *options, str(path)), path=path)
    return path


def test_the_opening_of_a_video_is_its_first_frame_size_and_length(tmp_path):
    opening = read_opening(video(tmp_path / "walk.mp4"), longest=60)
    assert (opening.width, opening.height) == (64, 48)
    assert opening.seconds == pytest.approx(2, abs=0.1)
    assert opening.frame.getpixel((8, 24))[0] > 200
    assert opening.frame.getpixel((40, 24))[0] < 50
    shown = opening_html(opening, "walk.mp4", 2, ENGLISH)
    assert '<img src="data:image/jpeg;base64,' in shown
    assert "First frame of walk.mp4: 64 × 48, 2 s, for prompt 2" in shown


def test_a_video_that_says_no_length_is_measured(tmp_path):
    path = video(tmp_path / "walk.mkv", options=("-f", "matroska", "-live", "1"))
    assert read_opening(path, longest=60).seconds == pytest.approx(2, abs=1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "“walk.mp4” is not a video that can be read"),
        (b"words, not frames", "“walk.mp4” is not a video that can be read"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(40), "walk.mp4"),
        (None, "“walk.mp4” is too long: at most 1 minutes."),
    ],
)
def test_a_video_that_cannot_be_a_region_says_why(tmp_path, data, said):
    path = tmp_path / "walk.mp4"
    if data is None:
        video(path, seconds=62, options=("-r", "1"))
    else:
        path.write_bytes(data)
    with pytest.raises(VideoError, match=re.escape(said)):
        read_opening(path, longest=60)


def test_it_is_in_the_recipe_and_back_when_that_is_read_again(make_studio, visitor, tmp_path):
    studio = make_studio()
    form = {"prompt": "a fox | a lake", "size": "64x48", "steps": 1, "preset": "draft"}
    path = video(tmp_path / "walk.mp4")
    after = session_after(painted(studio, visitor, **form, region_video=str(path), region_prompt=2))
    recipe = after.run(studio).recipe
    (fox, lake), *_ = recipe.prompts
    assert fox.mask == ""
    assert KEPT_PATH.fullmatch(lake.mask)
    path.unlink()  # the run has a copy
    basis = BaseRecipe(recipe, form_values(recipe, form_fields(studio.policy)), "fox.png")
    assert "First frame of fox.png: 64 × 48, 2 s, for prompt 2" in kept_html(studio, basis, ENGLISH)
    again = session_after(painted(studio, visitor, **basis.shown, basis=basis.to_json()))
    assert again.run(studio).recipe == recipe


def test_settings_whose_video_is_gone_say_so(studio):
    prompts = [[{"text": "a fox", "mask": f"inputs/{'b' * 64}/video.mp4"}, {"text": "snow"}]]
    basis = BaseRecipe(make_recipe({"prompts": prompts}), {}, "fox.png")
    assert "Prompt 1 of fox.png has a moving region." in kept_html(studio, basis, ENGLISH)
    assert kept_html(studio, None, ENGLISH) == ""

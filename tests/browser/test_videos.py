"""Films in a real browser."""

import subprocess

import imageio_ffmpeg
import pytest

from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import unfold
from tests.browser.test_create import paint, state, write

pytestmark = pytest.mark.browser


def test_a_story_is_painted_and_its_video_is_as_long_as_wanted(visit, tmp_path):
    say, page = ENGLISH, visit()
    write(page, "a red fox ^ an owl", steps=8)
    unfold(page, say("Story and camera"))
    fade = page.get_by_label(f"number input for {say('Transition length')}")
    fade.fill("1")
    fade.press("Tab")
    paint(page)
    state(page, "done")
    page.wait_for_function(
        "document.querySelector('#pg-canvas video')?.readyState >= 2"
    )  # it plays on the page
    unfold(page, say("Export video"))
    seconds = page.get_by_label(f"number input for {say('Length in seconds (0: automatic)')}")
    seconds.fill("3")
    seconds.press("Tab")
    page.get_by_label(say("Captions")).check()
    page.get_by_label(say("Seamless loop")).check()
    page.locator("#pg-export-go").click()
    page.locator("#pg-exported").wait_for()
    with page.expect_download() as download:
        page.locator("#pg-exported").click()
    assert download.value.suggested_filename == "a-red-fox-7.mp4"
    film = tmp_path / "story.mp4"
    download.value.save_as(film)
    count, rate = read_timing(film)
    assert count / rate == pytest.approx(3, abs=0.06)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(film)]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert "Video: h264" in said
    assert "yuv420p" in said
    assert read_metadata(film).story.fade == 1


def test_a_story_of_cards_is_moved_and_painted_in_its_order(visit):
    say, page = ENGLISH, visit()
    write(page, "something else", steps=8)
    unfold(page, say("Story and camera"))
    cards = page.locator(".pg-scenes li")
    cards.nth(0).locator("textarea").fill("an owl")
    cards.nth(1).locator("textarea").fill("a red fox")
    cards.nth(0).locator("input").fill("0.2")
    cards.nth(1).locator("input").fill("0.3")
    page.locator(".pg-scenes small", has_text="10 steps").wait_for()
    cards.nth(1).get_by_role("button", name=say("Earlier")).click()
    assert cards.nth(0).locator("textarea").input_value() == "a red fox"
    cards.nth(1).locator(".pg-drag").drag_to(cards.nth(0), target_position={"x": 20, "y": 4})
    assert cards.nth(0).locator("textarea").input_value() == "an owl"
    assert page.locator(".pg-scenes-note").is_visible()  # the prompt is replaced, and the page says so
    paint(page)
    state(page, "done")
    page.locator("#pg-status", has_text="step 10 of 10").wait_for()
    page.locator("#pg-canvas video[aria-label^='an owl ^ a red fox']").wait_for()
    page.reload()
    page.locator("html[data-ready]").wait_for()
    assert cards.nth(1).locator("textarea").input_value() == "a red fox"
    page.locator("[data-clear-scenes]").click()
    assert not page.locator(".pg-scenes-note").is_visible()

"""Films in a real browser."""

import base64
import json
import subprocess
from dataclasses import astuple

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from pixgen.recipe.journey import Motion
from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.synthesis.motion import move
from pixgen.synthesis.tensors import to_tensor
from pixgen.ui.canvas import png
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


def test_the_preview_of_a_journey_moves_as_the_camera_will(visit):
    page = visit()
    page.emulate_media(reduced_motion="reduce")  # all moves at once
    unfold(page, ENGLISH("Story and camera"))
    page.locator(".pg-journey-preview").scroll_into_view_if_needed()
    spot = np.zeros((128, 192, 3), np.uint8)  # as large as the preview
    spot[72:80, 112:120] = 255
    for motion in (
        Motion(1.2, 0.1, 0.05, 20),
        Motion(0.9, -0.1, 0, -30),
        Motion(1, 0, 0, 0, tilt=5),
        Motion(1, 0, 0, 0, pan=5),
        Motion(1, 0, 0, 0, dolly=0.2),
    ):
        page.evaluate(
            """async ([data, moves]) => {
                document.getElementById("pg-canvas").innerHTML = `<div class="pg-frame"><img src="data:image/png;base64,${data}"></div>`;
                await document.querySelector("#pg-canvas img").decode();
                document.getElementById("pg-curves").innerHTML = `<span data-moves="${moves}"></span>`;
                document.querySelector(".pg-journey-preview").width = 192;  // empties it
            }""",
            [base64.b64encode(png(spot)).decode(), json.dumps([astuple(motion)])],
        )
        red = page.wait_for_function(
            """() => {
                const pen = document.querySelector(".pg-journey-preview").getContext("2d");
                const red = [...pen.getImageData(0, 0, 192, 128).data].filter((_, index) => index % 4 === 0);
                return red.some(Boolean) && red;
            }"""
        ).json_value()
        seen = np.array(red).reshape(128, 192)
        painted = move(to_tensor(Image.fromarray(spot)), motion, border="edge")[0, 0].clamp(0, 1).numpy()
        assert middle(seen) == pytest.approx(middle(painted), abs=1.5), motion


def middle(picture):
    """The centre of a picture's light, (x, y)."""
    y, x = np.indices(picture.shape)
    return ((x * picture).sum() / picture.sum(), (y * picture).sum() / picture.sum())

"""Regions and a start that are drawn on the page, in a real browser."""

import time

import pytest
from PIL import Image

from pixgen.images import LARGEST_UPLOAD
from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import unfold
from tests.browser.test_create import PICTURE, WORDS, holds, paint, state, write
from tests.browser.test_sketches import recipes
from tests.ui.create.test_moving_region import video

pytestmark = pytest.mark.browser

PAD = "#pg-pad canvas"


def begun(server, count):
    """Wait until this many runs are there."""
    deadline = time.monotonic() + 90
    while len(recipes(server)) < count:
        assert time.monotonic() < deadline, f"{len(recipes(server))} runs instead of {count}"
        time.sleep(0.1)


def drag(page, *points):
    """Brush along points, parts of the pad's width and height."""
    page.locator(PAD).scroll_into_view_if_needed()
    box = page.locator(PAD).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def test_a_region_is_brushed_for_the_second_prompt_and_kept_for_the_next_picture(visit, server):
    page = visit()
    write(page, "a red fox | a blue lake", steps=1)
    page.locator("#pg-regions").click()
    page.get_by_text(
        ENGLISH(
            "Choose a prompt, brush over the area where it applies, then press Generate. A prompt without an area applies everywhere."
        )
    ).wait_for()
    page.locator("#pg-pad [data-brush=large]").click()
    page.locator("#pg-pad [data-layer='2']").click()
    drag(page, (0.75, 0.2), (0.75, 0.8))
    before = len(recipes(server))
    for more in (1, 2):
        page.reload()
        page.locator("#pg-regions[data-kept='1']").wait_for(state="attached")
        paint(page)
        page.locator("#pg-pad").wait_for(state="hidden")
        begun(server, before + more)  # until then, the picture before it is still there, finished
        page.locator(f"{PICTURE}[alt*='finished after 1 ']").wait_for()
        state(page, "done")
    for recipe in recipes(server)[-2:]:
        (fox, lake), *_ = recipe["prompts"]
        assert "mask" not in fox
        masks = list(server.runs.glob(f"*/{lake['mask']}"))
        with Image.open(masks[0]) as mask:
            grey, (width, height) = mask.convert("L"), mask.size
            assert grey.getpixel((round(0.75 * width), height // 2)) == 255
            assert grey.getpixel((round(0.25 * width), height // 2)) == 0


def test_a_video_is_a_region_that_moves_and_stays_after_a_reload(visit, server, tmp_path):
    say, page = ENGLISH, visit()
    write(page, "a red fox | a blue lake", steps=1)
    upload = page.locator("#pg-region-video input[type=file]")
    opening, error = page.locator(".pg-opening"), page.locator(".pg-upload-error:visible")
    unfold(page, say("Moving region"))
    (tmp_path / "broken.mp4").write_bytes(b"words, not frames")
    upload.set_input_files(tmp_path / "broken.mp4")
    error.get_by_text("“broken.mp4” is not a video that can be read").wait_for()
    with (tmp_path / "large.mp4").open("wb") as large:
        large.truncate(LARGEST_UPLOAD + 1)
    upload.set_input_files(tmp_path / "large.mp4")
    error.get_by_text("“large.mp4” is too large: at most 256 MB.").wait_for()
    upload.set_input_files(video(tmp_path / "walk.mp4"))
    opening.get_by_text("First frame of walk.mp4: 64 × 48, 2 s, for prompt 1").wait_for()
    assert error.count() == 0
    page.get_by_label(say("For which prompt")).click()
    page.get_by_role("option", name=say("Prompt {number}", number=2)).click()
    opening.get_by_text("for prompt 2").wait_for()
    page.reload()
    page.locator("html[data-ready]").wait_for()
    unfold(page, say("Moving region"))
    opening.get_by_text("for prompt 2").wait_for()
    before = len(recipes(server))
    paint(page)
    begun(server, before + 1)
    state(page, "done")
    (fox, lake), *_ = recipes(server)[-1]["prompts"]
    assert "mask" not in fox
    (kept,) = server.runs.glob(f"*/{lake['mask']}")
    assert kept.read_bytes() == (tmp_path / "walk.mp4").read_bytes()


def test_a_start_is_drawn(visit, server):
    page = visit()
    write(page, "a red fox", steps=1)
    page.locator("#pg-draw").click()
    page.locator("#pg-pad [data-ink]").nth(3).click()
    page.locator("#pg-pad [data-brush=large]").click()
    drag(page, (0.2, 0.5), (0.8, 0.5))
    drag(page, (0.2, 0.9), (0.8, 0.9))
    page.locator("#pg-pad [data-do=undo]").click()
    page.reload()
    page.locator("#pg-draw[data-kept]").wait_for(state="attached")
    holds(page, WORDS, "a red fox")
    paint(page)
    state(page, "done")
    start = recipes(server)[-1]["init"]
    assert start["kind"] == "picture"
    (drawing, *_) = server.runs.glob(f"*/{start['picture']}")
    with Image.open(drawing) as picture:
        width, height = picture.size
        red, white = (
            picture.convert("RGB").getpixel((width // 2, round(part * height))) for part in (0.5, 0.9)
        )
    assert (red, white) == ((212, 61, 47), (255, 255, 255))

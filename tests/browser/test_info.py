"""A picture's settings used again, styles, the help below the prompt, and Turkish, in a real browser."""

import json

import numpy as np
import pytest
from PIL import Image

from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.ui.i18n import ENGLISH, TURKISH
from tests.browser.conftest import open_tab, unfold
from tests.browser.test_create import PICTURE, WORDS, holds, paint, state, write

pytestmark = pytest.mark.browser


def downloaded(page, path):
    """Save the picture that is on the page; its pixels."""
    with page.expect_download() as download:
        page.locator("#pg-picture:enabled").click()
    download.value.save_as(path)
    with Image.open(path) as picture:
        return np.asarray(picture)


def drop(page, path):
    """Open the Picture info tab and drop a file there."""
    open_tab(page, ENGLISH("Picture info"))
    page.locator("#pg-info-file input[type=file]").set_input_files(path)


def test_a_dropped_picture_is_painted_again_pixel_by_pixel(visit, tmp_path):
    page = visit()
    unfold(page, ENGLISH("Negative prompt"))
    page.get_by_label(ENGLISH("Negative prompt")).fill("text")
    unfold(page, ENGLISH("Style"))
    page.locator("#pg-styles [data-style=watercolour]").click()
    page.locator("#pg-styles [data-style=watercolour][aria-pressed=true]").wait_for()
    write(page, "a red fox", steps=3, seed="11")
    paint(page)
    state(page, "done")
    first = downloaded(page, tmp_path / "fox.png")
    recipe = read_metadata(tmp_path / "fox.png")
    assert recipe.prompt == "watercolour of a red fox | text :-1 :-0.9"
    again = visit()  # somebody else
    drop(again, tmp_path / "fox.png")
    again.locator(".pg-info", has_text="watercolour of a red fox").wait_for()
    again.locator("#pg-info-use").click()
    holds(again, WORDS, "watercolour of a red fox")
    again.locator("#pg-basis", has_text="fox.png").wait_for()
    again.reload()  # which forgets nothing
    holds(again, WORDS, "watercolour of a red fox")
    again.locator("#pg-basis", has_text="fox.png").wait_for()
    paint(again)
    state(again, "done")
    assert (downloaded(again, tmp_path / "again.png") == first).all()
    assert read_metadata(tmp_path / "again.png") == recipe


def test_a_file_without_a_recipe_is_one_sentence(visit, tmp_path):
    page = visit()
    (tmp_path / "broken.json").write_text(json.dumps({"prompts": "a fox"})[:-1])
    drop(page, tmp_path / "broken.json")
    page.locator("[role=alert]", has_text="its JSON is invalid at line 1").wait_for()
    assert not page.locator("#pg-info-use").is_visible()


def test_the_help_below_the_prompt_offers_words_that_are_known(visit):
    page = visit()
    page.locator(WORDS).fill("a red foxx")
    page.locator("#pg-help", has_text="5 of 38 tokens").wait_for()
    page.locator("#pg-help [data-by=fox]").click()
    holds(page, WORDS, "a red fox")
    page.keyboard.press("Tab")
    page.locator("#pg-help", has_text="3 of 38 tokens").wait_for()


def test_a_turkish_browser_is_shown_turkish_and_can_be_shown_english(visit):
    page = visit(locale="tr-TR")
    assert page.get_by_text(TURKISH("Describe a picture and watch it grow.")).is_visible()
    assert page.evaluate("document.documentElement.lang") == "tr"
    write_in = page.locator(WORDS)
    write_in.fill("a red fox")
    page.locator("#pg-preset").get_by_text(TURKISH("Draft")).click()
    paint(page)
    page.locator(PICTURE).wait_for()
    page.keyboard.press("Escape")
    state(page, "stopped", "done")
    assert "a red fox" in page.locator(PICTURE).get_attribute("alt")
    page.get_by_role("link", name="English").click()
    page.get_by_text(ENGLISH("Shortcuts")).wait_for()
    holds(page, WORDS, "a red fox")
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    page.locator(
        ".pg-header li",
        has_text=ENGLISH("paint, classify or search"),
    ).wait_for()

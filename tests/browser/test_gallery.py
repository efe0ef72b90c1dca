"""The gallery in a real browser."""

import zipfile

import pytest

from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import open_tab, unfold
from tests.browser.test_create import PICTURE, paint, state, write
from tests.browser.test_side import run_of
from tests.studio.deaths import killed

pytestmark = pytest.mark.browser

OWN = ENGLISH


def open_gallery(page):
    open_tab(page, OWN("Gallery"))
    page.locator("#pg-grid li").first.wait_for()


def test_a_run_whose_process_was_killed_is_there_and_goes_on(visit, server):
    run = killed(server.runs, until=lambda folder: list(folder.glob(".progress.mp4.*.tmp")))
    page = visit()
    open_gallery(page)
    card = page.locator(f"#pg-grid li:has([data-run='{run}'])")
    card.get_by_text(
        {
            "": OWN("any"),
            "painting": OWN("painting"),
            "done": OWN("done"),
            "stopped": OWN("stopped"),
            "failed": OWN("failed"),
        }["stopped"]
    ).wait_for()
    card.locator("[data-run]").click()
    page.locator(f"[data-opened='{run}']").wait_for()
    page.locator("#pg-run-go-on").click()
    state(page, "painting")
    page.locator(f"{PICTURE}[alt*='a red fox, step ']").wait_for()


def test_a_painted_picture_is_kept_found_marked_deleted_and_taken_back(visit):
    page = visit()
    write(page, "a teal teapot")
    paint(page)
    state(page, "done")
    run_of(page, "a teal teapot").click()
    page.locator("#pg-facts polyline").first.wait_for()
    page.locator("#pg-run-tags input").fill("Breakfast")
    page.locator("#pg-run-tags input").press("Enter")
    page.wait_for_function("document.querySelector('#pg-run-tags input').value === 'breakfast'")
    page.locator("#pg-back").click()
    page.locator("#pg-gallery-query input").fill("breakfast")
    page.locator("#pg-gallery-query input").press("Enter")
    page.wait_for_function("document.querySelectorAll('#pg-grid li').length === 1")
    unfold(page, ENGLISH("Filters"))
    page.locator("#pg-gallery-until input").fill("2020-01-01")
    page.get_by_text(OWN("No matching pictures."), exact=True).wait_for()
    page.locator("#pg-gallery-until input").fill("")
    page.locator("#pg-grid [data-star]").click()
    page.locator("#pg-grid [data-run]").click()
    page.locator("#pg-run-favourite", has_text=OWN("Remove from favourites")).wait_for()
    page.locator("#pg-run-delete").click()
    page.get_by_text(OWN("No matching pictures."), exact=True).wait_for()
    page.locator("[data-undo]").click()
    page.locator("#pg-grid [aria-label^='a teal teapot']").wait_for()


def test_several_pictures_are_selected_compared_downloaded_and_deleted(visit, tmp_path):
    page = visit()
    for prompt in ("a red fox", "an owl"):
        write(page, prompt, steps=1)
        paint(page)
        page.locator(f"{PICTURE}[data-final][alt^='{prompt}']").wait_for()
        state(page, "done")
    open_tab(page, "Gallery")
    boxes = page.locator("#pg-grid [data-select]")
    boxes.nth(0).check(force=True)
    bar = page.locator("#pg-selection")
    assert bar.locator("[data-many=compare]").is_disabled()
    boxes.nth(1).check(force=True)
    bar.locator("[data-many=compare]").click()
    page.locator("#pg-compare-box[open] .pg-differences", has_text="a red fox").wait_for()
    page.keyboard.press("Escape")
    page.locator("#pg-compare-box[open]").wait_for(state="detached")
    with page.expect_download() as download:
        bar.locator("[data-many=zip]").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert sum(name.endswith(".png") for name in names) == 2
    count = page.locator("#pg-grid [data-run]").count()
    bar.locator("[data-many=delete]").click()
    page.locator(".pg-undo", has_text="2 pictures").wait_for()
    bar.wait_for(state="hidden")
    page.locator(".pg-undo button").click()
    page.wait_for_function(
        "count => document.querySelectorAll('#pg-grid [data-run]').length === count", arg=count
    )


def test_the_picture_of_an_opened_run_is_sent_to_every_tab(visit):
    page = visit()
    write(page, "a red fox", steps=1)
    paint(page)
    state(page, "done")
    open_tab(page, "Gallery")
    page.locator("#pg-grid [data-run]").first.click()
    page.locator("#pg-run-classify-it").click()
    page.locator("#pg-answers .pg-card").wait_for()
    open_tab(page, "Gallery")
    page.locator("#pg-run-search-it").click()
    page.locator("#pg-hits [data-hit]").first.wait_for()
    open_tab(page, "Gallery")
    page.locator("#pg-run-use-start").click()
    page.wait_for_function("document.documentElement.dataset.start === 'picture'")

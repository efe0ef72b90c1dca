"""A grid in a real browser, and a cell of it on Create."""

import pytest

from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import open_tab
from tests.browser.test_create import PICTURE, SEED, holds, paint, state, write

pytestmark = pytest.mark.browser

SAY = ENGLISH
CELL = "#pg-sheet [data-open-run]"


def test_a_grid_is_painted_a_cell_opens_on_create_and_two_are_compared(visit):
    page = visit()
    write(page, "a red fox", steps=8)  # long enough for a preview to be seen
    open_tab(page, SAY("Experiment"))
    page.locator("#pg-across-values input").fill("5, 6")
    page.locator("#pg-paint-grid").click()
    page.locator("#pg-grid-status [data-state=done]").wait_for()
    assert page.locator(CELL).count() == 2
    with page.expect_download() as download:
        page.locator("#pg-download-sheet").click()
    assert download.value.suggested_filename == "sheet.png"
    page.reload()
    open_tab(page, SAY("Experiment"))
    page.locator(CELL).nth(1).click()
    page.locator(f"{PICTURE}[alt='a red fox, finished after 8 steps']").wait_for()
    state(page, "done")
    holds(page, SEED, "6")
    page.locator("#pg-basis").wait_for()
    cell = page.locator(PICTURE).get_attribute("src")
    paint(page)
    page.locator(f"{PICTURE}[src^='data:image/jpeg']").wait_for()
    state(page, "done")
    assert page.locator(PICTURE).get_attribute("src") == cell  # the very PNG
    open_tab(page, SAY("Experiment"))
    page.get_by_text(
        {
            kind: said
            for said, kind in (
                (SAY("Grid: vary one or two settings"), "grid"),
                (SAY("Strip: from one idea to another"), "strip"),
                (SAY("Compare two pictures"), "compare"),
            )
        }["compare"]
    ).click()
    page.locator("#pg-compare").click()
    page.locator("#pg-pair figcaption", has_text=SAY("The recipes are the same.")).wait_for()
    page.locator("#pg-pair input").fill("80")
    at = "getComputedStyle(document.querySelector('#pg-pair figure')).getPropertyValue('--at')"
    assert page.evaluate(at) == "80%"

"""The side bar of pictures in a real browser."""

import pytest

from pixgen.ui.i18n import ENGLISH
from tests.browser.test_create import paint, state, write

pytestmark = pytest.mark.browser

OWN = ENGLISH
RUNS = "#pg-side-list [data-run]"
QUERY = "#pg-side-query input"


def run_of(page, prompt):
    """The newest run of a prompt in the side bar, once its picture is there."""
    run = page.locator(f"{RUNS}[title='{prompt}']:has(img)").first
    run.wait_for()
    return run


def test_a_picture_that_ends_is_shown_found_and_opened(visit):
    page = visit()
    write(page, "a teal kettle", steps=2)
    paint(page)
    state(page, "done")
    run_of(page, "a teal kettle")
    page.locator(QUERY).fill("no such words")
    page.locator("#pg-side-said", has_text=OWN("No matching pictures.")).wait_for()
    page.locator(QUERY).fill("teal kettle")
    page.locator("#pg-side-said", has_text=OWN("{count} found", count="1")).wait_for()
    page.locator(QUERY).press("Enter")
    page.locator("#pg-side-alike h3", has_text=OWN("Matches by content")).wait_for()
    page.get_by_role("tab", name=ENGLISH("Classify")).click()
    run_of(page, "a teal kettle").focus()
    page.keyboard.press("Enter")
    page.locator("#pg-facts h2", has_text="a teal kettle").wait_for()
    assert page.get_by_role("tab", name=OWN("Gallery")).get_attribute("aria-selected") == "true"
    page.locator("#pg-run-delete").click()
    page.locator("#pg-side-said", has_text=OWN("No matching pictures.")).wait_for()


def test_beside_the_page_it_is_open_until_it_is_closed_and_stays_so(visit):
    page = visit()
    side, toggle = page.locator("#pg-side"), page.locator("#pg-side-toggle")
    side.wait_for()
    assert side.bounding_box()["x"] >= page.locator(".pg-stage").bounding_box()["width"]
    page.locator("#pg-side-close").click()
    assert not side.is_visible()
    assert page.evaluate("document.activeElement.id") == "pg-side-toggle"
    page.reload()
    toggle.wait_for()
    page.locator("#pg-generate:enabled").wait_for()
    assert toggle.get_attribute("aria-expanded") == "false"
    page.locator("body").press("g")
    side.wait_for()
    assert toggle.get_attribute("aria-expanded") == "true"


def test_on_a_phone_it_is_closed_and_then_lies_over_the_page(visit):
    page = visit(width=390, height=844)
    side = page.locator("#pg-side")
    assert not side.is_visible()
    page.locator("#pg-side-toggle").click()
    side.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.activeElement.id") == "pg-side-close"
    for _ in range(3):  # what lies below cannot be reached
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.closest('#pg-side, body') !== null")
        assert page.evaluate("document.activeElement.closest('.tabs, .pg-header')") is None
    page.keyboard.press("Escape")
    assert not side.is_visible()
    page.locator("#pg-side-toggle").click()
    page.mouse.click(20, 400)
    assert not side.is_visible()

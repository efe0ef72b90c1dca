"""A connection to the server that is lost, or that is open and delivers nothing."""

import threading
import time

import pytest

from pixgen.ui.create.form import preset_values
from tests.browser.conftest import Relay, enter, unfold
from tests.browser.test_create import PICTURE, WORDS, paint, state, write

pytestmark = pytest.mark.browser


@pytest.fixture
def painting(server, chromium):
    """A page that watches a picture through a relay, and the relay; the page is marked until it is loaded again."""
    with Relay(server.url) as relay:
        context = chromium.new_context()
        context.set_default_timeout(90_000)
        page = context.new_page()
        enter(page, relay.url)
        write(page, "a lighthouse at night", steps=400)
        paint(page)
        page.locator(PICTURE).wait_for()
        page.evaluate("window.isOld = true")
        yield page, relay
        page.keyboard.press("Escape")
        state(page, "stopped")
        context.close()


def found_again(page):
    """Wait until the page has been loaded again and shows its picture."""
    page.wait_for_function("() => !window.isOld")
    page.locator(f"{PICTURE}[alt^='a lighthouse']").wait_for()
    state(page, "loading", "painting")


def test_a_page_that_has_lost_its_connection_finds_its_picture_again(painting):
    page, relay = painting
    relay.cut()
    found_again(page)


def test_a_frozen_connection_is_noticed_and_nothing_that_is_typed_is_lost(painting):
    page, relay = painting
    frozen = time.monotonic()
    relay.freeze(3)
    page.locator(WORDS).fill("an owl")
    page.get_by_text("Connection to the server was lost.").wait_for()
    assert time.monotonic() - frozen < 25
    page.locator(WORDS).press_sequentially(" in a tree")  # gradio saves nothing any more
    found_again(page)
    assert page.locator(WORDS).input_value().startswith("an owl in")


def test_what_is_chosen_while_the_connection_is_frozen_is_kept(painting):
    page, relay = painting
    freezing = threading.Thread(target=relay.freeze, args=(40,))
    freezing.start()
    page.get_by_text("Connection to the server was lost.").wait_for()
    page.locator("#pg-preset label", has_text="Best").click()
    page.locator("#pg-size input").click()
    page.get_by_role("option", name="192 × 128").click()
    unfold(page, "Models")
    page.locator("#pg-clip input").click()
    page.get_by_role("option", name="ViT-B-32/openai").click()
    freezing.join()
    found_again(page)
    assert page.locator("#pg-size input").input_value() == "192 × 128"
    assert page.get_by_label("Best", exact=True).is_checked()
    saved = page.evaluate("JSON.parse(localStorage['pixgen-form'])")
    assert saved["clip"] == ["pocket", "ViT-B-32/openai"]
    assert saved["steps"] == preset_values("best")["steps"]

"""What is told while somebody types, in a real browser."""

import pytest

from pixgen.ui.i18n import ENGLISH
from tests.browser.test_create import WORDS, holds

pytestmark = pytest.mark.browser


def tokens(page, count):
    """Wait until so many tokens are told."""
    said = ENGLISH("{tokens} of {places} tokens").split("{places}")[0].format(tokens=count)
    page.locator("#pg-help .pg-tokens", has_text=said).wait_for()


def load_words(page):
    """Wait until the words to complete a prompt with have come; they are asked for once."""
    page.locator(WORDS).focus()
    page.locator("#pg-words [data-words]").wait_for(state="attached")


def test_the_last_letters_are_read_however_long_an_answer_takes(visit):
    page, held = visit(), []
    load_words(page)
    page.route("**/run/predict*", lambda asked: held.append(asked))
    with page.expect_request("**/run/predict*"):
        page.locator(WORDS).press_sequentially("a red")
    page.locator(WORDS).press_sequentially(" fox in the snow")
    page.wait_for_timeout(600)
    assert len(held) == 1  # one question at a time
    held[0].continue_()
    page.unroute("**/run/predict*")
    tokens(page, 6)


def test_after_an_answer_that_never_comes_the_next_is_asked_for(visit):
    page = visit()
    load_words(page)
    page.route("**/run/predict*", lambda asked: asked.fulfill(status=500, json={"error": "lost"}))
    with page.expect_request("**/run/predict*"):
        page.locator(WORDS).fill("a red")
    page.unroute("**/run/predict*")
    page.locator(WORDS).press_sequentially(" fox")
    tokens(page, 3)


def test_what_is_pasted_or_deleted_outlasts_a_reload_without_a_pause(visit):
    page = visit()
    page.locator(WORDS).fill("a red fox in the snow")  # as a paste does
    page.reload()
    holds(page, WORDS, "a red fox in the snow")
    page.locator("#pg-generate:enabled").wait_for()
    for _ in range(len(" in the snow")):
        page.locator(WORDS).press("Backspace")
    page.reload()
    holds(page, WORDS, "a red fox")


def test_what_fills_in_the_words_and_the_size_is_told_too(visit):
    page = visit()
    page.locator("[data-wall]").first.click()
    page.locator("#pg-help .pg-tokens").wait_for()
    memory = page.locator(".pg-memory span")
    before = memory.text_content()
    page.locator("#pg-preset").get_by_text("Best").click()
    page.wait_for_function(
        "before => document.querySelector('.pg-memory span').textContent !== before", arg=before
    )

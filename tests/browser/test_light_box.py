"""The light box, links to a picture's settings, the browser's history, and what a hidden tab says."""

import re

import pytest

from pixgen.recipe.recipe import make_recipe
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.links import pack_recipe
from tests.browser.conftest import enter, open_tab
from tests.browser.test_create import PICTURE, SEED, WORDS, holds, paint, state, write

pytestmark = pytest.mark.browser

BOX = "#pg-lightbox[open]"


def finish(page, prompt, *, seed="7"):
    """Paint a short run to its end."""
    write(page, prompt, steps=1, seed=seed)
    paint(page)
    page.locator(f"{PICTURE}[data-final][alt^='{prompt}']").wait_for()
    state(page, "done")


def test_the_arrows_go_through_the_pictures_of_a_visit_and_escape_closes_the_light_box_alone(visit):
    page = visit()
    finish(page, "a red fox")
    finish(page, "a blue whale")
    page.locator(PICTURE).click()
    box = page.locator(BOX)
    box.get_by_text("a blue whale, finished").wait_for()
    assert box.get_by_text("2 / 2").is_visible()
    page.keyboard.press("ArrowLeft")
    box.get_by_text("a red fox, finished").wait_for()
    page.keyboard.press("Escape")
    box.wait_for(state="detached")
    assert page.locator("#pg-status [data-state=done]").count() == 1
    write(page, "an owl", steps=400)
    paint(page)
    page.locator(f"{PICTURE}:not([data-final])[alt^='an owl']").wait_for()
    page.locator(PICTURE).click()  # a running picture does not open
    assert page.locator(BOX).count() == 0


def test_escape_in_the_light_box_stops_no_picture(visit):
    page = visit()
    finish(page, "a red fox")
    page.locator(PICTURE).focus()
    page.keyboard.press("Enter")
    page.locator(BOX).wait_for()
    page.evaluate("document.getElementById('pg-generate').click()")
    page.locator("#pg-status [data-state=painting], #pg-status [data-state=loading]").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(BOX).wait_for(state="detached")
    state(page, "done")


def test_the_arrows_go_through_the_gallery_page_of_an_opened_run(visit):
    page = visit()
    finish(page, "a red fox")
    finish(page, "a blue whale")
    open_tab(page, "Gallery")
    page.locator("#pg-grid [data-run]").first.click()
    page.locator("#pg-opened-picture img[data-final]").click()
    page.locator(BOX).get_by_text("a blue whale, finished").wait_for()
    page.keyboard.press("ArrowRight")
    page.locator(f"{BOX} img[data-final][alt^='a red fox']").wait_for()
    page.keyboard.press("Escape")
    page.locator(BOX).wait_for(state="detached")
    assert page.locator("#pg-opened-picture").is_visible()  # the run is still open


def test_a_link_brings_back_the_settings_of_a_picture(visit, server):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    finish(page, "a red fox | snow :0.5", seed="31")
    page.locator("#pg-copy-link").click()
    page.locator("#pg-copy-link", has_text=ENGLISH("Copied")).wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"\?run=[\w-]+$", link)
    other = visit(locale="tr-TR")
    enter(other, link)
    holds(other, WORDS, "a red fox | snow :0.5")
    holds(other, SEED, "31")
    assert "run=" not in other.url  # a reload does not fill it in again
    other.wait_for_function("!document.querySelector('.pg-create').inert")


def test_a_link_holds_a_recipe_and_a_broken_one_says_so(visit, server):
    page = visit()
    recipe = make_recipe({"prompts": "a cat in a hat", "seed": 12, "steps": 3})
    enter(page, f"{server.url}/?recipe={pack_recipe(recipe)}")
    holds(page, WORDS, "a cat in a hat")
    enter(page, f"{server.url}/?recipe=abc")
    page.get_by_test_id("toast-body").get_by_text("copy the whole address again").wait_for()
    holds(page, WORDS, "a cat in a hat")
    page.wait_for_function("!document.querySelector('.pg-create').inert")


def test_back_goes_to_the_tab_and_the_run_that_were_open_before(visit):
    page = visit()
    finish(page, "a red fox")
    open_tab(page, "Gallery")
    page.wait_for_url("**#gallery")
    page.locator("#pg-grid [data-run]").first.click()
    page.wait_for_url("**#gallery/*")
    opened = page.url
    open_tab(page, "Search")
    page.wait_for_url("**#search")
    page.go_back()
    page.locator("#pg-opened-picture").wait_for()
    assert page.url == opened
    page.go_back()
    page.locator("#pg-grid").wait_for()
    page.go_back()
    page.locator("#pg-generate").wait_for()
    page.go_forward()
    page.go_forward()
    page.locator("#pg-opened-picture").wait_for()
    page.reload()  # an address with a place leads there
    page.locator("#pg-opened-picture img").wait_for()


HIDDEN = "(hidden) => { Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }"
COUNTED = """() => {
    window.notified = [];
    window.Notification = class extends EventTarget {
        constructor(title, more) { super(); window.notified.push([title, more.body]); }
        static permission = "default";
        static async requestPermission() { return (Notification.permission = "granted"); }
    };
}"""


def test_a_hidden_tab_says_that_its_picture_is_done(visit, server):
    page = visit()
    page.add_init_script(f"({COUNTED})()")
    enter(page, server.url)
    write(page, "a red fox", steps=60)
    paint(page)
    page.locator("#pg-notify").click()
    page.locator("#pg-notify[aria-pressed=true]").wait_for()
    page.evaluate(HIDDEN, True)
    page.wait_for_function("document.title.startsWith('✓')")
    page.wait_for_function("window.notified.length === 1")
    assert page.evaluate("window.notified[0][0]") == ENGLISH("Your picture is done")
    page.evaluate(HIDDEN, False)
    assert page.title() == "pixgen"

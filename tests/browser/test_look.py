"""Every screen, either colour scheme, and no mouse."""

import pytest

from pixgen.recipe.presets import available_presets
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.status import status_line
from tests.browser.conftest import unfold
from tests.browser.test_create import paint, state, write

pytestmark = pytest.mark.browser


def test_a_phone_scrolls_in_one_direction_only(visit):
    page = visit(width=390, height=844)
    for title in ("Start and picture prompts", "Optimisation"):
        unfold(page, ENGLISH(title))
    unfold(page, ENGLISH("Negative prompt"))
    page.get_by_text(ENGLISH("Prompt tips"), exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    words, picture, settings = (
        page.locator(part).bounding_box()["y"] for part in (".pg-words", ".pg-stage", ".pg-settings")
    )
    assert words < picture < settings


def test_a_phone_shows_every_tab(visit):
    page = visit(width=390, height=844)
    for name in (
        ENGLISH("Create"),
        ENGLISH("Gallery"),
        ENGLISH("Classify"),
        ENGLISH("Search"),
        ENGLISH("Experiment"),
        ENGLISH("Picture info"),
    ):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_what_is_below_the_stage_is_scrolled_to_and_never_beside_it(visit):
    page = visit(width=1440, height=500)
    write(page, "a red fox", steps=1)
    paint(page)
    state(page, "done")
    for title in ("Export video", "See what CLIP sees"):
        unfold(page, ENGLISH(title))
    stage, last = page.locator(".pg-create > .pg-stage").first, page.locator("#pg-see .pg-note")
    last.scroll_into_view_if_needed()
    around, inside = stage.bounding_box(), last.bounding_box()
    assert around["x"] <= inside["x"]
    assert inside["x"] + inside["width"] <= around["x"] + around["width"]
    assert inside["y"] < 500


def test_the_arrow_keys_go_through_the_presets(visit):
    page = visit()
    page.locator("#pg-preset input:checked").focus()
    page.keyboard.press("ArrowLeft")
    page.locator("#pg-preset-about", has_text=available_presets()["draft"].about).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_on_their_ground(visit, scheme):
    page = visit(scheme=scheme)
    contrast = page.evaluate(
        """() => {
            const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
                .map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const ground = (part) => {
                const colour = getComputedStyle(part).backgroundColor;
                return /, 0\\)|transparent/.test(colour) && part.parentElement ? ground(part.parentElement) : colour;
            };
            const parts = [".pg-header p", "#pg-prompt span", "#pg-generate", "#pg-preset label span",
                ".pg-invitation p", ".pg-unfold", ".tab-container .selected"];
            return parts.map((name) => {
                const part = [...document.querySelectorAll(name)].find((each) => each.offsetParent);
                const [a, b] = [light(getComputedStyle(part).color), light(ground(part))].sort((x, y) => y - x);
                return [name, (a + 0.05) / (b + 0.05)];
            });
        }"""
    )
    assert [each for each in contrast if each[1] < 4.5] == []


def test_everything_is_reached_by_the_keyboard_and_shows_where_it_is(visit):
    page = visit()
    unfold(page, ENGLISH("Negative prompt"))
    unfold(page, ENGLISH("Advanced"))
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('#pg-prompt textarea')")
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # the end of the page
        reached.add(page.evaluate("document.activeElement.closest('[id]')?.id"))
        style = "getComputedStyle(document.activeElement)"
        shown = page.evaluate(f"{style}.outlineStyle !== 'none' || {style}.boxShadow !== 'none'")
        assert shown, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    assert {"pg-generate", "pg-seed-new", "pg-seed-reuse", "pg-leave-out"} <= reached


def test_the_keys_are_listed(visit):
    page = visit()
    page.get_by_text(ENGLISH("Shortcuts")).click()
    for _, does in (
        ("Ctrl Enter", ENGLISH("paint, classify or search")),
        ("Esc", ENGLISH("stop, and keep the picture")),
        ("/", ENGLISH("go to the prompt")),
        ("G", ENGLISH("show or hide your pictures")),
        ("?", ENGLISH("show this list")),
    ):
        assert page.locator(".pg-header li", has_text=does).is_visible()


def test_a_bar_that_knows_how_far_it_is_stands_still(visit):
    """One of a download grows from its left edge; only where nothing is known it goes to and fro."""
    page = visit()
    moving = page.evaluate(
        """(bars) => bars.map((bar) => {
            const status = document.querySelector(".pg-status");
            status.dataset.state = "loading";
            status.innerHTML = bar;
            return getComputedStyle(status.querySelector("i")).animationName;
        })""",
        [status_line("Fetching", progress=(19, 43), say=ENGLISH), status_line("Loading")],
    )
    assert moving == ["none", "pg-to-and-fro"]


def test_a_phones_page_stays_still_while_it_loads(visit):
    page = visit(width=390, height=844)
    shift = page.evaluate(
        """() => new Promise((done) => {
            let shift = 0;
            new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => { shift += value; })).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => done(shift), 500);
        })"""
    )
    assert shift <= 0.05

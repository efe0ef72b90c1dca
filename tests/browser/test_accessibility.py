"""What axe finds on the page, with a result in every tab."""

import pytest

from pixgen.ui.i18n import ENGLISH as SAY
from tests.browser.conftest import open_tab
from tests.browser.test_create import PICTURE, paint, state, write

pytestmark = pytest.mark.browser


# Waits until no colour changes any more.
ANIMATED = """async () => {
    const ends = (each) => each.effect.getTiming().iterations !== Infinity;
    await Promise.allSettled(document.getAnimations().filter(ends).map(({ finished }) => finished));
}"""


def choose_kind(page, said):
    """Choose a type of experiment."""
    page.locator("#pg-kind").get_by_text(said).click()


@pytest.mark.parametrize(
    ("size", "scheme"),
    [((1440, 900), "light"), ((390, 844), "dark")],
    ids=["wide and light", "phone and dark"],
)
def test_no_result_violates_the_rules_of_accessibility(visit, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(width=size[0], height=size[1], scheme=scheme)
    violations = {}

    def check(name):
        page.evaluate(ANIMATED)
        found = axe.run(page, context={"exclude": [".toast-wrap"]}).response["violations"]  # gradio's own
        assert page.evaluate("document.documentElement.scrollWidth") == size[0], name
        violations[name] = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]

    write(page, "a red fox", steps=1)
    paint(page)
    state(page, "done")
    page.locator(f"{PICTURE}[data-final]").click()
    page.locator("#pg-lightbox[open]").wait_for()
    check("light box")
    page.keyboard.press("Escape")
    check("a painted picture")
    write(page, "a red fox", steps=1)
    page.locator("#pg-seed input").fill("no number")
    paint(page)
    page.locator(".pg-field-seed[data-error]").wait_for()
    check("an error")
    page.locator("#pg-seed input").fill("7")

    open_tab(page, SAY("Classify"))
    page.locator("#pg-classify:enabled").wait_for()
    page.locator("[data-example]").first.click()
    page.locator("#pg-looking [data-state=done]").wait_for()
    check("a classification")
    page.locator("#pg-answers [data-label]").first.click()
    page.get_by_role("dialog").wait_for()
    check("why")
    page.keyboard.press("Escape")

    open_tab(page, SAY("Search"))
    page.locator("#pg-query :is(input, textarea)").fill("a fox")
    page.locator("#pg-find").click()
    page.locator("#pg-hits [data-hit]").first.wait_for()
    page.locator("#pg-find:enabled").wait_for()
    check("what was found")

    open_tab(page, SAY("Experiment"))
    page.locator("#pg-across-values input").fill("1-6")
    page.locator("#pg-paint-grid").click()
    page.locator("#pg-grid-status [data-state=done]").wait_for()
    page.locator("#pg-paint-grid:enabled").wait_for()
    check("a grid")
    choose_kind(page, SAY("Strip: from one idea to another"))
    page.get_by_placeholder("a red fox", exact=True).locator("visible=true").fill("a red fox")
    page.get_by_placeholder("a snowy owl", exact=True).locator("visible=true").fill("an owl")
    page.locator("#pg-paint-grid").click()
    page.locator("#pg-sheet", has_text="67%").wait_for()
    page.locator("#pg-grid-status [data-state=done]").wait_for()
    page.locator("#pg-paint-grid:enabled").wait_for()
    check("a strip")
    choose_kind(page, SAY("Compare two pictures"))
    page.locator("#pg-compare").click()
    page.locator("#pg-pair figcaption").first.wait_for()
    check("a comparison")

    open_tab(page, SAY("Gallery"))
    page.locator("#pg-grid li").first.wait_for()
    check("the gallery")
    page.locator("#pg-grid [data-run]").first.click()
    page.locator("#pg-opened-picture img[data-final]").wait_for()
    check("an opened run")
    assert {name: found for name, found in violations.items() if found} == {}

"""Classifying in a real browser, and the ways between the tabs."""

import csv
import zipfile
from pathlib import Path

import pytest

from pixgen.paths import ASSETS
from pixgen.ui.i18n import ENGLISH
from tests.browser import conftest

pytestmark = pytest.mark.browser

WORDS = ENGLISH
EXAMPLES = ASSETS / "examples"
CARD = "#pg-answers .pg-card"


@pytest.fixture
def classify(visit):
    """Opens the tab as a new person."""

    def open_tab(**kind):
        page = visit(**kind)
        conftest.open_tab(page, ENGLISH("Classify"))
        page.locator("#pg-classify:enabled").wait_for()
        return page

    return open_tab


def state(page, *names):
    """Wait until the tab is in one of these states."""
    page.locator(", ".join(f"#pg-looking [data-state={name}]" for name in names)).wait_for()


def upload(page, *paths):
    """Add pictures and wait until they are listed."""
    page.locator("#pg-pictures input[type=file]").set_input_files(list(paths))
    page.locator("#pg-pictures").get_by_text(Path(paths[-1]).stem).wait_for()


def test_an_example_is_one_click_and_its_answer_is_explained(classify):
    page = classify()
    page.locator("[data-example]").first.click()
    page.locator(CARD).wait_for()
    state(page, "done")
    assert page.locator(f"{CARD} > img").get_attribute("alt").startswith("automobile.png: ")
    assert page.locator(f"{CARD} [data-label]").count() == 5
    page.locator(f"{CARD} [data-label]").nth(1).click()
    panel = page.get_by_role("dialog")
    panel.wait_for()
    assert panel.locator("img").count() == 2
    page.wait_for_function("document.activeElement?.matches('#pg-heat [data-close]')")
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")


def test_pictures_are_uploaded_named_and_downloaded_as_a_table(classify, tmp_path):
    page = classify()
    page.locator("#pg-labels textarea").fill("dog\nfox, a <b>house</b>")
    upload(page, EXAMPLES / "dog.png", EXAMPLES / "fox.png", EXAMPLES / "house.png")
    page.keyboard.press("Control+Enter")
    page.locator(CARD).nth(2).wait_for()
    state(page, "done")
    assert page.locator("#pg-answers b b, #pg-answers button b").count() == 0
    names = page.locator("#pg-answers .pg-table td:first-child")
    assert names.all_inner_texts() == ["dog.png", "fox.png", "house.png"]
    head = page.locator("#pg-answers").get_by_role(
        "button",
        name=WORDS("Picture"),
    )
    head.click()
    head.click()
    assert names.all_inner_texts() == ["house.png", "fox.png", "dog.png"]
    with page.expect_download() as download:
        page.locator("#pg-csv").click()
    download.value.save_as(tmp_path / "table.csv")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == ["dog.png", "fox.png", "house.png"]


def test_a_zip_of_folders_is_checked(classify, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        for name in ("dog", "fox"):
            packed.write(EXAMPLES / f"{name}.png", f"{name}/1.png")
    page = classify()
    upload(page, tmp_path / "set.zip")
    page.locator("#pg-classify").click()
    page.locator(".pg-accuracy h2", has_text=" of 2 correct").wait_for()
    assert page.locator(".pg-confusion tbody tr").count() >= 2


def test_what_is_no_picture_is_said_and_nothing_is_lost(classify, tmp_path):
    (tmp_path / "not.png").write_bytes(b"words, not pixels")
    page = classify()
    page.locator("#pg-classify").click()
    page.locator(
        "#pg-looking [role=alert]", has_text=WORDS("There is no picture yet: add one first.")
    ).wait_for()
    upload(page, tmp_path / "not.png")
    page.locator("#pg-classify").click()
    page.locator(f"{CARD}.failed", has_text="is not a picture").wait_for()
    page.locator("#pg-labels textarea").fill("")
    page.locator("#pg-classify").click()
    page.locator("#pg-looking [role=alert]", has_text="There are no labels").wait_for()
    assert page.locator("#pg-classify").is_enabled()


def test_stop_ends_it_and_the_answers_before_stay(classify):
    page = classify()
    page.locator("[data-example]").first.click()
    page.locator(CARD).wait_for()
    state(page, "done")
    page.locator("#pg-labels textarea").fill(", ".join(f"thing number {n}" for n in range(2000)))
    page.locator("#pg-classify").click()
    page.locator("#pg-classify-stop:enabled").wait_for()
    page.keyboard.press("Escape")
    state(page, "stopped")
    assert page.locator("#pg-looking [role=alert]").inner_text() == WORDS("Stopped before the first picture.")
    assert page.locator("#pg-classify").is_enabled()
    assert page.locator(CARD).count() == 1


def test_a_painted_picture_is_classified_and_a_label_is_painted(classify):
    page = classify()
    page.get_by_role("tab", name=ENGLISH("Create")).click()
    page.locator("#pg-prompt textarea").fill("a red apple")
    page.locator("#pg-preset").get_by_text("Draft").click()
    conftest.unfold(page, ENGLISH("Optimisation"))
    page.get_by_label("number input for Steps", exact=True).fill("5")
    page.get_by_label("number input for Steps", exact=True).press("Tab")
    page.locator("#pg-generate").click()
    page.locator("#pg-status [data-state=done]").wait_for()
    page.locator("#pg-classify-this").click()
    page.locator(CARD).wait_for()
    paint = page.locator(f"{CARD} [data-paint]")
    label = paint.get_attribute("data-paint")
    paint.click()
    page.locator("#pg-generate").wait_for()
    page.wait_for_function(
        "label => document.querySelector('#pg-prompt textarea')?.value === label", arg=label
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_answers_without_scrolling_sideways(classify, scheme):
    page = classify(width=390, height=844, scheme=scheme)
    page.locator("[data-example]").first.click()
    page.locator(CARD).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_tab_is_reached_and_used_by_the_keyboard(classify):
    page = classify()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('#pg-labels textarea')")
    wanted, reached = {"pg-pictures", "pg-classify", "pg-answers"}, set()
    for _ in range(80):  # round the page, past the pictures of the side bar
        if reached == wanted:
            break
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # gradio lets go of the focus when a list closes; the next key goes on from there
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"{style}.outlineStyle !== 'none' || {style}.boxShadow !== 'none'")
        holds = "id => document.activeElement.closest(`#${id}`) !== null"
        reached |= {part for part in wanted if page.evaluate(holds, part)}
    assert reached == wanted

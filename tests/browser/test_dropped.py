"""Pictures that are pasted or dropped on the page, and words that complete the prompt."""

import base64

import pytest
from PIL import Image

from tests.browser.test_create import WORDS, holds, paint, state, write

pytestmark = pytest.mark.browser

GIVE = """([kind, data, name, type]) => {
    const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0)), carried = new DataTransfer();
    carried.items.add(new File([bytes], name, { type }));
    const event = kind === "paste" ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
    document.querySelector(".pg-stage").dispatchEvent(event);
}"""
WRONG_FILE = """() => {
    const input = document.querySelector("#pg-start-picture input[type=file]"), carried = new DataTransfer();
    carried.items.add(new File(["words"], "notes.txt", { type: "text/plain" }));
    input.files = carried.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
}"""
MENU = "#pg-drop[open]"


def give(page, path, kind="drop", mime="image/png"):
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(GIVE, [kind, data, path.name, mime])
    page.locator(MENU).wait_for()


@pytest.fixture
def red(tmp_path):
    Image.new("RGB", (64, 64), "tomato").save(tmp_path / "red.png")
    return tmp_path / "red.png"


def test_a_dropped_picture_becomes_the_start_and_a_pasted_one_a_prompt(visit, red):
    page = visit()
    write(page, "a red fox", steps=1)
    give(page, red)
    page.keyboard.press("Escape")
    page.locator(MENU).wait_for(state="detached")
    give(page, red)
    page.locator(f"{MENU} [data-act=start]").click()
    page.wait_for_function("document.documentElement.dataset.start === 'picture'")
    give(page, red, "paste")
    page.locator(f"{MENU} [data-act=prompt]").click()
    page.wait_for_function("document.querySelectorAll('.pg-more .file-preview').length === 2")
    paint(page)
    state(page, "done")
    assert page.locator("#pg-status").get_by_text("red.png").is_visible()


def test_a_dropped_picture_is_classified(visit, red):
    page = visit()
    give(page, red)
    page.locator(f"{MENU} [data-act=classify]").click()
    page.locator("#pg-answers .pg-card").wait_for()


def test_the_recipe_of_a_dropped_picture_is_read(visit, red, tmp_path):
    page = visit()
    (tmp_path / "recipe.json").write_text('{"version": 2, "prompts": "a cat in a hat"}')
    give(page, tmp_path / "recipe.json", mime="application/json")
    assert page.locator(f"{MENU} [data-act]:visible").count() == 1  # it is no picture to start from
    page.locator(f"{MENU} [data-act=info]").click()
    page.locator("#pg-info", has_text="a cat in a hat").wait_for()


def test_words_are_completed_and_enter_is_never_taken(visit):
    page = visit()
    page.locator(WORDS).click()
    page.locator("#pg-words [data-words]").wait_for(state="attached")
    page.keyboard.type("a bl")
    page.locator("#pg-completions [aria-selected=true]", has_text="blue").wait_for()
    page.keyboard.press("Tab")
    holds(page, WORDS, "a blue")
    page.keyboard.type(" eleph")
    page.locator("#pg-completions").wait_for()
    page.keyboard.press("Enter")
    holds(page, WORDS, "a blue eleph\n")
    page.keyboard.type("__an")
    page.keyboard.press("Tab")
    holds(page, WORDS, "a blue eleph\n__animal__")
    page.keyboard.type(" hou")
    page.keyboard.press("Escape")
    page.locator("#pg-completions").wait_for(state="hidden")
    assert page.locator(f"{WORDS}:focus").count() == 1
    page.keyboard.type("se sun")  # "sun" may be finished: Tab leaves the prompt
    page.locator("#pg-completions").wait_for()
    page.keyboard.press("Tab")
    holds(page, WORDS, "a blue eleph\n__animal__ house sun")
    assert page.locator(f"{WORDS}:focus").count() == 0


def test_a_file_of_another_kind_is_refused_in_the_words_of_the_page(visit):
    page = visit(locale="tr-TR")
    page.evaluate(WRONG_FILE)
    page.get_by_test_id("toast-text").get_by_text("notes.txt burada kullanılamaz").wait_for()
    assert page.locator(".toast-title").inner_text().strip() == "Hata"

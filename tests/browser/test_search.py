"""Finding pictures in a real browser, and what a program gets."""

import zipfile

import pytest

from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import open_tab, unfold
from tests.vision.conftest import draw

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]

SAY = ENGLISH
QUERY = "#pg-query :is(input, textarea)"
HIT = "#pg-hits [data-hit='{}']"


@pytest.fixture
def pictures(tmp_path):
    """Three drawings that nobody takes for each other."""
    return [
        draw(tmp_path / f"{colour}.png", colour, size=(64, 96), mark=place)
        for place, colour in enumerate(("red", "lime", "blue"))
    ]


@pytest.fixture
def searcher(visit):
    """Opens the page on its Search tab."""

    def opened(**kind):
        page = visit(**kind)
        open_tab(page, SAY("Search"))
        page.locator(QUERY).wait_for()
        return page

    return opened


def add(page, files):
    unfold(page, SAY("Search your own pictures"))
    page.locator("#pg-added input[type=file]").set_input_files(files)


def ready(page, count):
    page.locator(
        "#pg-finding",
        has_text=SAY.ngettext("{count} picture can be searched", "{count} pictures can be searched", count),
    ).wait_for()
    page.wait_for_function(
        "said => document.querySelector('#pg-place input').value === said",
        arg=SAY("your uploads"),
    )


def find(page, text):
    page.locator(QUERY).fill(text)
    page.locator(QUERY).press("Enter")
    page.locator("#pg-finding [data-state=done]", has_text="found").wait_for()
    page.locator("#pg-one article").wait_for()


@pytest.fixture
def shown(searcher, pictures):
    """A page that shows three pictures that were added."""
    page = searcher()
    add(page, pictures)
    ready(page, 3)
    find(page, "a red thing")
    return page


def test_added_pictures_are_found_and_chosen_by_hand_or_by_key(shown):
    page = shown
    assert page.locator("#pg-hits [data-hit]").count() == 3
    assert (
        page.locator("#pg-one [data-chosen='0'] img")
        .get_attribute("alt")
        .endswith(page.locator(HIT.format(0)).get_attribute("aria-label").partition(", ")[2])
    )
    page.locator(HIT.format(1)).click()
    page.locator("#pg-one [data-chosen='1']").wait_for()
    page.locator(HIT.format(2)).focus()
    page.keyboard.press("Enter")
    page.locator("#pg-one [data-chosen='2']").wait_for()
    assert page.locator(HIT.format(2)).get_attribute("aria-pressed") == "true"
    with page.expect_download() as download:
        page.locator("#pg-open").click()
    assert download.value.suggested_filename.endswith(".png")


def test_nothing_moves_when_another_is_chosen(shown):
    page = shown
    place = "JSON.stringify(document.querySelector('.pg-hits').getBoundingClientRect())"
    before = page.evaluate(place)
    page.locator(HIT.format(1)).click()
    page.locator("#pg-one [data-chosen='1']").wait_for()
    assert page.evaluate(place) == before


def test_more_like_one_leaves_it_out(shown):
    page = shown
    page.locator("#pg-like").click()
    page.locator("#pg-finding", has_text=SAY("{count} found", count=2)).wait_for()
    assert page.locator("#pg-hits [data-hit]").count() == 2


def test_a_zip_is_searched_too_and_what_is_no_picture_is_named(searcher, pictures, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in pictures:
            archive.write(path, f"deep/{path.name}")
        archive.writestr("words.png", b"no pixels")
    page = searcher()
    add(page, tmp_path / "set.zip")
    ready(page, 3)
    find(page, "anything")
    assert page.locator("#pg-hits [data-hit]").count() == 3


def test_looking_at_a_large_set_is_stopped_and_the_next_search_goes_on(searcher, tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(900):
            colour = f"rgb({number % 30 * 8}, {number // 30 * 8}, 99)"
            archive.write(draw(tmp_path / f"{number}.png", colour), f"{number}.png")
    page = searcher()
    add(page, tmp_path / "many.zip")
    page.locator("#pg-find-stop:enabled").wait_for()
    page.keyboard.press("Escape")
    page.locator("#pg-finding [data-state=done]", has_text=SAY("Stopped")).wait_for()
    find(page, "a blue thing")
    assert page.locator("#pg-place input").input_value() == SAY("your uploads")


def test_a_drawing_that_comes_along_finds_its_like_with_one_click(searcher):
    page = searcher()
    page.locator("#pg-hits [data-example]").nth(1).click()
    page.locator("#pg-finding [data-state=done]", has_text="found").wait_for()
    page.locator("#pg-hits [data-hit]").nth(9).wait_for()
    assert page.locator("#pg-place input").input_value() == SAY("bundled drawings")
    page.locator(".pg-search .pg-chip").first.click()
    page.locator("#pg-one [data-chosen='0']").wait_for()
    page.wait_for_function(
        "text => document.querySelector('#pg-query :is(input, textarea)').value === text",
        arg=("a fox", "night + 2:stars", "the sea - boat", "a red fruit")[0],
    )


def test_a_picture_finds_its_like(searcher, pictures):
    page = searcher()
    add(page, pictures)
    ready(page, 3)
    page.locator("#pg-like-picture input[type=file]").set_input_files(pictures[2])
    page.locator("#pg-like-picture .file-preview").wait_for()
    page.locator("#pg-find").click()
    page.locator("#pg-one article", has_text="blue.png").wait_for()
    assert page.locator(f"{HIT.format(0)} b").inner_text() == "1.00"


def test_a_search_that_is_refused_moves_nothing(shown):
    page = shown
    place = "JSON.stringify(document.querySelector('#pg-hits').getBoundingClientRect())"
    before = page.evaluate(place)
    page.locator(QUERY).fill("fox + ")
    page.locator(QUERY).press("Enter")
    page.locator("#pg-finding [role=alert]", has_text="A term of the search is missing").wait_for()
    assert page.locator("#pg-with-one").is_visible()
    assert page.evaluate(place) == before


def test_a_file_that_is_no_picture_is_refused_at_once(searcher, tmp_path):
    page = searcher()
    (tmp_path / "not.png").write_bytes(b"words, not pixels")
    page.locator("#pg-like-picture input[type=file]").set_input_files(tmp_path / "not.png")
    page.get_by_test_id("toast-body").get_by_text("is not a picture").wait_for()
    add(page, tmp_path / "not.png")
    page.locator(
        "#pg-finding [role=alert]",
        has_text=SAY("None of these files is a picture that can be read: choose others."),
    ).wait_for()


def test_what_is_not_allowed_is_said_and_what_was_found_stays(shown):
    page = shown
    page.locator(QUERY).fill("fox + ")
    page.locator(QUERY).press("Enter")
    page.locator("#pg-finding [role=alert]", has_text="A term of the search is missing").wait_for()
    assert page.locator("#pg-hits [data-hit]").count() == 3
    assert page.locator("#pg-find").is_enabled()


def test_a_found_picture_becomes_the_start_of_the_next(shown):
    page = shown
    page.locator("#pg-use-start").click()
    page.locator("#pg-prompt textarea").wait_for()
    page.get_by_test_id("toast-body").get_by_text(SAY("The next picture starts from this one.")).wait_for()
    unfold(page, ENGLISH("Start and picture prompts"))
    page.locator(".pg-more .file-preview").first.wait_for()
    assert (
        page.get_by_label(ENGLISH("Start from"), exact=True).input_value()
        == {
            "sketch": ENGLISH("a sketch by the transformer"),
            "codes": ENGLISH("random codes"),
            "perlin": ENGLISH("clouds"),
            "gradient": ENGLISH("a gradient"),
            "snow": ENGLISH("coloured noise"),
            "grey": ENGLISH("plain grey"),
            "picture": ENGLISH("your picture"),
            "idea": ENGLISH("the idea of your picture"),
            "drawn": ENGLISH("your drawing"),
            "last": ENGLISH("the last picture"),
        }["picture"]
    )


def test_a_found_picture_becomes_a_picture_prompt_and_is_painted(shown):
    page = shown
    page.locator("#pg-use-prompt").click()
    page.locator("#pg-prompt textarea").wait_for()
    page.get_by_test_id("toast-body").get_by_text(
        SAY("This picture was added to the picture prompts.")
    ).wait_for()
    unfold(page, ENGLISH("Start and picture prompts"))
    unfold(page, ENGLISH("Optimisation"))
    page.locator(".pg-more .file-preview").first.wait_for()
    page.get_by_label("number input for Steps", exact=True).fill("3")
    page.get_by_label("number input for Steps", exact=True).press("Tab")
    page.locator("#pg-generate").click()
    page.locator("#pg-status [data-state=done]").wait_for()
    assert page.locator("#pg-status").get_by_text(".png").first.is_visible()


def test_what_was_painted_is_found_by_its_words(visit):
    page = visit()
    page.locator("#pg-prompt textarea").fill("a purple aubergine")
    unfold(page, ENGLISH("Optimisation"))
    page.get_by_label("number input for Steps", exact=True).fill("3")
    page.get_by_label("number input for Steps", exact=True).press("Tab")
    page.locator("#pg-generate").click()
    page.locator("#pg-status [data-state=done]").wait_for()
    page.get_by_role("tab", name=SAY("Search")).click()
    page.locator("#pg-place input").click()
    page.get_by_role("option", name=SAY("pictures painted here")).click()
    unfold(page, SAY("Filters"))
    page.get_by_label(SAY("Prompt contains")).fill("aubergine")
    find(page, "a purple aubergine")
    assert page.locator("#pg-one h2").inner_text() == "a purple aubergine"


def test_a_found_picture_is_classified(shown):
    page = shown
    page.locator("#pg-classify-it").click()
    page.locator("#pg-labels textarea").wait_for()
    page.get_by_role("tab", name=ENGLISH("Classify"), selected=True).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_all_without_scrolling_sideways(searcher, pictures, scheme):
    page = searcher(width=390, height=800, scheme=scheme)
    assert page.get_by_text(SAY("Find pictures by what they show."), exact=True).is_visible()
    add(page, pictures)
    ready(page, 3)
    find(page, "a red thing")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_program_finds_pictures(server, tmp_path):
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(server.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    painted, _video, _recipe = client.predict(
        prompt="a grey elephant",
        preset="draft",
        size="64x64",
        steps=2,
        seed="7",
        api_name="/generate",
    )
    asked = {"query": "an elephant", "picture": None, "api_name": "/search"}
    facts, files = client.predict(**asked, top=100)
    assert len(files) == len(facts)
    assert {each["relative_path"].rpartition("/")[2] for each in facts} == {each["name"] for each in facts}
    assert [each["score"] for each in facts] == sorted((each["score"] for each in facts), reverse=True)
    with pytest.raises(Exception, match="There is no collection"):
        client.predict(**asked, place="/etc")
    with pytest.raises(Exception, match="The search is empty"):
        client.predict(**{**asked, "query": " "})
    same = {"query": "", "picture": gradio_client.handle_file(painted), "api_name": "/search"}
    likest, _files = client.predict(**same, top=1)
    assert likest[0]["prompt"] == "a grey elephant"

"""Painting in a real browser."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.policy import Policy
from pixgen.studio.upscaling import read_upscale_info
from pixgen.ui.create.form import form_fields, preset_values
from pixgen.ui.i18n import ENGLISH
from tests.browser.conftest import enter, unfold

pytestmark = pytest.mark.browser

WORDS = "#pg-prompt textarea"
SEED = "#pg-seed input"
PICTURE = "#pg-canvas .pg-frame img"
# The value of each field as the page begins with it.
FIELDS = """() => Object.fromEntries(window.gradio_config.components.flatMap(({ props }) => {
    const field = (props.elem_classes ?? []).find((each) => each.startsWith("pg-field-"));
    return field ? [[field.slice("pg-field-".length), props.value]] : [];
}))"""


def state(page, *names):
    """Wait until the page is in one of these states."""
    page.locator(", ".join(f"#pg-status [data-state={name}]" for name in names)).wait_for()


def holds(page, field, text):
    """Wait until a field of the form holds a text."""
    page.wait_for_function(
        "([field, text]) => document.querySelector(field)?.value === text", arg=[field, text]
    )


def write(page, prompt, *, steps=10, seed="7"):
    """Fill in the form for a short run."""
    page.locator(WORDS).fill(prompt)
    unfold(page, ENGLISH("Optimisation"))
    page.locator(SEED).fill(seed)
    page.get_by_label("number input for Steps", exact=True).fill(str(steps))
    page.get_by_label("number input for Steps", exact=True).press("Tab")


def paint(page):
    page.locator(WORDS).focus()
    page.keyboard.press("Control+Enter")


def test_a_picture_is_painted_and_carries_its_recipe(visit, tmp_path):
    page = visit()
    assert page.get_by_text(ENGLISH("Describe a picture and watch it grow.")).is_visible()
    write(page, "a red fox | snow :0.5")
    paint(page)
    page.locator(PICTURE).wait_for()
    assert page.locator(PICTURE).get_attribute("alt").startswith("a red fox | snow :0.5, ")
    state(page, "done")
    assert page.locator("#pg-status [role=meter]").count() == 2
    assert page.locator("#pg-status").get_by_text("seed 7").is_visible()
    assert "finished after 10 steps" in page.locator(PICTURE).get_attribute("alt")
    with page.expect_download() as download:
        page.locator("#pg-picture").click()
    assert download.value.suggested_filename == "a-red-fox-7.png"
    download.value.save_as(tmp_path / "fox.png")
    recipe = read_metadata(tmp_path / "fox.png")
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("a red fox | snow :0.5", 7, 10)
    with page.expect_download() as download:
        page.locator("#pg-film").click()
    assert b"ftyp" in Path(download.value.path()).read_bytes()[:16]


def test_a_finished_picture_is_enlarged_and_seen_so(visit, tmp_path):
    page = visit()
    write(page, "a red fox", steps=2)
    paint(page)
    state(page, "done")
    page.locator("#pg-enlarge").click()
    page.locator(f"{PICTURE}[alt='a red fox, Picture 1024 × 1024'][width='1024']").wait_for()
    with page.expect_download() as download:
        page.locator("#pg-large").click()
    download.value.save_as(tmp_path / "fox.png")
    assert read_metadata(tmp_path / "fox.png").prompt == "a red fox"
    how = read_upscale_info(tmp_path / "fox.png")
    assert (how.method, how.scale, how.width) == ("pocket", 4.0, 256)


def test_escape_stops_and_the_picture_stays_until_the_next_has_begun(visit):
    page = visit()
    write(page, "a green apple", steps=400)
    paint(page)
    page.locator(PICTURE).wait_for()
    page.keyboard.press("Escape")
    state(page, "stopped")
    assert "stopped at step" in page.locator(PICTURE).get_attribute("alt")
    assert page.locator("#pg-generate").is_enabled()
    page.evaluate(
        """() => {
            window.gaps = 0;
            const canvas = document.getElementById("pg-canvas");
            new MutationObserver(() => { if (!canvas.querySelector(".pg-frame img[src]")) window.gaps++; })
                .observe(canvas, { subtree: true, childList: true, attributes: true });
            window.mat = JSON.stringify(document.querySelector(".pg-mat").getBoundingClientRect());
        }"""
    )
    old = page.locator(PICTURE).get_attribute("src")
    write(page, "a blue whale", steps=400)
    paint(page)
    page.wait_for_function("old => document.querySelector('#pg-canvas img').src !== old", arg=old)
    assert page.evaluate("window.gaps") == 0
    moved = "window.mat !== JSON.stringify(document.querySelector('.pg-mat').getBoundingClientRect())"
    assert page.evaluate(moved) is False


def test_a_stopped_run_goes_on(visit):
    page = visit()
    write(page, "a green apple", steps=60)
    paint(page)
    page.locator(PICTURE).wait_for()
    page.keyboard.press("Escape")
    state(page, "stopped")
    page.locator("#pg-go-on").click()
    state(page, "painting")
    page.locator(f"{PICTURE}[alt*=', step ']").wait_for()
    assert not page.locator("#pg-go-on").is_visible()


def test_a_stopped_run_that_goes_on_has_the_pixels_of_one_that_was_not(visit, server):
    page = visit()
    write(page, "a green apple", steps=32, seed="5")
    paint(page)
    page.locator(f"{PICTURE}[alt*=', step ']").wait_for()
    page.keyboard.press("Escape")
    state(page, "stopped")
    assert "stopped at step" in page.locator(PICTURE).get_attribute("alt")
    page.locator("#pg-go-on").click()
    state(page, "done")
    gone_on = page.locator(PICTURE).get_attribute("src")
    paint(page)
    page.locator(f"{PICTURE}[src^='data:image/jpeg']").wait_for()
    state(page, "done")
    assert page.locator(PICTURE).get_attribute("src") == gone_on  # the very PNG


def test_a_running_picture_is_turned_and_the_next_waits_in_the_queue(visit):
    page = visit()
    write(page, "a green apple", steps=400)
    paint(page)
    page.locator(PICTURE).wait_for()
    page.locator(WORDS).fill("a red fox")
    page.locator("#pg-apply").click()
    page.get_by_test_id("toast-body").get_by_text(
        ENGLISH("From now on, the picture follows the new prompt and learning rate.")
    ).wait_for()
    page.locator("#pg-status", has_text="a red fox").wait_for()
    write(page, "an owl", steps=2)
    page.locator("#pg-generate").click()
    page.locator("#pg-queue li").nth(1).wait_for()
    page.locator("#pg-queue [data-queue^=cancel]").first.click()
    page.locator(f"{PICTURE}[alt^='an owl']").wait_for()
    state(page, "done")
    page.locator("#pg-queue li").first.wait_for(state="detached")
    page.locator("#pg-more").click()
    page.locator(f"{PICTURE}[alt='an owl, finished after 42 steps']").wait_for()


def test_a_reload_keeps_the_words_and_finds_the_running_job(visit):
    page = visit()
    unfold(page, ENGLISH("Negative prompt"))
    page.get_by_label(ENGLISH("Negative prompt")).fill("text")
    page.locator("#pg-preset").get_by_text("Best").click()
    write(page, "a lighthouse at night", steps=400, seed="11")
    paint(page)
    page.locator(PICTURE).wait_for()
    page.reload()
    page.locator(PICTURE).wait_for()
    state(page, "painting")
    holds(page, WORDS, "a lighthouse at night")
    holds(page, "#pg-leave-out input", "text")
    holds(page, SEED, "11")
    assert page.get_by_label("Best").is_checked()
    page.locator("#pg-generate", has_text=ENGLISH("Add to the queue")).wait_for()
    page.keyboard.press("Escape")
    state(page, "stopped")
    page.reload()
    page.locator(PICTURE).wait_for()  # and a stopped one is still there
    state(page, "stopped")


def test_a_model_is_downloaded_by_its_button_and_a_failure_is_said_at_its_field(visit):
    page = visit()
    for title in ("Advanced", "Models", "Compare them"):
        unfold(page, ENGLISH(title))
    page.evaluate("document.querySelector(`[data-download='start clip ViT-B-32/openai']`).click()")
    ended = page.locator(".pg-downloads [data-state=failed]")
    ended.locator("[role=alert]", has_text="cannot be downloaded (127.0.0.1:9: no connection").wait_for(
        state="attached"
    )
    assert ended.locator("[data-download='start clip ViT-B-32/openai']").count() == 1


def test_two_people_at_once_wait_their_turn_and_see_their_own(visit):
    first, second = visit(), visit()
    write(first, "a red fox", steps=400)
    paint(first)
    first.locator(PICTURE).wait_for()
    write(second, "a blue whale", steps=400)
    paint(second)
    state(second, "waiting")
    assert second.get_by_text(ENGLISH("next in line")).is_visible()
    assert second.locator(PICTURE).count() == 0
    first.keyboard.press("Escape")
    state(first, "stopped")
    second.locator(PICTURE).wait_for()
    assert "a blue whale" in second.locator(PICTURE).get_attribute("alt")
    assert "a red fox" in first.locator(PICTURE).get_attribute("alt")


def test_what_is_not_allowed_is_said_and_nothing_is_lost(visit):
    page = visit()
    unfold(page, ENGLISH("Negative prompt"))
    page.get_by_label(ENGLISH("Negative prompt")).fill("text")
    paint(page)
    page.locator("#pg-status [role=alert]", has_text="The prompt is empty").wait_for()
    unfold(page, ENGLISH("Advanced"))
    page.locator(".pg-field-prompt[data-error^='The prompt is empty']").wait_for()
    page.locator(SEED).fill("minus one")
    page.locator(WORDS).fill("a fox")
    page.locator("[data-error]").wait_for(state="detached")
    paint(page)
    page.locator(".pg-field-seed[data-error^='The seed']").wait_for()
    assert page.locator("[data-error]").count() == 1
    said = page.locator("#pg-status [role=alert]", has_text="The seed “minus one”")
    said.wait_for()
    assert said.bounding_box()["height"] <= 1  # it is seen beside its field, and only read out here
    first = page.locator("#pg-status [data-mark]").get_attribute("data-mark")
    paint(page)
    page.locator(f"#pg-status [data-mark]:not([data-mark='{first}'])").wait_for()  # the same again is new
    page.locator(f"{SEED}:focus").wait_for()
    assert page.get_by_label(ENGLISH("Negative prompt")).input_value() == "text"
    assert page.locator(WORDS).input_value() == "a fox"
    assert page.locator("#pg-generate").is_enabled()


def test_an_error_goes_when_its_field_is_corrected_without_typing(visit):
    page = visit()
    write(page, "a fox", steps=1, seed="minus one")
    paint(page)
    page.locator(".pg-field-seed[data-error]").wait_for()
    page.locator("#pg-preset").get_by_text("Best").click()
    page.wait_for_function("JSON.parse(localStorage['pixgen-form']).preset === 'best'")
    assert page.locator(".pg-field-seed[data-error]").count() == 1  # another field was changed
    page.get_by_role("button", name=ENGLISH("Random seed")).click()
    page.locator("[data-error]").wait_for(state="detached")
    page.locator("#pg-size input").fill("nothing")
    page.locator("#pg-size input").press("Enter")
    paint(page)
    page.locator(".pg-field-size[data-error]").wait_for()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="128 × 128").click()
    page.locator("[data-error]").wait_for(state="detached")


def test_a_file_that_is_no_picture_is_refused_at_once(visit, tmp_path):
    page = visit()
    (tmp_path / "not.png").write_bytes(b"words, not pixels")
    unfold(page, ENGLISH("Start and picture prompts"))
    page.locator("#pg-picture-prompts input[type=file]").set_input_files(tmp_path / "not.png")
    page.locator("#pg-picture-prompts[data-error*='is not a picture']").wait_for()
    unfold(page, ENGLISH("Tiles, overlay and colours"))
    lookup = page.locator(".pg-upload-lookup_file")
    (tmp_path / "notes.cube").write_text("words, not colours")
    (tmp_path / "film.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    lookup.locator("input[type=file]").set_input_files(tmp_path / "notes.cube")
    page.locator(".pg-upload-lookup_file[data-error*='notes.cube']").wait_for()
    assert page.locator("[data-error]").count() == 1
    lookup.locator("input[type=file]").set_input_files(tmp_path / "film.cube")
    page.locator("[data-error]").wait_for(state="detached")
    fold = page.locator("[data-unfold]", has_text=ENGLISH("Tiles, overlay and colours"))
    page.wait_for_function(
        "(fold) => fold.dataset.changed.startsWith('Colour lookup')", arg=fold.element_handle()
    )


def test_an_error_of_an_effect_stands_beside_its_field(visit, tmp_path):
    page = visit()
    write(page, "a red fox", steps=2)
    unfold(page, ENGLISH("Story and camera"))
    page.get_by_label("number input for Frames", exact=True).fill("2")
    page.get_by_label("number input for Frames", exact=True).press("Tab")
    zoom = page.locator(".pg-field-zoom input")
    zoom.fill("1 + 0.02*bass")
    paint(page)
    page.locator(".pg-upload-sound[data-error*='follows the sound']").wait_for()
    zoom.fill("1 + loudness")
    paint(page)
    page.locator(".pg-field-zoom[data-error*='does not know “loudness”']").wait_for()
    assert "Zoom per frame" in page.locator(".pg-field-zoom").get_attribute("data-error")
    assert zoom.input_value() == "1 + loudness"
    zoom.fill("1.02")
    zoom.press("Tab")
    page.locator("[data-error]").wait_for(state="detached")


def test_the_settings_are_found_by_their_choices_and_by_several_words(visit):
    page = visit()
    unfold(page, ENGLISH("Advanced"))
    search = page.locator("#pg-advanced-search")
    for words, field in (("knit", "cell_shape"), ("fps smooth", "smooth_fps"), ("inpaint", "border")):
        search.fill(words)
        page.locator(f".pg-field-{field}").wait_for()
        assert page.locator(".pg-field-steps").is_hidden()
    nothing = page.get_by_text(ENGLISH("No setting matches."), exact=False)
    assert nothing.is_hidden()
    search.fill("no such thing")
    nothing.wait_for()


def test_a_picture_of_ones_own_is_the_start_and_a_prompt(visit, tmp_path):
    page = visit()
    Image.new("RGB", (80, 60), "tomato").save(tmp_path / "red-thing.png")
    write(page, "")
    unfold(page, ENGLISH("Start and picture prompts"))
    page.get_by_label(ENGLISH("Start from"), exact=True).click()
    page.get_by_role(
        "option",
        name={
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
        }["picture"],
        exact=True,
    ).click()
    page.locator("#pg-start-picture").wait_for()
    for upload in ("#pg-start-picture", "#pg-picture-prompts"):
        page.locator(f"{upload} input[type=file]").set_input_files(tmp_path / "red-thing.png")
    page.wait_for_function("document.querySelectorAll('.pg-more .file-preview').length === 2")
    paint(page)
    state(page, "done")
    assert page.locator("#pg-status").get_by_text("red-thing.png").is_visible()


def test_a_picture_of_the_wall_is_painted_with_one_click(visit, server):
    page = visit()
    page.locator("[data-wall='an owl in the forest']").click()
    page.locator(f"{PICTURE}[alt^='an owl in the forest']").wait_for()
    state(page, "done")
    assert page.locator(WORDS).input_value() == "an owl in the forest"
    assert page.locator("#pg-status").get_by_text("seed 7").is_visible()
    unfold(page, ENGLISH("Advanced"))
    assert page.locator(SEED).input_value() == ""  # the next picture is another one


def test_seeds_fill_in_with_one_click(visit):
    page = visit()
    write(page, "an owl", steps=2, seed="")
    paint(page)
    state(page, "done")
    page.get_by_role("button", name=ENGLISH("Reuse the last seed")).click()
    said = page.locator("#pg-status .pg-line").inner_text()
    holds(page, SEED, re.search(r"seed (\d+)", said)[1])
    page.get_by_role("button", name=ENGLISH("Random seed")).click()
    holds(page, SEED, "")
    page.reload()
    holds(page, WORDS, "an owl")


def test_several_pictures_are_painted_with_one_press(visit, server):
    page = visit()
    page.get_by_label(ENGLISH("Pictures"), exact=True).click()
    page.get_by_role("option", name="2", exact=True).click()
    write(page, "a red kite", steps=1, seed="20")
    paint(page)
    page.locator("#pg-status .pg-line", has_text="seed 21").wait_for()
    state(page, "done")


def test_settings_are_found_by_their_words(visit):
    page = visit()
    unfold(page, ENGLISH("Advanced"))
    page.locator("#pg-advanced-search").fill("learning")
    page.get_by_label("number input for Learning rate").wait_for()
    assert not page.get_by_label("number input for Cutouts").is_visible()
    assert not page.get_by_role("button", name=ENGLISH("Draw a starting point")).is_visible()
    page.locator("#pg-advanced-search").fill("draw a")
    page.get_by_role("button", name=ENGLISH("Draw a starting point")).wait_for()
    assert not page.get_by_role("button", name=ENGLISH("Place by region")).is_visible()
    page.evaluate(
        "window.changes = []; document.addEventListener('pixgen-changed', (event) => changes.push(event.detail))"
    )
    page.locator("#pg-advanced-search").fill("")
    assert page.evaluate("window.changes") == []  # no setting has changed
    page.get_by_role("button", name=ENGLISH("Place by region")).wait_for()
    assert not page.get_by_label("number input for Learning rate").is_visible()


def test_a_group_says_what_is_changed_in_it(visit):
    page = visit()
    write(page, "a fox", steps=9)
    page.locator("[data-unfold][data-changed*=Steps]").first.wait_for()
    page.locator("#pg-preset").get_by_text("Draft").click()
    page.locator("[data-unfold][data-changed*=Steps]").first.wait_for(state="detached")


def test_the_fold_of_the_styles_names_those_that_are_chosen(visit):
    page = visit()
    unfold(page, ENGLISH("Style"))
    page.locator("#pg-styles [data-style=watercolour]").click()
    page.locator("#pg-style [data-changed='Watercolour']").wait_for()
    page.locator("#pg-styles [data-style=night]").click()
    page.locator("#pg-style [data-changed='Watercolour, At night']").wait_for()
    page.reload()
    page.locator("#pg-style [data-changed='Watercolour, At night']").wait_for()
    unfold(page, ENGLISH("Style"))
    page.locator("#pg-styles [data-style=watercolour][aria-pressed=true]").wait_for()
    page.locator("#pg-styles [data-style=watercolour]").click()
    page.locator("#pg-style [data-changed='At night']").wait_for()


def test_a_presets_size_goes_with_it_after_a_reload_too(visit):
    page = visit()
    names_a_size = "window.pixgenForm.presets.draft.own = '192x192'"  # as those of larger models do
    page.evaluate(names_a_size)
    page.locator("#pg-preset").get_by_text("Draft").click()
    holds(page, "#pg-size input", "192 × 192")
    page.wait_for_function("JSON.parse(localStorage['pixgen-form']).size === '192x192'")
    page.reload()
    page.locator("html[data-ready]").wait_for()
    page.evaluate(names_a_size)
    page.locator("#pg-preset").get_by_text("Balanced").click()
    holds(page, "#pg-size input", "256 × 256")


def test_whatever_a_browser_has_stored_the_form_can_be_used(visit, server):
    """Only what a field may hold is taken."""
    page = visit()
    fields = form_fields(Policy())
    usual = page.evaluate(FIELDS)
    assert set(usual) == set(fields)
    for stored in (None, 3, "x" * 20_000, [], ["x" * 3000], [3], {"a": 1}, 1e9, True, "no such choice", "‮"):
        form = json.dumps(dict.fromkeys(fields, stored))
        page.evaluate("form => localStorage.setItem('pixgen-form', form)", form)
        enter(page, server.url)
        for name, value in page.evaluate(FIELDS).items():
            field, is_usual = fields[name], value == usual[name]
            if field.low is not None:
                assert field.low <= value <= field.high, name
            elif isinstance(field.default, bool):
                assert isinstance(value, bool), name
            elif field.choices or isinstance(field.default, list):
                assert is_usual, name
            else:
                assert is_usual or (isinstance(value, str) and len(value) <= field.longest), name
        assert page.locator("#pg-generate").is_enabled()


def test_what_clip_sees_is_shown_while_its_fold_is_open(visit):
    page = visit()
    write(page, "a green apple", steps=400)
    paint(page)
    page.locator(PICTURE).wait_for()
    unfold(page, ENGLISH("See what CLIP sees"))
    page.locator("#pg-cutouts img.pg-cutouts").wait_for()
    page.locator("#pg-see [data-unfold]").click()
    page.locator("#pg-cutouts img.pg-cutouts").wait_for(state="detached")
    page.wait_for_timeout(1500)  # longer than it takes to show the next ones
    assert page.locator("#pg-cutouts img.pg-cutouts").count() == 0


def test_escape_closes_an_open_menu_and_nothing_else(visit):
    page = visit()
    write(page, "a green apple", steps=400)
    paint(page)
    state(page, "painting")
    page.get_by_label(ENGLISH("Size"), exact=True).click()
    page.locator(".option-list[role=listbox]").wait_for()
    page.keyboard.press("Escape")
    page.locator(".option-list[role=listbox]").wait_for(state="detached")
    assert page.locator("#pg-stop").is_enabled()
    page.keyboard.press("Escape")
    state(page, "stopped")


def test_a_preset_sets_the_folded_settings(visit):
    page = visit()
    unfold(page, ENGLISH("Optimisation"))
    page.locator("#pg-preset").get_by_text("Draft").click()
    holds(page, "[aria-label='number input for Steps']", str(preset_values("draft")["steps"]))

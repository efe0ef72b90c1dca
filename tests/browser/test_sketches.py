"""Sketches to choose from, and a part of a picture painted anew, in a real browser."""

import json

import pytest

from pixgen.ui.i18n import ENGLISH
from tests.browser.test_create import PICTURE, paint, state, write

pytestmark = pytest.mark.browser

STROKES = "document.querySelector('canvas.pg-brush').toDataURL()"
SKETCHES = "#pg-sketches [data-pick]"


def recipes(server) -> list[dict]:
    """The recipes of all runs, the oldest first."""
    files = sorted(server.runs.glob("*/recipe.json"), key=lambda path: path.stat().st_mtime)
    return [json.loads(path.read_text()) for path in files]


def test_a_click_starts_from_another_sketch(visit, server):
    page = visit()
    write(page, "a red fox on a snowy hill", steps=2)
    paint(page)
    page.locator(SKETCHES).nth(7).wait_for()
    state(page, "done")
    assert page.locator(f"{SKETCHES}[aria-pressed=true]").get_attribute("data-pick") == "0"
    page.locator(SKETCHES).nth(3).click()
    page.locator(f"{SKETCHES}[data-pick='3'][aria-pressed=true]").wait_for()
    state(page, "done")
    first, second = recipes(server)[-2:]
    assert second["init"]["sketch"]["pick"] == 3
    assert (first["seed"], first["prompts"]) == (second["seed"], second["prompts"])


def test_a_part_of_a_picture_is_brushed_over_and_painted_anew(visit, server):
    page = visit()
    write(page, "a red fox", steps=1)
    paint(page)
    page.locator(PICTURE).wait_for()
    state(page, "done")
    page.locator("#pg-change-part").click()
    box = page.locator("canvas.pg-brush").bounding_box()
    assert page.get_by_text(
        ENGLISH(
            "Brush over the area to repaint, write a prompt for it, and press Generate. Press again to cancel."
        )
    ).is_visible()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] - 20, steps=6)
    page.mouse.up()
    strokes = page.evaluate(STROKES)
    page.reload()
    page.locator("canvas.pg-brush[data-used]").wait_for()
    assert page.evaluate(STROKES) == strokes
    write(page, "a green hill", steps=1)
    paint(page)
    page.locator("canvas.pg-brush").wait_for(state="detached")
    page.locator(f"{PICTURE}[alt^='a green hill']").wait_for()
    state(page, "done")
    start = recipes(server)[-1]["init"]
    assert start["kind"] == "picture"
    assert start["mask"].startswith("inputs/")


def test_a_brush_is_put_away_without_a_trace(visit, server):
    page = visit()
    write(page, "a red fox", steps=1)
    paint(page)
    state(page, "done")
    page.locator("#pg-change-part").click()
    page.locator("canvas.pg-brush").wait_for()
    page.locator("#pg-change-part").click()
    page.locator("canvas.pg-brush").wait_for(state="detached")
    page.reload()
    page.locator(PICTURE).wait_for()
    paint(page)
    state(page, "done")
    assert "mask" not in recipes(server)[-1]["init"]

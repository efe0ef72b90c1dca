"""Styles on the page: chosen by a click, and one's own kept by the browser, which may send anything."""

import json

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.styles import MOST, Style
from pixgen.ui.create.panels.styles import (
    add_custom,
    chosen_styles,
    read_custom,
    remove_custom,
    strip,
    toggle,
)
from pixgen.ui.i18n import ENGLISH
from tests.ui.forms import to_recipe

OIL = Style("Oil <b>", "oil painting of {}")
WORDS = ENGLISH


def test_a_click_chooses_and_another_one_no_more():
    chosen = toggle("", "", "neon")
    both = toggle(chosen, "", "night")
    assert [style.name for style in chosen_styles(both)] == ["neon", "night"]
    assert toggle(toggle(both, "", "neon"), "", "night") == ""
    assert toggle(both, "", "cubist") == both


def test_ones_own_is_chosen_shown_and_forgotten():
    mine = add_custom("", [OIL])
    chosen = toggle("", mine, f"={OIL.title}")
    assert chosen_styles(chosen) == (OIL,)
    shown = strip(WORDS, chosen, mine)
    assert "Oil &lt;b&gt;" in shown
    assert "<b>" not in shown
    assert remove_custom(chosen, mine, OIL.title) == ("", "")


def test_one_of_the_same_title_is_replaced():
    mine = add_custom(add_custom("", [OIL]), [Style(OIL.title, "{} in oil")])
    assert [style.template for style in read_custom(mine)] == ["{} in oil"]


def test_there_are_not_too_many():
    with pytest.raises(RecipeError, match="at most 50"):
        add_custom("", [Style(f"style {number}", "{} x") for number in range(MOST + 1)])


def test_the_form_paints_in_the_chosen_styles():
    chosen = json.dumps(["watercolour", {"title": "Soft", "template": "{}, soft light"}])
    recipe = to_recipe({"prompt": "a fox", "seed": "1", "styles": chosen})
    assert recipe.prompt == "watercolour of a fox, soft light"


@pytest.mark.parametrize(
    "text", ["", None, 3, "{", "{}", '["x", 3, {}, {"title": "x"}]', "[" * 40_000, "x" * 60_000]
)
def test_what_a_browser_sends_may_be_anything(text):
    assert chosen_styles(text) == read_custom(text) == ()
    assert to_recipe({"prompt": "a fox", "seed": "1", "styles": text}).prompt == "a fox"
    assert 'aria-pressed="true"' not in strip(WORDS, text, text)

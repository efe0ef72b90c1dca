"""Styles on the page: chosen by a click, and one's own kept by the browser, which may send anything."""

import json

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.styles import MOST, Style
from pixgen.ui.create.panels.styles import added, chosen_styles, forgotten, mine_of, strip, toggled
from pixgen.ui.i18n import ENGLISH
from tests.ui.forms import to_recipe

OIL = Style("Oil <b>", "oil painting of {}")
WORDS = ENGLISH


def test_a_click_chooses_and_another_one_no_more():
    chosen = toggled("", "", "neon")
    both = toggled(chosen, "", "night")
    assert [style.name for style in chosen_styles(both)] == ["neon", "night"]
    assert toggled(toggled(both, "", "neon"), "", "night") == ""
    assert toggled(both, "", "cubist") == both


def test_ones_own_is_chosen_shown_and_forgotten():
    mine = added("", [OIL])
    chosen = toggled("", mine, f"={OIL.title}")
    assert chosen_styles(chosen) == (OIL,)
    shown = strip(WORDS, chosen, mine)
    assert "Oil &lt;b&gt;" in shown
    assert "<b>" not in shown
    assert forgotten(chosen, mine, OIL.title) == ("", "")


def test_one_of_the_same_title_is_replaced():
    mine = added(added("", [OIL]), [Style(OIL.title, "{} in oil")])
    assert [style.template for style in mine_of(mine)] == ["{} in oil"]


def test_there_are_not_too_many():
    with pytest.raises(RecipeError, match="at most 50"):
        added("", [Style(f"style {number}", "{} x") for number in range(MOST + 1)])


def test_the_form_paints_in_the_chosen_styles():
    chosen = json.dumps(["watercolour", {"title": "Soft", "template": "{}, soft light"}])
    recipe = to_recipe({"prompt": "a fox", "seed": "1", "styles": chosen})
    assert recipe.prompt == "watercolour of a fox, soft light"


@pytest.mark.parametrize(
    "text", ["", None, 3, "{", "{}", '["x", 3, {}, {"title": "x"}]', "[" * 40_000, "x" * 60_000]
)
def test_what_a_browser_sends_may_be_anything(text):
    assert chosen_styles(text) == mine_of(text) == ()
    assert to_recipe({"prompt": "a fox", "seed": "1", "styles": text}).prompt == "a fox"
    assert 'aria-pressed="true"' not in strip(WORDS, text, text)

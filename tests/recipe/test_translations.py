"""Recipes whose prompts are in another language."""

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.prompts import parse
from pixgen.recipe.recipe import make_recipe, read_recipe
from pixgen.recipe.styles import available_styles

TURKISH = "kırmızı bir tilki karda"


def test_a_recipe_keeps_what_was_typed_and_how_it_is_read():
    recipe = recipe_from(Options(prompt=f"{TURKISH} | ein Baum:0.5", seed=1))
    assert recipe.prompt.startswith(TURKISH)
    assert dict(recipe.translations) == {TURKISH: "a red fox in the snow", "ein Baum": "a tree"}
    assert recipe.positive_texts == ["a red fox in the snow", "a tree"]
    assert '"translations": {"kırmızı bir tilki karda": "a red fox in the snow"' in recipe.to_json()
    assert read_recipe(recipe.to_json()) == recipe
    assert hash(recipe) == hash(read_recipe(recipe.to_json()))


def test_a_style_stands_around_the_translation():
    style = available_styles()["watercolour"]
    recipe = recipe_from(Options(prompt=TURKISH, styles=[style], seed=1))
    assert recipe.positive_texts == [style.template.replace("{}", "a red fox in the snow")]


def test_a_negative_prompt_is_read_too():
    recipe = recipe_from(Options(prompt="a fox", negative=["Schnee | ein Baum"], seed=1))
    assert [prompt.text for prompt in recipe.scene(0)] == ["a fox", "a snowy landscape", "a tree"]


def test_a_recipe_without_translations_is_read_as_it_stands():
    assert make_recipe({"prompts": TURKISH}).positive_texts == [TURKISH]
    old = read_recipe('{"prompts": "ein Fuchs"}')
    assert recipe_from(Options(recipe=old)).translations == ()


def test_a_new_prompt_for_an_old_recipe_drops_its_translations():
    recipe = recipe_from(Options(prompt=TURKISH, seed=1))
    assert recipe_from(Options(recipe=recipe)).translations == recipe.translations
    assert recipe_from(Options(recipe=recipe, prompt="a fox")).translations == ()


def test_a_translation_can_be_given_or_refused():
    given = {"translations": {TURKISH: "a fox on a snowy hill"}}
    assert recipe_from(Options(prompt=TURKISH, more=given)).positive_texts == ["a fox on a snowy hill"]
    assert recipe_from(Options(prompt=TURKISH, language="en")).translations == ()
    with pytest.raises(RecipeError, match="There is no language “klingon”"):
        recipe_from(Options(prompt=TURKISH, language="klingon"))


def test_other_clips_read_what_was_typed():
    assert recipe_from(Options(prompt=TURKISH, clip=["ViT-B-32"])).translations == ()


def test_only_a_whole_prompt_is_replaced():
    recipe = make_recipe({"prompts": "rot | wood rot", "translations": {"rot": "red"}})
    assert recipe.positive_texts == ["red", "wood rot"]


def test_a_repeated_recipe_keeps_its_translations_in_a_style_and_beside_a_negative_prompt():
    own = {"eine Katze": "a cat with red fur"}
    recipe = recipe_from(Options(prompt="eine Katze", translations=own, seed=1))
    style = available_styles()["watercolour"]
    styled = recipe_from(Options(recipe=recipe, styles=[style]))
    assert styled.positive_texts == [style.template.replace("{}", "a cat with red fur")]
    beside = recipe_from(Options(recipe=styled, negative=["Schnee"]))
    assert beside.positive_texts == styled.positive_texts
    assert beside.scene(0)[1].text == "a snowy landscape"


def test_an_edit_translates_what_is_new_and_leaves_earlier_steps_alone():
    own = {"Fuchs": "a red fox", "Baum": "a tree"}
    recipe = make_recipe({"prompts": "Fuchs | Baum", "translations": own, "steps": 20})
    edited = recipe.with_change(10, prompts=parse("Fuchs | ein Haus im Schnee"))
    assert dict(edited.changes[0].translations) == {"ein Haus im Schnee": "a house in the snow"}
    assert [prompt.text for prompt in edited.scene(9)] == ["a red fox", "a tree"]
    assert [prompt.text for prompt in edited.scene(10)] == ["a red fox", "a house in the snow"]
    again = edited.with_change(15, prompts=parse("Baum"), translations={"Baum": "an oak"})
    assert [again.scene(step)[-1].text for step in (9, 14, 15)] == ["a tree", "a house in the snow", "an oak"]
    assert again.positive_texts == ["a red fox", "a tree"]


def test_a_recipe_from_before_translations_is_only_translated_where_it_is_edited():
    recipe = make_recipe({"prompts": "ein Fuchs | ein Baum"})
    edited = recipe.with_change(1, prompts=parse("ein Fuchs:2 | ein Haus"))
    assert [prompt.text for prompt in edited.scene(1)] == ["ein Fuchs", "a house"]


@pytest.mark.parametrize("version", ["true", "1.0", '"2"', "null", "[1]"])
def test_a_version_is_a_whole_number(version):
    with pytest.raises(RecipeError, match="whole number"):
        read_recipe(f'{{"version": {version}, "prompts": "a fox"}}')

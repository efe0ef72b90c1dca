"""A recipe behind the form: what was filled in and not touched paints the very same recipe."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import RecipeError
from pixgen.recipe.presets import available_presets
from pixgen.recipe.prompts import parse
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy
from pixgen.ui.create.form import form_fields
from pixgen.ui.create.form_recipe import LONGEST_BASE, BaseRecipe, prompt_texts
from pixgen.ui.info.tab import form_values
from tests.ui.forms import to_recipe

KEPT = f"inputs/{'a' * 64}/dog.jpg"
RECIPES = {
    "plain": {"prompts": "a red fox | text :-1 :-0.9", "seed": 7},
    "scenes": {"prompts": r"a {x|y\} \| b :2 | text:-2:-0.9 ^ snow :0.5 | text:-2:-0.9", "steps": 33},
    "more than the form has": {
        "prompts": [[{"text": "a fox", "region": "left", "last_step": 5}, {"picture": KEPT}]],
        "width": 200,
        "height": 136,
        "seed": 2**62,
        "preset": "best",
        "model": "other",
        "clip": ["a", "b"],
        "optimizer": {"name": "AdamW", "learning_rate": 0.01234, "schedule": "drop"},
        "cutouts": {"count": 200, "kind": "updated"},
        "losses": {"saturation": 77.7, "palette": {"weight": 1.234, "colours": ["navy"]}},
        "init": {"kind": "picture", "picture": KEPT, "mask": KEPT, "fill": "codes"},
        "changes": [{"step": 3, "learning_rate": 0.5}],
    },
}


def form(recipe, policy=None):
    """What the browser sends after “Use these”, with nothing changed."""
    values = form_values(recipe, form_fields(policy or Policy()))
    return {**values, "basis": BaseRecipe(recipe, values, "fox.png").to_json(), "pictures": None}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("policy", [Policy(), Policy.for_public()])
def test_what_was_filled_in_is_painted_as_it_was(name, policy):
    recipe = make_recipe(RECIPES[name])
    assert to_recipe(form(recipe, policy)) == recipe


@pytest.mark.parametrize("name", ["draft", "balanced", "best", "pixel-art", "waves"])
def test_every_presets_pictures_are_painted_as_they_were(name):
    recipe = make_recipe(available_presets()[name].recipe, {"prompts": "a fox", "preset": name, "seed": 3})
    values = form(recipe)
    assert values["preset"] == name
    assert to_recipe(values) == recipe


def test_what_is_changed_wins_and_the_rest_stays():
    recipe = make_recipe(RECIPES["more than the form has"])
    values = form(recipe) | {"steps": 12, "seed": "5", "drawer": "vqgan"}
    expected = make_recipe(recipe.model_dump(), {"steps": 12, "seed": 5})
    assert to_recipe(values) == expected


def test_other_words_bring_neither_the_old_pictures_nor_the_old_changes():
    recipe = make_recipe(RECIPES["plain"], {"changes": [{"step": 3, "learning_rate": 0.5}]})
    made = to_recipe(form(recipe) | {"prompt": "an owl"})
    assert made.prompt == "an owl | text :-1 :-0.9"
    assert made.changes == ()


def test_painted_regions_are_not_typed_and_stay_with_their_words():
    mask = f"inputs/{'b' * 64}/region-1.png"
    recipe = make_recipe({"prompts": [[{"text": "a fox", "mask": mask}, {"text": "snow"}]]})
    values = form(recipe)
    assert values["prompt"] == "a fox | snow"
    assert to_recipe(values) == recipe
    made = to_recipe(values | {"prompt": "a fox :2 | fog"})
    assert [(each.label, each.mask) for each in made.prompts[0]] == [("a fox", mask), ("fog", "")]
    for region in ("left", "[the sky]"):
        made = to_recipe(values | {"prompt": f"a fox @{region}"})
        assert made.prompts[0][0].mask == ""


def test_another_preset_is_taken_over():
    recipe = make_recipe(RECIPES["plain"])
    made = to_recipe(form(recipe) | {"preset": "best"})
    assert made.init.sketch.candidates == 16


def test_an_empty_seed_is_a_new_one():
    recipe = make_recipe(RECIPES["plain"])
    seeds = {to_recipe(form(recipe) | {"seed": ""}).seed for _ in range(3)}
    assert len(seeds) == 3


def test_another_start_leaves_the_old_picture_and_mask():
    recipe = make_recipe(RECIPES["more than the form has"], {"prompts": "a fox"})
    start = to_recipe(form(recipe) | {"start": "grey"}).init
    assert (start.kind, start.picture, start.mask) == ("grey", "", "")


@pytest.mark.parametrize(
    "recipe",
    [
        {"prompts": "a | [/etc/passwd]"},
        {"prompts": "a", "init": {"kind": "picture", "picture": "../secret.png"}},
        {"prompts": "a", "losses": {"style": {"picture": "inputs/../../x"}}},
    ],
)
def test_a_recipe_cannot_name_files_of_the_server(recipe):
    with pytest.raises(RecipeError, match="which is missing"):
        to_recipe(form(make_recipe(recipe)))


def test_a_start_that_is_not_there_can_be_added_again():
    recipe = make_recipe({"prompts": "a", "init": {"kind": "picture", "picture": "gone.png"}})
    made = to_recipe(form(recipe) | {"start_picture": "/uploads/new.png"})
    assert made.init.picture == "/uploads/new.png"


@pytest.mark.parametrize(
    "text",
    [
        "", None, 3, "{", "[]", "{}", '{"recipe": {}, "shown": {}, "name": ""}', "x" * (LONGEST_BASE + 1),
        '{"recipe": {"prompts": "a"}, "shown": 3, "name": ""}',
    ],
)  # fmt: skip
def test_what_a_browser_sends_may_be_anything(text):
    assert BaseRecipe.read(text) is None
    assert to_recipe({"prompt": "a fox", "seed": "1", "basis": text}).prompt == "a fox"


def test_a_basis_survives_the_browser():
    recipe = make_recipe(RECIPES["scenes"])
    basis = BaseRecipe(recipe, {"steps": 33}, "fox.png")
    assert BaseRecipe.read(basis.to_json()) == basis
    assert json.loads(basis.to_json())["name"] == "fox.png"


@given(st.text(alphabet="ab{}|_^:[\\]@12-. ", min_size=1, max_size=30).filter(str.strip))
def test_what_is_shown_of_any_words_reads_as_the_same_words(text):
    try:
        scenes = make_recipe({"prompts": [[{"text": text}, {"text": "x", "weight": -2, "stop": -0.9}]]})
    except RecipeError:
        return
    prompt, leave_out = prompt_texts(scenes.prompts)
    made = to_recipe({"prompt": prompt, "leave_out": leave_out, "seed": "1"})
    assert made.prompts == scenes.prompts
    assert parse(prompt)

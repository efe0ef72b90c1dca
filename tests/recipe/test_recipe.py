"""Recipes: made from parts, checked, printed and read back."""

import copy
import json
import pickle
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pixgen.errors import RecipeError
from pixgen.recipe.base import set_field
from pixgen.recipe.cutouts import CUTOUT_SETS, EARLIER_SETS
from pixgen.recipe.drawers import DRAWERS, DrawerName
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.prompts import Prompt
from pixgen.recipe.recipe import LARGEST_SEED, Recipe, make_recipe, read_recipe

FOX = {"prompts": "a red fox"}


def test_a_prompt_is_enough():
    assert make_recipe(FOX).prompts == ((Prompt(text="a red fox"),),)


@given(
    prompts=st.sampled_from(["a fox", "a fox | text:-1:-0.9 ^ snow: deep", "[fox.png]:0.5"]),
    width=st.integers(32, 2048),
    steps=st.integers(0, 20_000),
    seed=st.integers(0, LARGEST_SEED),
    rate=st.floats(0.001, 10),
    kind=st.sampled_from(sorted(CUTOUT_SETS)),
)
def test_json_brings_the_same_recipe_back(prompts, width, steps, seed, rate, kind):
    recipe = make_recipe(
        {"prompts": prompts, "width": width, "steps": steps, "seed": seed},
        {"optimizer": {"learning_rate": rate}, "cutouts": {"kind": kind}},
    )
    assert read_recipe(recipe.to_json()) == recipe


def test_later_parts_win_field_by_field():
    recipe = make_recipe(FOX, {"cutouts": {"count": 4, "batches": 2}}, {"cutouts": {"count": 8}})
    assert (recipe.cutouts.count, recipe.cutouts.batches) == (8, 2)


def test_making_a_recipe_leaves_its_parts_alone():
    own = CUTOUT_SETS["updated"].model_dump(mode="json")
    parts = [FOX, {"cutouts": {"own": own}}, {"cutouts": {"own": {"augmentations": []}}}]
    before = copy.deepcopy(parts)
    make_recipe(*parts)
    assert parts == before


def test_a_recipe_is_a_value():
    recipe = make_recipe(FOX)
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    with pytest.raises(ValidationError, match="frozen"):
        recipe.steps = 3


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"width": 31}, "width must be greater than or equal to 32"),
        ({"height": 5000}, "height must be less than or equal to 2048"),
        ({"steps": -1}, "steps"),
        ({"seed": 2**63}, "seed"),
        ({"clip": []}, "clip"),
        ({"optimizer": {"name": "Magic"}}, "'Adam'"),
        ({"optimizer": {"learning_rate": 0}}, "learning_rate"),
        ({"cutouts": {"kind": "none such"}}, "gentle"),
        ({"init": {"kind": "picture"}}, "path of a picture"),
        ({"init": {"kind": "snow", "picture": "fox.png"}}, "path of a picture"),
        ({"losses": {"total_variation": float("nan")}}, "finite"),
        ({"prompts": [[{"text": "fox", "weight": "heavy"}]]}, "weight must be a valid number"),
    ],
)
def test_what_is_not_allowed_is_named(part, said):
    with pytest.raises(RecipeError, match="This recipe is not allowed") as caught:
        make_recipe(FOX, part)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("parts", [[], [{"steps": 3}], [{"prompts": ""}]])
def test_a_recipe_without_a_prompt_asks_for_one(parts):
    with pytest.raises(RecipeError, match="The prompt is empty"):
        make_recipe(*parts)


@pytest.mark.parametrize("text", ["", "{", "[]", '"fox"', "{'prompts': 'fox'}"])
def test_what_is_not_a_recipe_is_said_to_be_none(text):
    with pytest.raises(RecipeError, match="This is not a recipe"):
        read_recipe(text)


@pytest.mark.parametrize(
    ("assignment", "partial"),
    [
        ("steps=3", {"steps": 3}),
        ("cutouts.count=16", {"cutouts": {"count": 16}}),
        ("cutouts.kind=pooled", {"cutouts": {"kind": "pooled"}}),
        ('clip=["pocket"]', {"clip": ["pocket"]}),
        ("init.picture=a=b.png", {"init": {"picture": "a=b.png"}}),
    ],
)
def test_a_field_is_set_by_its_path(assignment, partial):
    recipe = {}
    set_field(recipe, assignment)
    assert recipe == partial


@pytest.mark.parametrize("assignment", ["steps", "=3", ""])
def test_an_assignment_needs_a_key_and_a_value(assignment):
    with pytest.raises(RecipeError, match="key=value"):
        set_field({}, assignment)


def test_clips_are_named_with_or_without_a_weight():
    recipe = make_recipe(FOX, {"clip": ["pocket", {"name": "ViT-B-32/openai", "weight": 2}]})
    assert recipe.clip_names == ("pocket", "ViT-B-32/openai")
    assert recipe.clip_weights == (1.0, 2.0)
    assert read_recipe(recipe.to_json()) == recipe
    assert json.loads(make_recipe(FOX, {"clip": ["a"]}).to_json())["clip"] == ["a"]


def test_a_clip_may_see_a_part_of_the_cutouts():
    clips = ["a", {"name": "b", "cutouts": 4}, {"name": "c", "cutouts": 99}]
    assert make_recipe(FOX, {"clip": clips, "cutouts": {"count": 16}}).clip_shares == (1, 0.25, 1)


def test_scenes_share_the_steps():
    recipe = make_recipe({"prompts": "one ^ two", "steps": 10})
    assert [recipe.scene(step)[0].text for step in (0, 4, 5, 10)] == ["one", "one", "two", "two"]


def test_a_change_replaces_the_prompts_from_its_step_on():
    recipe = make_recipe(FOX, {"steps": 10, "changes": [{"step": 4, "prompts": "a wolf"}]})
    assert [recipe.scene(step)[0].text for step in (3, 4)] == ["a red fox", "a wolf"]


def test_a_prompt_may_rule_some_steps_only():
    timed = {"text": "snow", "first_step": 3, "last_step": 5}
    recipe = make_recipe({"prompts": [[{"text": "fox"}, timed]], "steps": 10})
    assert [len(recipe.scene(step)) for step in (2, 3, 5, 6)] == [1, 2, 2, 1]


def test_defaults_are_not_written_down():
    stored = json.loads(make_recipe(FOX).to_json())
    assert stored == {"version": 2, "prompts": [[{"text": "a red fox"}]]}


def test_a_stored_recipe_without_a_version_is_of_version_1_and_stays_so():
    stored = read_recipe('{"prompts": "a red fox"}')
    assert (stored.version, make_recipe(FOX).version) == (1, 2)
    assert read_recipe(stored.to_json()) == stored
    assert recipe_from(Options(recipe=stored, seed=4)).version == 1
    assert stored.cutouts.set_of(stored.version) == EARLIER_SETS["gentle"]


def test_every_default_is_allowed():
    assert Recipe.model_validate(make_recipe(FOX).model_dump()) == make_recipe(FOX)


def test_more_steps_leave_the_first_ones_what_they_are():
    short = make_recipe({"prompts": "a ^ b", "steps": 100})
    longer = short.with_more_steps(140).with_more_steps(200)
    assert (longer.steps, longer.earlier_steps) == (200, (100, 140))
    for step in (0, 49, 50, 99):
        assert longer.scene(step) == short.scene(step)
        assert longer.progress(step) == short.progress(step)
    assert longer.scene(100)[0].text == longer.scene(200)[0].text == "b"
    assert [longer.progress(step) for step in (100, 140, 200)] == [100 / 140, 140 / 200, 1]


def test_more_steps_that_change_nothing_are_as_if_asked_for_at_once():
    short = make_recipe({**FOX, "steps": 100, "optimizer": {"schedule": "constant"}})
    assert short.with_more_steps(140) == make_recipe(short.model_dump(), {"steps": 140})
    assert short.with_more_steps(100) == short


def test_a_title_names_files_without_their_folders():
    prompts = [[{"text": "a fox", "mask": "/elsewhere/region-1.png"}, {"picture": "inputs/ab/dog.jpg"}]]
    assert make_recipe({"prompts": prompts}).title == "a fox @[region-1.png] | [dog.jpg]"
    assert make_recipe({"prompts": "a fox :2 | snow"}).title == "a fox :2 | snow"


def test_every_drawer_says_what_it_can_do():
    assert tuple(DRAWERS) == get_args(DrawerName)

"""Stories: when scenes begin, how they pass into each other, and their table."""

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.recipe import make_recipe
from pixgen.recipe.story import EASINGS, ease, read_story


def recipe(**story):
    return make_recipe({"prompts": "a fox ^ an owl ^ the sea", "steps": 90, "story": story})


def labels(made, step):
    return [prompt.label for prompt in made.scene(step)]


def test_without_a_fade_scenes_share_the_steps_and_follow_at_once():
    made = recipe()
    assert [labels(made, step) for step in (0, 29, 30, 59, 60, 90)] == [
        ["a fox"],
        ["a fox"],
        ["an owl"],
        ["an owl"],
        ["the sea"],
        ["the sea"],
    ]
    assert all(made.transition(step)[2] == 0 for step in range(91))


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 90, 100])
def test_a_fade_changes_nothing_of_when_a_scene_begins(steps):
    plain = make_recipe({"prompts": "a ^ b ^ c", "steps": steps})
    for step in range(steps + 1):
        index, part = plain.story.transition(step, scenes=3, steps=steps)
        assert part == 0
        assert index == min(2, step * 3 // steps)


def test_a_fade_leads_from_one_scene_to_the_next_without_a_jump():
    made = recipe(fade=0.5, easing="linear")
    assert made.transition(15)[2] == 0
    parts = [made.transition(step)[2] for step in range(15, 31)]
    assert parts[:-1] == pytest.approx([place / 15 for place in range(15)])
    assert parts[-1] == 0  # the next scene, whole
    assert labels(made, 22) == ["a fox"]
    assert labels(made, 23) == ["an owl"]
    assert all(made.transition(step)[2] == 0 for step in range(60, 91))


def test_scenes_begin_where_they_are_told():
    made = recipe(starts=[0, 10, 80], fade=1)
    assert labels(made, 10) == ["an owl"]
    assert made.transition(9)[2] > 0.9
    assert made.transition(45)[2] == pytest.approx(0.5)


@pytest.mark.parametrize("easing", EASINGS)
def test_every_easing_leads_from_none_to_all_and_never_back(easing):
    values = [ease(part / 20, easing) for part in range(20)]
    assert values == sorted(values)
    assert values[0] == 0
    assert all(0 <= value < 1 for value in values)


def test_each_scene_may_have_its_own_easing():
    made = recipe(fade=1, easings=["linear", "cut", "linear"])
    assert made.transition(15)[2] == 0
    assert made.transition(45)[2] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ({"starts": [0, 10]}, "story.starts has 2 values, but there are 3 scenes"),
        ({"starts": [5, 10, 20]}, "step 0 and follow"),
        ({"starts": [0, 20, 20]}, "step 0 and follow"),
        ({"easings": ["smooth"]}, "story.easings has 1 values"),
        ({"easing": "wild"}, "'linear', 'smooth', 'early', 'late' or 'cut'"),
        ({"fade": 1.5}, "less than or equal to 1"),
    ],
)
def test_a_story_that_makes_no_sense_is_an_error(story, said):
    with pytest.raises(RecipeError, match=said):
        recipe(**story)


def test_a_story_is_the_same_as_json():
    made = recipe(starts=[0, 10, 80], fade=0.5, easings=["smooth", "early", "late"])
    assert make_recipe(__import__("json").loads(made.to_json())) == made


def test_a_table_says_scenes_steps_weights_and_easings():
    told = read_story(
        [
            {"from": 0, "prompt": "a fox", "weight": "", "easing": None},
            {"from": "", "prompt": "snow :0.5", "weight": 2},
            {"from": "40", "prompt": "an owl", "weight": 0.5, "easing": "late"},
            {"from": None, "prompt": "  "},
        ]
    )
    assert [[(each.text, each.weight) for each in scene] for scene in told.scenes] == [
        [("a fox", 1), ("snow", 1)],
        [("an owl", 0.5)],
    ]
    assert told.story == {"starts": (0, 40), "easings": ("smooth", "late")}


def test_a_table_without_steps_shares_them_evenly():
    told = read_story([{"prompt": "a fox"}, {"prompt": "an owl"}])
    assert len(told.scenes) == 2
    assert told.story == {"starts": (), "easings": ()}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "table is empty"),
        ([{"from": 3, "prompt": "x"}], "must begin at step 0, not at 3"),
        ([{"from": "soon", "prompt": "x"}], "Row 1: “from” must be a number"),
        ([{"from": 1.5, "prompt": "x"}], "Row 1: “from” must be a step"),
        ([{"prompt": "x", "weight": "much"}], "Row 1: “weight” must be a number, not “much”"),
        ([{"prompt": "x ^ y"}], "Row 1: each row is one scene"),
        ([{"prompt": "x", "easing": "wild"}], "Row 1: there is no easing “wild”: choose linear"),
    ],
)
def test_a_table_that_makes_no_sense_names_its_row(rows, said):
    with pytest.raises(RecipeError, match=said):
        read_story(rows)

"""Strips: ideas mixed part by part, recipes of their own, and one sheet."""

import json

import pytest
from PIL import Image

from pixgen.cli.app import main
from pixgen.errors import RecipeError
from pixgen.recipe.options import Options
from pixgen.recipe.prompts import Prompt
from pixgen.studio.grids.plans import interpolate_ideas, plan_strip, read_idea

SMALL = Options(seed=7, size="128x128", assignments=("init.sketch.candidates=1",))


def test_an_end_is_words_a_picture_or_a_sum(tmp_path):
    picture = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(picture)
    assert read_idea("a red fox") == (Prompt(text="a red fox"),)
    assert read_idea(str(picture)) == (Prompt(picture=str(picture)),)
    assert read_idea("[a.png] | snow:-1") == (
        Prompt(picture="a.png"),
        Prompt(text="snow", weight=-1),
    )


def test_the_ends_are_themselves_and_the_middle_is_half_of_each():
    first, last = read_idea("a fox"), read_idea("an owl:2")
    assert interpolate_ideas(first, last, 0.0) == first
    assert interpolate_ideas(first, last, 1.0) == last
    assert [term.weight for term in interpolate_ideas(first, last, 0.5)] == [0.5, 1.0]


def test_every_picture_has_its_recipe_and_all_one_seed():
    plan = plan_strip(("a fox", "an owl"), SMALL, count=5)
    assert plan.columns == ("0%", "25%", "50%", "75%", "100%")
    recipes = [cell.recipe for cell in plan.cells]
    assert {recipe.seed for recipe in recipes} == {7}
    assert {(recipe.steps, recipe.init.kind) for recipe in recipes} == {(0, "idea")}
    assert recipes[1].init.idea == recipes[1].prompts[0]
    assert [term.weight for term in recipes[1].init.idea] == [0.75, 0.25]
    refined = plan_strip(("a fox", "an owl"), Options(steps=4), count=2).cells
    assert {cell.recipe.steps for cell in refined} == {4}
    assert len({cell.recipe.seed for cell in refined}) == 1


def test_a_style_is_put_around_the_words_of_both_ends():
    options = Options(seed=7, styles=("watercolour",))
    recipes = [cell.recipe for cell in plan_strip(("a fox", "an owl"), options, count=2).cells]
    assert [recipe.prompt for recipe in recipes] == [
        "watercolour of a fox",
        "watercolour of an owl",
    ]
    assert [recipe.init.idea for recipe in recipes] == [recipe.prompts[0] for recipe in recipes]


@pytest.mark.parametrize(
    ("ends", "count", "said"),
    [
        (("", "an owl"), 5, "give text or a picture"),
        (("a ^ b", "an owl"), 5, "a single scene"),
        (("a fox", "an owl"), 1, "2 to 64 pictures, not 1"),
        (("a fox", "an owl"), 65, "2 to 64 pictures, not 65"),
    ],
)
def test_what_is_no_strip_is_one_sentence(ends, count, said):
    with pytest.raises(RecipeError, match=said):
        plan_strip(ends, SMALL, count=count)


def test_the_command_writes_the_strip_and_keeps_every_picture(tmp_path, capsys):
    out, runs = tmp_path / "strip.png", tmp_path / "runs"
    status = main(
        ["strip", "a red ball", "a blue ball", "--pictures", "2", "--seed", "3", "--json", "--set",
         "init.sketch.candidates=1", "--out", str(out), "--output-dir", str(runs)]
    )  # fmt: skip
    assert status == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["cell"] for each in said[:-1]] == [["0%"], ["100%"]]
    pictures = [Image.open(runs / run / "picture.png") for run in said[-1]["cells"]]
    assert [picture.size for picture in pictures] == [(256, 256)] * 2
    assert pictures[0].tobytes() != pictures[1].tobytes()
    with Image.open(out) as sheet:
        assert sheet.width > 2 * 128

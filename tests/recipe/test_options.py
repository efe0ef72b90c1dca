"""Regions from the command line and from Python."""

import pytest
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.prompts import parse


def asked(*regions: str, prompt: str = "a fox | a cat ^ an owl"):
    return recipe_from(Options(prompt=prompt, regions=regions)).prompts


def test_a_prompt_by_its_number_has_a_region_in_every_scene():
    (fox, cat), (owl,) = asked("1=left", "2 = Center")
    assert (fox.region, cat.region, owl.region) == ("left", "centre", "left")


def test_a_picture_is_a_region(tmp_path):
    path = tmp_path / "a mask.png"
    Image.new("L", (8, 8), "white").save(path)
    (_, cat), _ = asked(f"2={path}", prompt="a fox @left | a cat @right ^ an owl")
    assert (cat.region, cat.mask) == ("everywhere", str(path))


def test_a_region_in_the_words_is_the_same():
    assert asked("2=right", prompt="a fox | a cat :2") == parse("a fox | a cat @right :2")


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("left", "is not a region: write a prompt's number"),
        ("0=left", "names prompt 0"),
        ("3=left", "names prompt 3, but the number of prompts is 2"),
        ("1=lefft", "choose left, right, top, bottom, centre, everywhere, or a picture"),
    ],
)
def test_what_is_no_region_is_a_sentence(region, said):
    with pytest.raises(RecipeError, match=said):
        asked(region)

"""Styles: words around words, bundled ones with thumbnails and those that a person brings."""

import json

import pytest
from PIL import Image

from pixgen.cli.app import main
from pixgen.cli.commands.presets import SIDE
from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.prompts import parse
from pixgen.recipe.styles import (
    FOLDER,
    Style,
    apply_styles,
    available_styles,
    load_styles,
    read_styles,
)


def styled(prompt, *names, **options):
    """The words of the recipe that these styles make."""
    return recipe_from(Options(prompt=prompt, seed=1, styles=names, **options)).prompt


def test_a_style_is_words_around_words_and_the_recipe_records_them():
    assert styled("a red fox", "watercolour") == "watercolour of a red fox"
    assert styled("a red fox", "watercolour", "night") == "watercolour of a red fox at night"


def test_every_text_that_pulls_is_in_the_style_and_nothing_else():
    words = styled("a fox :2 | [a.png] | text:-1 ^ snow", "neon", negative=("fog",))
    assert words == (
        "neon sign of a fox :2 | [a.png] | text :-1 | fog :-1 :-0.9 ^ neon sign of snow | fog :-1 :-0.9"
    )


def test_alternatives_are_drawn_before_the_style_is_put_around_them():
    assert styled("{a fox|a fox}", "neon") == "neon sign of a fox"


def test_a_repeated_recipe_is_put_into_a_style():
    recipe = recipe_from(Options(prompt="a fox", seed=1))
    again = recipe_from(Options(recipe=recipe, styles=("pencil",)))
    assert again.prompt == "pencil sketch of a fox"


@pytest.mark.parametrize("name", available_styles())
def test_every_style_has_a_small_thumbnail(name):
    style = available_styles()[name]
    assert style.template.count("{}") == 1
    with Image.open(style.thumbnail) as picture:
        assert picture.size == (SIDE, SIDE)


def test_all_thumbnails_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.webp")) < 300_000


def test_an_unknown_style_is_answered_with_the_names():
    with pytest.raises(RecipeError, match="3d-render, flat, "):
        load_styles("cubist")


def test_styles_are_passed_on_as_json(tmp_path):
    oil = {"title": "Oil", "template": "oil painting of {}"}
    (tmp_path / "oil.json").write_text(json.dumps(oil), "utf-8")
    assert load_styles(str(tmp_path / "oil.json")) == (Style("Oil", "oil painting of {}"),)
    assert styled("a fox", str(tmp_path / "oil.json")) == "oil painting of a fox"
    assert len(read_styles(json.dumps([oil, oil]))) == len(read_styles(json.dumps({"styles": [oil]}))) + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a list of styles"),
        ("{", "not a list of styles"),
        ("[]", "not a list of styles"),
        ("[" * 100_000, "not a list of styles"),
        (json.dumps([{}] * 51), "not a list of styles"),
        ('{"template": "{}x"}', "needs a title"),
        ('{"title": 3, "template": "{}x"}', "needs a title"),
        ('{"title": "x", "template": "fox"}', "contain {} once"),
        ('{"title": "x", "template": "{}"}', "contain {} once"),
        ('{"title": "x", "template": "{} {}"}', "contain {} once"),
    ],
)
def test_what_is_no_style_is_one_sentence(text, said):
    with pytest.raises(RecipeError, match=said):
        read_styles(text)


def test_a_style_that_makes_the_words_too_long_is_refused():
    with pytest.raises(RecipeError, match="longer than 2000"):
        apply_styles(parse("a" * 1990), [Style("x", "a very long {}")])


def test_the_command_lists_them(capsys):
    assert main(["styles", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"name": "neon", "title": "Neon", "template": "neon sign of {}"} in listed

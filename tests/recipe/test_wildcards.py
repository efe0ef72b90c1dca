"""Alternatives in a prompt: all of them, one by chance, and any text as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.wildcards import draw_wildcards, escape_wildcards, expand_wildcards, word_lists

texts = st.text(alphabet=st.one_of(st.sampled_from("{}|_\\ a:"), st.characters()), max_size=40)
plain = texts.map(escape_wildcards)
groups = st.lists(st.sampled_from(["red", "blue", "", "a fox"]), min_size=2, max_size=4).map(
    lambda options: "{" + "|".join(options) + "}"
)
templates = st.lists(st.one_of(plain, groups), max_size=3).map("".join)


@given(texts)
def test_any_text_survives_when_it_is_escaped(text):
    assert expand_wildcards(escape_wildcards(text)) == (text,)
    assert draw_wildcards(escape_wildcards(text), 3) == text


@given(st.text(alphabet=st.characters(exclude_characters="{}_")))
def test_what_has_no_braces_and_no_lists_is_itself(text):
    assert expand_wildcards(text) == (text,)


@given(templates, st.integers(min_value=0))
def test_what_is_drawn_is_one_of_the_alternatives_and_always_the_same(text, seed):
    try:
        every = expand_wildcards(text)
    except RecipeError:  # pieces that only together name a word list
        return
    assert draw_wildcards(text, seed) in every
    assert draw_wildcards(text, seed) == draw_wildcards(text, seed)


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("a {red|blue} fox", ("a red fox", "a blue fox")),
        ("{a|b}{c|d}", ("ac", "ad", "bc", "bd")),
        ("{a|{b|c}d}", ("a", "bd", "cd")),
        ("{|very }old", ("old", "very old")),
        ("{red} fox", ("{red} fox",)),
        ("a { fox | snow", ("a { fox | snow",)),
        (r"\{a|b\}", ("{a|b}",)),
        (r"\\{a|b}", (r"\a", r"\b")),
        (r"{a\|b|c}", (r"a\|b", "c")),
        (r"\__colour__", ("__colour__",)),
        ("{fox:2|owl} | snow", ("fox:2 | snow", "owl | snow")),
    ],
)
def test_alternatives(text, every):
    assert expand_wildcards(text) == every


def test_a_word_list_stands_for_its_lines():
    every = expand_wildcards("a __colour__ fox")
    assert every == tuple(f"a {colour} fox" for colour in word_lists()["colour"])
    assert len(every) > 5


def test_an_unknown_word_list_is_one_clear_sentence():
    with pytest.raises(RecipeError, match=r"no word list “__color__”: choose .*__colour__.*text"):
        expand_wildcards("a __color__ fox")


def test_there_may_not_be_too_many():
    with pytest.raises(RecipeError, match="1024 alternatives: keep at most 256"):
        expand_wildcards("{a|b}" * 10)
    assert len(draw_wildcards("{a|b}" * 10, 1)) == 10


def test_braces_may_not_stand_too_deep():
    with pytest.raises(RecipeError, match="levels deep"):
        expand_wildcards("{a|" * 5000 + "}" * 5000)


def test_the_seed_draws_and_the_recipe_records_what_was_drawn():
    drawn = {recipe_from(Options(prompt="a {red|blue} fox", seed=n)).prompt for n in range(20)}
    assert drawn == {"a red fox", "a blue fox"}


def test_a_seed_that_is_set_draws_as_one_that_is_given():
    text = "a __animal__ __place__"
    given = recipe_from(Options(prompt=text, seed=5))
    assert recipe_from(Options(prompt=text, assignments=["seed=5"])).prompt == given.prompt

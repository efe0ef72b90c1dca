"""The grammar of prompts: any text survives, and a colon is never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import RecipeError
from pixgen.recipe.effects.expressions import Moment
from pixgen.recipe.prompts import (
    LONGEST_TEXT,
    NO_STOP,
    PLACES,
    Prompt,
    find_ambiguous_weights,
    find_unfinished,
    format_prompts,
    parse,
)

# Marks, digits, signs and backslashes far more often than chance would bring them.
texts = (
    st.text(
        alphabet=st.one_of(st.sampled_from("|^:[]@\\ 019.-+eE"), st.characters(exclude_categories=["Cs"]))
    )
    .map(str.strip)
    .filter(bool)
)
numbers = st.floats(min_value=-1000, max_value=1000, allow_nan=False)
stops = st.one_of(st.just(NO_STOP), st.floats(min_value=-10, max_value=10, allow_nan=False))
shown = st.lists(st.one_of(texts, st.sampled_from(["@left", " @ center", "@[", "]", ":2"])), min_size=1)
texts = st.one_of(texts, shown.map("".join).map(str.strip).filter(bool))
prompts = st.one_of(
    st.builds(Prompt, text=texts, weight=numbers, stop=stops, region=st.sampled_from(PLACES)),
    st.builds(Prompt, text=texts, weight=numbers, stop=stops, mask=texts),
    st.builds(Prompt, picture=texts, weight=numbers, stop=stops, region=st.sampled_from(PLACES)),
    st.builds(Prompt, picture=texts, weight=numbers, stop=stops, mask=texts),
)
scenes = st.lists(st.lists(prompts, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)


def only(text: str) -> Prompt:
    """The one prompt of a text."""
    ((prompt,),) = parse(text)
    return prompt


@given(scenes)
def test_printing_and_parsing_are_inverse(value):
    assert parse(format_prompts(value)) == value


@given(texts)
def test_whatever_is_read_is_printed_so_that_it_is_read_again(text):
    try:
        found = parse(text)
    except RecipeError:  # nothing but marks, or a weight out of range
        return
    assert parse(format_prompts(found)) == found


@given(texts.map(lambda text: "".join("fox" if mark.isdecimal() else mark for mark in f"a{text}")))
def test_no_mark_is_ever_an_error(text):
    assert parse(text)


@given(texts.filter(lambda text: not set(text) & set("|^\\[") and "->" not in text))
def test_a_colon_inside_a_text_is_text(text):
    assert only(f"{text}: the end").text == f"{text}: the end"


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("a red fox", Prompt(text="a red fox")),
        ("a red fox:2", Prompt(text="a red fox", weight=2)),
        ("a red fox : 2 : 0.75", Prompt(text="a red fox", weight=2, stop=0.75)),
        ("text :-1 :-.9", Prompt(text="text", weight=-1, stop=-0.9)),
        ("fox:1e-1", Prompt(text="fox", weight=0.1)),
        ("Title: sub", Prompt(text="Title: sub")),
        ("http://a.b/c", Prompt(text="http://a.b/c")),
        ("C:\\fox.png:2", Prompt(text="C:\\fox.png", weight=2)),
        ("at 10\\:30", Prompt(text="at 10:30")),
        ("one:2:3:4", Prompt(text="one:2", weight=3, stop=4)),
        (":2", Prompt(text=":2")),
        ("fox:", Prompt(text="fox:")),
        ("fox:nan", Prompt(text="fox:nan")),
        ("[a/fox.png]:0.5", Prompt(picture="a/fox.png", weight=0.5)),
        ("\\[fox]", Prompt(text="[fox]")),
        ("this \\| that", Prompt(text="this | that")),
        ("[]", Prompt(text="[]")),
        ("a fox @left", Prompt(text="a fox", region="left")),
        ("a fox @ Center :2", Prompt(text="a fox", region="centre", weight=2)),
        ("a fox :2 @top", Prompt(text="a fox", region="top", weight=2)),
        ("a fox @[my region.png] :2", Prompt(text="a fox", mask="my region.png", weight=2)),
        ("[a.png] @right", Prompt(picture="a.png", region="right")),
        ("mail me @home", Prompt(text="mail me @home")),
        ("turn \\@left", Prompt(text="turn @left")),
        ("@left", Prompt(text="@left")),
    ],
)
def test_the_grammar(text, prompt):
    assert only(text) == prompt


def test_bars_divide_prompts_and_carets_divide_scenes():
    found = parse("a fox | snow:0.5 ^ a fox asleep")
    assert found == (
        (Prompt(text="a fox"), Prompt(text="snow", weight=0.5)),
        (Prompt(text="a fox asleep"),),
    )


@pytest.mark.parametrize("text", ["", "   ", "|", " | ^ | "])
def test_nothing_is_not_a_prompt(text):
    with pytest.raises(RecipeError, match="The prompt is empty"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said"), [("fox:1e999", "weight"), ("fox:5000", "less than or equal to 1000")]
)
def test_a_weight_out_of_range_is_a_clear_error(text, said):
    with pytest.raises(RecipeError, match=said):
        parse(text)


def test_a_region_is_a_word_or_a_picture():
    with pytest.raises(ValueError, match="either a word or a mask"):
        Prompt(text="a fox", region="left", mask="a.png")


def test_a_text_may_not_be_a_book():
    with pytest.raises(RecipeError, match=str(LONGEST_TEXT)):
        parse("x" * (LONGEST_TEXT + 1))


def test_a_picture_is_called_by_its_file_name():
    assert only("[some/where/fox.png]").label == "fox.png"


@pytest.mark.parametrize(
    "text",
    [
        "a clock at 10:30", "a banner 16:9", "10:30:15 on a watch dial 10:30", "at 10: 30", "John 3:16",
        "a page at http://localhost:7860", "https://example.org/fox:2", "see localhost:7860", "example.org:8080",
        "1.85:1", "a score (2:1",
    ],
)  # fmt: skip
def test_a_time_a_ratio_and_an_address_are_text(text):
    ((prompt,),) = parse(text)
    assert (prompt.text, prompt.weight) == (text, 1)
    ((weighted,),) = parse(f"{text} :2")
    assert (weighted.text, weighted.weight) == (text, 2)


@pytest.mark.parametrize(
    ("text", "words", "weight"),
    [
        ("fox:2", "fox", 2),
        ("a fox in 4k:2", "a fox in 4k", 2),
        ("unreal engine 5:1.5", "unreal engine 5", 1.5),
        ("text:-1", "text", -1),
        ("catch 22 :3", "catch 22", 3),
        ("artstation.com:2", "artstation.com", 2),
        ("dawn at 5:-1", "dawn at 5", -1),
    ],
)
def test_a_number_without_a_space_is_a_weight_where_it_can_be_nothing_else(text, words, weight):
    ((prompt,),) = parse(text)
    assert (prompt.text, prompt.weight) == (words, weight)


def test_what_might_be_a_weight_and_is_not_is_told():
    assert find_ambiguous_weights("a fox:2 | at 10:30 ^ http://a.b:80 | catch 22 :3 | blade 2049:2") == [
        "10:30",
        "2049:2",
    ]


def test_a_direction_or_a_region_that_is_read_as_text_is_told():
    assert (
        find_unfinished("a fox -> a wolf | a fox @[the sky] ^ a cat @left | a \\-> | mail a@b | a \\@[b")
        == []
    )
    assert find_unfinished("day -> | -> night :2 ^ a fox @[the sky | a fox @[] | a fox @[the sky]@left") == [
        "day ->", "-> night :2", "a fox @[the sky", "a fox @[]", "a fox @[the sky]@left",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[noise:x]", "[noise:]", "a fox | [noise:1 2] :2"])
def test_noise_without_a_number_is_refused(text):
    with pytest.raises(RecipeError, match="whole number"):
        parse(text)
    assert parse("[noise:x.png]")[0][0].picture == "noise:x.png"


def test_the_familys_own_grammar_has_no_doubts():
    ((prompt,),) = parse("unreal engine 5:2", weighted=True)
    assert (prompt.text, prompt.weight) == ("unreal engine 5", 2)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("snow :(0.5 + 0.5*sin(t))", {"text": "snow", "weight_expression": "0.5 + 0.5*sin(t)"}),
        (
            "snow @left :(bass) :0.75",
            {"text": "snow", "region": "left", "weight_expression": "bass", "stop": 0.75},
        ),
        ("[noise:42] :0.3", {"noise": 42, "weight": 0.3}),
        ("a cat -> a dog :2", {"text": "a dog", "origin": "a cat", "weight": 2}),
        (r"a cat \-> a dog", {"text": "a cat -> a dog"}),
        (r"a cat \\-> a dog", {"text": "a dog", "origin": "a cat\\"}),
        ("a -> b -> c", {"text": "b -> c", "origin": "a"}),
        ("-> a dog", {"text": "-> a dog"}),
        ("a->b", {"text": "a->b"}),
        ("sad :(", {"text": "sad :("}),
        ("sad :(really)", {"text": "sad :(really)"}),
        (r"sad \:(2*t)", {"text": "sad :(2*t)"}),
    ],
)
def test_weights_over_time_noise_and_directions(text, fields):
    ((prompt,),) = parse(text)
    assert prompt.model_dump(exclude_defaults=True) == fields
    assert parse(format_prompts(((prompt,),))) == ((prompt,),)


def test_a_weight_over_time_is_a_factor():
    ((prompt,),) = parse("snow :(2*bass)")
    assert prompt.at(Moment(0, 0, {"bass": 0.5})).weight == 1
    assert prompt.model_copy(update={"weight": -1}).at(Moment(0, 0, {"bass": 0.25})).weight == -0.5


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "a", "noise": 3}, "either a text or a picture"),
        ({"picture": "a.png", "origin": "b"}, "a direction leads from one text to another"),
        ({"text": "a", "weight_expression": "2*"}, "is not an expression"),
    ],
)
def test_prompts_that_contradict_themselves(fields, said):
    with pytest.raises(ValueError, match=said):
        Prompt(**fields)


def test_a_wrong_expression_of_a_weight_is_an_error():
    with pytest.raises(RecipeError, match="The weight of “snow” is not allowed: an expression does not know"):
        parse("snow :(2*wave(t))")

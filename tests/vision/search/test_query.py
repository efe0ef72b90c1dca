"""The grammar of searches, and their arithmetic."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixgen.errors import PictureError, SearchError
from pixgen.vision.search.query import (
    LARGEST_WEIGHT,
    Term,
    embed_query,
    format_query,
    parse_query,
    weighted_sum,
)

WORDS = st.text(alphabet="ab 12.:+-|[]\\x", min_size=1, max_size=20) | st.text(min_size=1, max_size=20)
WEIGHTS = st.floats(1e-6, LARGEST_WEIGHT) | st.just(1.0)


@st.composite
def terms(draw) -> Term:
    said = draw(WORDS.map(str.strip).filter(bool))
    weight = draw(WEIGHTS) * draw(st.sampled_from([1, -1]))
    kind = draw(st.sampled_from(["text", "picture"]))
    return Term(**{kind: said}, weight=weight)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a red car", (Term("a red car"),)),
        ("horse + 2:snow - rider", (Term("horse"), Term("snow", weight=2), Term("rider", weight=-1))),
        ("horse + snow :2 - rider", (Term("horse"), Term("snow", weight=2), Term("rider", weight=-1))),
        ("horse | snow:0.5 | rider :-1", (Term("horse"), Term("snow", weight=0.5), Term("rider", weight=-1))),
        ("[my fox.png] :2", (Term(picture="my fox.png", weight=2),)),
        (r"a clock \| ratio 3\:4", (Term("a clock | ratio 3:4"),)),
        ("ends at 10:30", (Term("ends at 10:30"),)),
        ("- rider + horse", (Term("rider", weight=-1), Term("horse"))),
        ("a t-shirt, rock-and-roll, c++", (Term("a t-shirt, rock-and-roll, c++"),)),
        ("0.5: fog", (Term("fog", weight=0.5),)),
        ("[my fox.png] - snow", (Term(picture="my fox.png"), Term("snow", weight=-1))),
        ("2:[my fox.png]", (Term(picture="my fox.png", weight=2),)),
        ("at 10:30", (Term("at 10:30"),)),
        (r"2\:3 \+ 4", (Term("2:3 + 4"),)),
    ],
)
def test_reads_terms(text, query):
    assert parse_query(text) == query


@given(st.lists(terms(), min_size=1, max_size=5))
def test_reading_undoes_printing(query):
    assert parse_query(format_query(tuple(query))) == tuple(query)


@given(st.text(max_size=80))
def test_any_text_is_a_query_or_a_search_error(text):
    with contextlib.suppress(SearchError):
        query = parse_query(text)
        assert parse_query(format_query(query)) == query


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  ", "The search is empty"),
        ("a + ", "missing"),
        ("a + + b", "missing"),
        ("0:a", "must be above 0"),
        ("9999:a", "at most 1000"),
        (" + ".join("a" * 40), "at most 32 terms"),
        ("x" * 3000, "at most 2000 characters"),
    ],
)
def test_invalid_input_is_a_search_error(text, said):
    with pytest.raises(SearchError, match=said):
        parse_query(text)


def test_a_sum_is_weighted_and_of_length_one():
    first, second = np.eye(3, dtype=np.float32)[:2]
    assert weighted_sum([(1, first)]) == pytest.approx(first)
    both = weighted_sum([(1, first), (2, second)])
    assert both == pytest.approx(np.array([1, 2, 0]) / 5**0.5)
    assert weighted_sum([(1, first), (-1, second)])[1] < 0


def test_terms_that_cancel_each_other_are_an_error():
    first = np.eye(3, dtype=np.float32)[0]
    with pytest.raises(SearchError, match="cancel each other"):
        weighted_sum([(2, first), (-2, first)])


def test_texts_and_pictures_stand_in_one_sum(tiny_perceptor, red_picture):
    query = parse_query("a fox + 2:[red.png] - snow")
    found = embed_query(query, tiny_perceptor, open_term=lambda path: red_picture)
    fox, snow = tiny_perceptor.embed_texts(["a fox", "snow"]).detach().numpy()
    red = embed_query(parse_query("[red.png]"), tiny_perceptor, open_term=lambda path: red_picture)
    assert found == pytest.approx(weighted_sum([(1, fox), (2, red), (-1, snow)]), abs=1e-5)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


def test_a_term_picture_is_opened_by_the_caller(tiny_perceptor):
    def refuse(path: str) -> Image.Image:
        raise PictureError(f"no {path}")

    with pytest.raises(PictureError, match="no /etc/passwd"):
        embed_query(parse_query("[/etc/passwd]"), tiny_perceptor, open_term=refuse)


def test_a_time_is_no_weight():
    assert parse_query("10:30 train + 2:snow") == (Term("10:30 train"), Term("snow", weight=2))


def test_weights_are_printed_as_in_prompts():
    assert format_query(parse_query("horse + 2:snow - 0.5: rider")) == "horse + snow :2 - rider :0.5"

"""Labels and templates: what is typed, what is bundled, what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import ClassifyError
from pixgen.vision.zeroshot.labels import (
    LabelSet,
    available_templates,
    bundled_label_sets,
    custom_set_names,
    fill_template,
    format_labels,
    load_label_set,
    load_templates,
    parse_labels,
    parse_templates,
    read_label_set,
)

LABEL = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="\\"), min_size=1)


def test_labels_are_divided_by_commas_and_lines_and_count_once():
    assert parse_labels("cat, dog\n a  bird ,\r\ncat") == ("cat", "dog", "a bird")


def test_control_characters_are_removed_from_labels():
    assert parse_labels("red\x1b[31m cat, \x07") == ("red[31m cat",)


@given(st.lists(LABEL, min_size=1, unique=True))
def test_printing_and_parsing_labels_are_inverse(labels):
    assert parse_labels(format_labels(tuple(labels))) == tuple(labels)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ,\n", "There are no labels"),
        ("x" * 201, "too long"),
        (",".join(map(str, range(2001))), "Too many labels: 2001. The limit is 2000"),
    ],
)
def test_invalid_labels_are_a_classify_error(text, said):
    with pytest.raises(ClassifyError, match=said):
        parse_labels(text)


@pytest.mark.parametrize("name", bundled_label_sets())
def test_every_bundled_set_makes_a_question(name):
    found = load_label_set(name)
    assert len(found.labels) > 2
    assert found.title
    assert found.source
    assert load_templates(found.templates)
    assert parse_labels(format_labels(found.labels)) == found.labels


@pytest.mark.parametrize(
    ("name", "count"), [("cifar10", 10), ("cifar100", 100), ("pets", 37), ("food101", 101), ("imagenet", 998)]
)
def test_known_sets_are_whole(name, count):
    assert len(load_label_set(name).labels) == count  # of ImageNet's thousand names, two are there twice


def test_an_unknown_set_lists_the_available_sets():
    with pytest.raises(ClassifyError, match="no label set “cifar”: choose .*cifar10"):
        load_label_set("cifar")


def test_own_sets_are_found_beside_the_bundled_ones(tmp_path):
    own = LabelSet("birds", "Birds", ("owl", "hen"), "photo")
    (tmp_path / "birds.json").write_text(own.to_json(), "utf-8")
    (tmp_path / "cifar10.json").write_text(own.to_json(), "utf-8")
    assert custom_set_names(tmp_path) == ["birds"]
    assert load_label_set("birds", tmp_path) == own
    assert len(load_label_set("cifar10", tmp_path).labels) == 10


@pytest.mark.parametrize("name", ["../birds", "/etc/passwd", "Birds", "", "a/b", "nul\0"])
def test_a_name_that_could_be_a_path_is_no_set(tmp_path, name):
    with pytest.raises(ClassifyError, match="There is no label set"):
        load_label_set(name, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"labels": []}', '{"labels": 5}', "[" * 5000, '{"a": 1}'])
def test_a_broken_set_is_a_classify_error(tmp_path, text):
    (tmp_path / "set.json").write_text(text)
    with pytest.raises(ClassifyError, match="“set.json” cannot be read|no labels"):
        read_label_set(tmp_path / "set.json")


def test_bundled_files_say_where_their_names_come_from():
    from pixgen.vision.zeroshot.labels import FOLDER

    for path in FOLDER.glob("*.json"):
        assert json.loads(path.read_text("utf-8"))["source"], path.name


def test_the_field_s_sets_have_their_sizes():
    sizes = {name: len(load_templates(name)) for name in available_templates()}
    assert (sizes["none"], sizes["photo"], sizes["seven"], sizes["eighty"]) == (1, 1, 7, 80)


@pytest.mark.parametrize("name", available_templates())
def test_every_template_has_one_place_for_the_label(name):
    assert all(template.count("{}") == 1 for template in load_templates(name))


def test_own_templates_are_one_a_line():
    assert parse_templates(" a {} \n\nthe {}\na {}") == ("a {}", "the {}")


@pytest.mark.parametrize(
    "text",
    ["", "a photo", "{} and {}", "x" * 300 + "{}", "\n".join(f"{n} {{}}" for n in range(101))],
)
def test_invalid_templates_are_a_classify_error(text):
    with pytest.raises(ClassifyError, match="one per line|needs one"):
        parse_templates(text)


def test_braces_in_a_label_stay():
    assert fill_template("a {} here", "{0} {x}") == "a {0} {x} here"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('"red, round", cat', ("red, round", "cat")),
        ('“red, round”\n"a ""b"""', ("red, round", 'a "b"')),
        ('5" pipe, "so" they say', ('5" pipe', '"so" they say')),
        ('"open, cat', ('"open', "cat")),
        ("red\\, round , cat", ("red, round", "cat")),
        ('\\"cat"', ('"cat"',)),
    ],
)
def test_quotes_keep_a_comma_in_a_label(text, labels):
    assert parse_labels(text) == labels
    assert parse_labels(format_labels(labels)) == labels

"""Labels and queries in other languages, for the bundled CLIP."""

from pixgen.vision.search.query import in_english, parse_query
from pixgen.vision.zeroshot.zeroshot import english_label


def test_labels_in_other_languages_are_embedded_in_english():
    assert [english_label(label) for label in ("Katze", "köpek", "狐", "cat", "a dog")] == [
        "cat", "dog", "fox", "cat", "a dog",
    ]  # fmt: skip


def test_terms_of_a_query_are_translated_and_keep_their_weights():
    query = in_english(parse_query("2:ein Fuchs + Schnee - [tree.png]"))
    assert [(term.text, term.picture, term.weight) for term in query] == [
        ("a fox", "", 2.0), ("a snowy landscape", "", 1.0), ("", "tree.png", -1.0),
    ]  # fmt: skip

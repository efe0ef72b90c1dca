"""The lines below the prompt."""

import re

import pytest

from pixgen.studio.prompt_help import PromptCheck, check_typed_prompt
from pixgen.ui.create.prompt_help import help_html, replace_word
from pixgen.ui.i18n import ENGLISH

WORDS = ENGLISH


def test_they_are_quiet_where_all_is_well():
    shown = help_html(WORDS, check_typed_prompt("a red fox"), "a red fox")
    assert "3 of 38 tokens" in shown
    assert "<p>" not in shown
    assert "tokens" not in help_html(WORDS, PromptCheck(), "")


def test_they_tell_what_is_strange_and_offer_what_is_near():
    shown = help_html(WORDS, check_typed_prompt("a foxx"), "a foxx")
    assert "“foxx” is not in the bundled models’ vocabulary" in shown
    assert 'data-word="foxx" data-by="fox"' in shown


def test_a_prompt_in_another_language_says_how_it_is_read():
    text = "Kırmızı bir tilki karda | une vieille maison sous la pluie"
    shown = help_html(WORDS, check_typed_prompt(text), text)
    assert "Read as “a red fox in the snow” (Türkçe)." in shown
    assert "Not understood: “vieille”." in shown
    assert "vocabulary" not in shown
    chip = re.search('data-word="(Kırmızı[^"]*)" data-by="([^"]*)"', shown)
    assert replace_word(text, chip[1], chip[2]) == "a red fox in the snow | une vieille maison sous la pluie"


def test_another_language_is_offered_a_clip_that_reads_it():
    text = "bir tilki"
    reading, offer = check_typed_prompt(text), 'data-model="clip ViT-B-16-SigLIP2/webli"'
    assert offer in help_html(WORDS, reading, text, clips=["ViT-B-32/openai"])
    assert offer not in help_html(WORDS, reading, text, clips=["pocket"])  # it is given English
    assert offer not in help_html(WORDS, reading, text, clips=["ViT-B-32/openai", "ViT-B-16-SigLIP2/webli"])
    assert offer not in help_html(WORDS, check_typed_prompt("a fox"), "a fox", clips=["ViT-B-32/openai"])
    assert offer not in help_html(WORDS, reading, text, clips=["no such CLIP"])


def test_what_is_typed_is_shown_as_text():
    text = "<img src=x onerror=alert(1)> " * 30
    assert "<img" not in help_html(WORDS, check_typed_prompt(text), text)


def test_an_unfinished_list_is_offered_the_lists():
    assert 'data-by="__animal__"' in help_html(WORDS, check_typed_prompt("a __"), "a __")


@pytest.mark.parametrize(
    ("text", "word", "by", "expected"),
    [
        ("a Foxx, a foxx", "foxx", "fox", "a fox, a foxx"),
        ("the fox’s den", "foxs", "fox", "the fox den"),
        ("a foxxes foxx", "foxx", "fox", "a foxxes fox"),
        ("a __", "__", "__animal__", "a __animal__"),
        ("a __ani", "__", "__animal__", "a __animal__"),
        ("an owl", "foxx", "fox", "an owl"),
        (r"a \1 foxx", "foxx", "fox", r"a \1 fox"),
    ],
)
def test_a_click_replaces_the_word(text, word, by, expected):
    assert replace_word(text, word, by) == expected

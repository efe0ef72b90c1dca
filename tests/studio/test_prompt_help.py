"""How the bundled models read a prompt."""

from pixgen.cli.commands.generate import prompt_notes
from pixgen.models.vocabulary import split_words, suggestions, unknown_words
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.styles import available_styles
from pixgen.studio.prompt_help import PromptCheck, check_scenes, check_typed_prompt
from pixgen.translation.english import known_words

LONG = " ".join(["fox"] * 45)


def test_tokens_are_counted_as_clip_counts_them():
    reading = check_typed_prompt("a red fox")
    assert (reading.tokens, reading.limit) == (3, 38)
    assert reading == PromptCheck(tokens=3, limit=38)


def test_the_longest_of_several_texts_counts_and_styles_count_too():
    assert check_typed_prompt("a fox | a red fox in the snow ^ owl").tokens == 6
    assert check_typed_prompt("a fox", styles=[available_styles()["watercolour"]]).tokens == 4


def test_what_falls_off_the_end_is_told():
    reading = check_typed_prompt(f"{LONG} | an owl")
    assert reading.truncated == (" ".join(["fox"] * 7),)
    assert reading.truncated_for_sketch == (" ".join(["fox"] * 18),)
    assert check_typed_prompt(" ".join(["fox"] * 38)).truncated == ()
    assert check_typed_prompt(" ".join(["fox"] * 20)).truncated_for_sketch == ()


def test_what_no_sketcher_reads_is_not_said_to_be_unread():
    scenes = recipe_from(Options(prompt=" ".join(["fox"] * 30), init="grey", seed=1)).prompts
    assert check_scenes(scenes, sketched=False).truncated_for_sketch == ()


def test_words_of_no_caption_are_told_with_known_ones_near_them():
    reading = check_typed_prompt("a red foxx on a quasar | foxx :-1")
    assert [word for word, _ in reading.unknown] == ["foxx", "quasar"]
    assert "fox" in reading.unknown[0][1]


def test_a_word_is_known_however_it_is_written():
    assert unknown_words("A Red FOX’s, 3D watercolour!") == ["foxs"]
    assert split_words("Café à la 8-bit") == ["cafe", "a", "la", "8", "bit"]


def test_suggestions_are_words_of_captions():
    for word in ("sailbot", "mountin", "watercolor2", "zzzz", "x" * 5000):
        assert set(suggestions(word)) <= known_words()
    assert suggestions("mountin")[0] in ("mountain", "mountains")


def test_what_is_no_prompt_yet_has_no_reading():
    for text in ("", "  ", "|", "__nothing__", "a" * 3000):
        assert check_typed_prompt(text) == PromptCheck(limit=38)


def note(**options) -> str:
    recipe = recipe_from(Options(seed=1, **options))
    return " ".join(prompt_notes(recipe))


def test_the_command_line_says_it_in_a_line():
    assert note(prompt="a red fox") == ""
    said = note(prompt=f"a quasar {LONG}")
    assert said.startswith("Note: not in the bundled models' vocabulary: “quasar”")
    assert "CLIP reads 38 tokens and ignores “fox fox" in said
    assert "\n" not in said


def test_nothing_is_said_of_other_models():
    assert note(prompt="a quasar", clip=("ViT-B-32/openai",)) == ""

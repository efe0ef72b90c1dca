"""Words as DALL·E mini reads them."""

import json
import random

import pytest

from pixgen.models.sketchers.dalle_files import BytePairs, normalise_text
from tests.models import dalles


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A Red Fox", "a red fox"),
        ("Café à la crème", "cafe a la creme"),
        ("a fox; a cat (sleeping)!", "a fox, a cat, sleeping"),
        ("a well-known fox - at night", "a well known fox, at night"),
        ("1,200 foxes, 2.5 cats.", "1200 foxes, 2.5 cats"),
        ("the fox’s den, “quoted” 'words'", 'the fox\'s den, " quoted " words "'),
        ("soooooo many   foxes", "so many foxes"),
        ("half & half", "half & half"),
        ("#fox_tail", "fox tail"),
        ("狐", ""),
        ("", ""),
    ],
)
def test_texts_are_normalised_as_the_captions_were(text, said):
    assert normalise_text(text) == said


@pytest.fixture
def words() -> BytePairs:
    return BytePairs(dalles.vocabulary(), dalles.MERGES)


def test_pairs_are_joined_in_the_order_of_the_merges(words):
    ids = dalles.vocabulary()
    found = words.encode("a Red fox, foxy", places=14)
    signs = ["<s>", "Ġa", "Ġred", "Ġfox", ",", "Ġfox", "y", "</s>"]
    assert found == [ids[sign] for sign in signs] + [ids["<pad>"]] * 6


def test_an_empty_text_is_start_and_end(words):
    assert words.encode("", places=4) == [0, 2, 1, 1]


def test_long_texts_are_cut_before_the_end_token(words):
    found = words.encode("red " * 50, places=8)
    assert len(found) == 8
    assert (found[0], found[-1]) == (0, 2)
    assert set(found[1:-1]) == {dalles.vocabulary()["Ġred"]}


def test_tokens_outside_the_vocabulary_are_unknown(words):
    assert words.encode("%", places=4) == [0, 4, 3, 2]


def test_the_cut_equals_the_published_tokenizers():
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is in requirements-dev.txt")
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>"))
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    chance = random.Random(0)
    some = [
        "fox",
        "foxes",
        "red",
        "it's",
        "2.5",
        "10",
        "a",
        "the",
        "then",
        "sea",
        "seaside",
        "they'll",
        "&",
    ]
    texts = [" ".join(chance.choices(some, k=9)) for _ in range(60)]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=120, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False
    )
    theirs.train_from_iterator(texts, trainer)
    state = json.loads(theirs.to_str())["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in state["merges"]]
    ours = BytePairs(state["vocab"], merges)
    for text in texts[:30]:
        plain = normalise_text(text)
        ends = [ours.encode(text, places=80)[0], ours.encode("", places=2)[1]]
        expected = [ends[0], *theirs.encode(plain).ids, ends[1]]
        assert ours.encode(text, places=80)[: len(expected)] == expected

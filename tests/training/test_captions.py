"""Captions say what the pictures show, and held-out combinations stay held out."""

import numpy as np
import pytest

from pixgen.models.vocabulary import split_words
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.places import SETTINGS
from pixgen.training.data.drawings import load_sprites
from pixgen.training.data.words import caption_words, exemplar_words
from pixgen.translation.english import known_words


@pytest.fixture
def table(world) -> list[dict]:
    return load_sprites(world)[1]


def combination(sampler: CompositionSampler, composition) -> tuple:
    layer, ground = composition.layers[0], composition.background
    return (
        sampler.table[layer.sprite]["thing"],
        ground.setting or " ".join(ground.colours),
        layer.tint,
    )


def test_no_combination_is_in_both_splits(table):
    found = {}
    for split in ("train", "held-out"):
        sampler = CompositionSampler(table, seed=1, split=split)
        made = [each for each in sampler.compositions(600) if each.layers]
        found[split] = {combination(sampler, each) for each in made}
    assert found["held-out"]
    assert not found["train"] & found["held-out"]


def test_the_same_seed_writes_the_same_captions(table):
    first, second = (CompositionSampler(table, seed=5).compositions(50) for _ in range(2))
    assert first == second


def test_a_caption_names_its_things(table):
    sampler = CompositionSampler(table, seed=2)
    for composition in sampler.compositions(300):
        for layer in composition.layers:
            assert sampler.table[layer.sprite]["thing"][:4] in composition.caption


def test_a_told_setting_is_the_one_that_is_drawn(table):
    phrases = {phrase: name for name, (_, *both) in SETTINGS.items() for phrase in both[0]}
    for composition in CompositionSampler(table, seed=3).compositions(400):
        ground = composition.background
        told = [phrase for phrase in phrases if composition.caption.endswith(f" {phrase}")]
        if told and ground.kind == "setting":
            longest = max(told, key=len)
            assert longest in SETTINGS[ground.setting][1]


def test_left_is_left(table):
    for composition in CompositionSampler(table, seed=4).compositions(3000):
        if len(composition.layers) == 1 and "on the left" in composition.caption:
            assert composition.layers[0].x < 0.5
            break
    else:
        pytest.fail("no caption says left")


def test_confusable_captions_share_their_words_but_for_the_thing(table):
    sampler = CompositionSampler(table, seed=6)
    groups = [sampler.confusable(8) for _ in range(6)]
    shared = [
        np.mean([len(set(each.caption.split()) & set(group[0].caption.split())) for each in group])
        for group in groups
    ]
    free = sampler.compositions(48)
    loose = np.mean([len(set(each.caption.split()) & set(free[0].caption.split())) for each in free])
    assert np.mean(shared) > loose + 1


def test_every_caption_is_said_with_letters_only(table):
    for composition in CompositionSampler(table, seed=7).compositions(200):
        assert composition.caption.strip() == composition.caption
        assert "None" not in composition.caption


def test_the_words_that_the_page_knows_are_those_of_captions(table):
    known = set(caption_words(table))
    said = {
        word
        for each in CompositionSampler(table, seed=3).compositions(3000)
        for word in split_words(each.caption)
    }
    assert said <= known
    assert "quasar" not in known


def test_the_bundled_words_are_those_of_the_bundled_pair():
    assert {"fox", "watercolour", "turquoise", "underwater", "checkered", "foxes"} <= known_words()


def test_what_the_memory_knows_is_no_unknown_word():
    assert {"lighthouse", "lighthouses", "wizard", "river", "riding"} <= set(exemplar_words())
    assert set(exemplar_words()) <= known_words()

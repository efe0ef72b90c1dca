"""A word's look is that of the things that it names."""

import pytest
import torch

from pixgen.training.compose.canonical_style import CanonicalStyle
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composer
from pixgen.training.models.word_appearance import fit_word_appearance

WORDS = ["<none>", "apple", "frog", "ball", "lemon", "zebra"]


@pytest.fixture
def looks(world, tiny_vqgan):
    composer = Composer(world)
    return fit_word_appearance(
        composer,
        CanonicalStyle(CompositionSampler(composer.table, seed=1)),
        tiny_vqgan,
        codes=tiny_vqgan.codes,
        encode=lambda name: [WORDS.index(word) for word in name.split() if word in WORDS],
        vocabulary=len(WORDS),
        numbers=3,
    )


def test_every_named_word_has_a_look_and_no_other(looks):
    blocks = (32 // 2) ** 2  # of a picture of 128 pixels, with a factor of 4
    assert looks.words.shape == (len(WORDS), blocks * 3)
    assert [bool(row.any()) for row in looks.words] == [False, True, True, True, True, False]


def test_things_look_different_and_most_where_they_are(looks):
    apple, frog = looks.words[1].view(16, 16, 3), looks.words[2].view(16, 16, 3)
    assert not torch.allclose(apple, frog, atol=0.1)
    assert float(apple[0, 0].norm()) < float(apple.norm(dim=-1).max())

"""In a plain hand, what a caption leaves open is always drawn in the same way."""

import pytest

from pixgen.training.compose.canonical_style import (
    STYLE_PHRASES,
    WHITE,
    CanonicalStyle,
    simplify_names,
)
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.data.drawings import load_sprites


@pytest.fixture
def sampler(world):
    return CompositionSampler(simplify_names(load_sprites(world)[1]), seed=3)


@pytest.fixture
def redrawn(sampler):
    canonical = CanonicalStyle(sampler)
    return [(each, canonical.redraw(each)) for each in sampler.compositions(300)]


def test_the_caption_stays_and_things_stand_upright(redrawn):
    for before, after in redrawn:
        assert after.caption == before.caption
        assert len(after.layers) == len(before.layers)
        assert all((layer.angle, layer.flip) == (0.0, False) for layer in after.layers)


def test_a_thing_without_a_style_is_drawn_by_one_family(sampler, redrawn):
    families = {
        sampler.table[layer.sprite]["family"]
        for _, after in redrawn
        if not any(style in after.caption for style in STYLE_PHRASES)
        for layer in after.layers
    }
    assert families == {"twemoji"}


def test_the_same_words_are_drawn_alike(redrawn):
    drawn = {}
    for _, after in redrawn:
        if len(after.layers) == 1 and not after.filter:
            places = [(layer.x, layer.y, layer.scale) for layer in after.layers]
            ground = (after.background.kind, after.background.setting)
            assert drawn.setdefault((after.meaning, ground), places) == places


def test_what_is_not_told_is_white_unless_that_is_held_out(sampler, redrawn):
    untold = [after for _, after in redrawn if after.layers and not after.meaning[-2]]
    assert untold
    assert sum(after.background == WHITE for after in untold) > len(untold) / 2


def test_nothing_held_out_is_shown(sampler, redrawn):
    assert all(sampler.allowed(after) for _, after in redrawn if after.layers)


def test_people_ask_for_the_last_word_of_a_name():
    record = {"thing": "evergreen tree", "names": ["pine"], "group": "emoji-3", "weight": 1.0}
    other = {**record, "thing": "fox", "names": []}
    tree, fox = simplify_names([record, other])
    assert "tree" in tree["names"]
    assert (tree["weight"], fox["names"]) == (1.0, [])
    assert fox["weight"] > tree["weight"]

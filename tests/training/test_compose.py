"""Drawing compositions: things where and as large as they should be, in the colours that are said."""

import pytest
import torch

from pixgen.training.compose.captions import FILTERS
from pixgen.training.compose.composer import Background, Composer, Composition, Layer, sheet
from pixgen.training.compose.places import SETTINGS

WHITE = Background("plain", ("white",))
APPLE = 0  # the first sprite of the small world is a red disc


@pytest.fixture
def composer(world) -> Composer:
    return Composer(world)


def test_own_things_come_last_and_are_drawn(world, composer):
    both = Composer(world, own=True)
    assert both.table[: len(composer.table)] == composer.table
    names = [each["thing"] for each in both.table]
    lighthouse = names.index("lighthouse", len(composer.table))
    picture = both.draw([Composition(WHITE, (Layer(lighthouse, 0.5, 0.5, 0.9),))])[0]
    apple = both.draw([Composition(WHITE, (Layer(APPLE, 0.5, 0.5, 0.9),))])[0]
    assert bool(red(apple)[64, 64])
    assert 0.02 < float(((picture - 1).abs().sum(0) > 0.2).float().mean()) < 0.9


def red(picture: torch.Tensor) -> torch.Tensor:
    return (picture[0] > 0.6) & (picture[1] < 0.4)


def test_a_thing_is_drawn_where_it_should_be(composer):
    picture = composer.draw([Composition(WHITE, (Layer(APPLE, 0.25, 0.75, 0.3),))])[0]
    rows, columns = red(picture).nonzero(as_tuple=True)
    assert abs(float(columns.float().mean()) / 128 - 0.25) < 0.02
    assert abs(float(rows.float().mean()) / 128 - 0.75) < 0.02


def test_scale_is_the_part_of_the_side(composer):
    areas = [
        float(red(composer.draw([Composition(WHITE, (Layer(APPLE, 0.5, 0.5, scale),))])[0]).float().mean())
        for scale in (0.4, 0.8)
    ]
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.1)


def test_a_tint_recolours_the_thing(composer):
    picture = composer.draw([Composition(WHITE, (Layer(APPLE, 0.5, 0.5, 0.8, tint="blue"),))])[0]
    middle = picture[:, 64, 64]
    assert middle[2] > middle[0]


@pytest.mark.parametrize("kind", ["plain", "fade", "striped", "dotted", "checkered"])
def test_every_background_shows_its_colours(composer, kind):
    picture = composer.draw([Composition(Background(kind, ("red", "blue")), ())])[0]
    assert picture.shape == (3, 128, 128)
    assert picture[0].mean() > picture[1].mean()


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_keeps_the_range(composer, name):
    picture = composer.draw([Composition(WHITE, (Layer(APPLE, 0.5, 0.5, 0.8),), name)])
    assert picture.min() >= 0
    assert picture.max() <= 1


def test_black_and_white_has_no_colour(composer):
    picture = composer.draw([Composition(WHITE, (Layer(APPLE, 0.5, 0.5, 0.8),), "black and white")])[0]
    assert torch.allclose(picture[0], picture[2])


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_painted_in_range_and_never_twice_the_same(name):
    import numpy as np

    painter = SETTINGS[name][0]
    first, second = (painter(np.random.default_rng(seed)) for seed in (1, 2))
    assert first.shape == (256, 256, 3)
    assert first.min() > -0.2
    assert first.max() < 1.2
    assert np.abs(first - second).mean() > 0.002


def test_a_sheet_has_room_for_all():
    assert sheet(torch.zeros(5, 3, 4, 4), 3).shape == (3, 8, 12)

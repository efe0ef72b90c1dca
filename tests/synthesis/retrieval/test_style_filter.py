"""Hands that change a thing alone: what is behind it shows through wherever the thing is not."""

import pytest
import torch

from pixgen.synthesis.retrieval.style_filter import (
    INK,
    OBJECT_STYLES,
    OUTLINED,
    ROUND,
    SILHOUETTE,
    STICKER,
    apply_object_style,
)

RED = torch.tensor([0.8, 0.1, 0.1])[:, None, None]


@pytest.fixture
def disc():
    """A red disc of 48 pixels on a canvas of 96 x 96, colours times opacity and opacity."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    opacity = (((rows - 47.5) ** 2 + (columns - 47.5) ** 2) < 24**2).float()
    return torch.cat([RED * opacity, opacity[None]])[None]


@pytest.mark.parametrize("style", OBJECT_STYLES)
def test_colours_never_exceed_their_opacity_and_what_is_far_stays_empty(disc, style):
    drawn = apply_object_style(style, disc, side=48)
    assert drawn.shape == disc.shape
    assert (drawn[:, :3] <= drawn[:, 3:] + 1e-5).all()
    assert (drawn >= 0).all()
    assert (drawn <= 1 + 1e-5).all()
    assert (drawn[..., :12, :] == 0).all()


def test_an_outline_is_dark_and_around_the_thing(disc):
    drawn = apply_object_style(OUTLINED, disc, side=48)
    across = drawn[0, :, 48]
    rim = across[:, 22:26]
    assert float(rim[:3].amax(0).min()) < INK + 0.1
    assert float(rim[3].max()) > 0.9
    assert float(across[0, 48]) >= 0.8  # within, it is as light as it was, or lighter
    assert float(across[3, 48]) == 1


def test_a_sticker_has_a_white_rim_and_a_shadow_below(disc):
    drawn = apply_object_style(STICKER, disc, side=48)
    down = drawn[0, :, :, 48]
    assert torch.allclose(down[:, 23], torch.ones(4), atol=0.05)  # just above the disc
    below = down[:, 74:80]
    assert float(below[3].max()) > 0.1
    assert float((below[3] - below[0]).max()) > 0.05  # opaque, and darker than white
    assert torch.allclose(drawn[0, :, 48, 48], disc[0, :, 48, 48])


def test_a_round_thing_is_lit_from_above_on_the_left(disc):
    drawn = apply_object_style(ROUND, disc, side=48)
    above, below = drawn[0, :3, 34, 34].mean(), drawn[0, :3, 62, 62].mean()
    assert above > below
    assert torch.equal(drawn[:, 3:], disc[:, 3:])


def test_unknown_styles_change_nothing(disc):
    for style in ("", "pencil", SILHOUETTE):
        assert apply_object_style(style, disc, side=48) is disc

"""Hands that change a thing alone: what is behind it shows through wherever the thing is not."""

import pytest
import torch

from pixgen.models.sketchers.common_words import style_phrases
from pixgen.synthesis.retrieval.style_filter import (
    INK,
    OBJECT_STYLES,
    OUTLINED,
    ROUND,
    SILHOUETTE,
    STICKER,
    apply_object_style,
    apply_style,
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


@pytest.fixture
def picture():
    """A red disc on a picture that gets lighter from the left to the right, ``(1, 3, 96, 96)``."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    inside = ((rows - 47.5) ** 2 + (columns - 47.5) ** 2) < 24**2
    return torch.where(inside, RED, columns / 96)[None]


def styled(name, picture):
    noise = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    return apply_style(name, picture, noise=noise, fine=False).clamp(0, 1)


@pytest.mark.parametrize("style", sorted({*style_phrases().values()} - {*OBJECT_STYLES}))
def test_a_style_that_a_phrase_asks_for_changes_the_picture(picture, style):
    found = styled(style, picture)
    assert found.shape == picture.shape
    assert found.isfinite().all()
    assert float((found - picture).abs().mean()) > 0.01


def test_a_poster_has_few_colours(picture):
    assert len(styled("poster", picture)[0].mul(20).round().flatten(1).unique(dim=1).T) < 60
    assert len(picture[0].mul(20).round().flatten(1).unique(dim=1).T) >= 20


def test_a_print_has_two_colours(picture):
    assert len(styled("print", picture)[0].flatten(1).unique(dim=1).T) == 2


def test_lines_are_light_on_the_ground_of_a_blueprint(picture):
    found = styled("blueprint", picture)
    edge, inside = found[0, :, 20:28, 48].mean(0).max(), found[0, :, 48, 48].mean()
    assert edge > inside + 0.2
    assert found[0, 2, 48, 48] > found[0, 0, 48, 48]  # blue


def test_oil_keeps_edges_and_evens_out_noise(picture):
    noisy = (picture + 0.1 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(2))).clamp(
        0, 1
    )
    found = styled("oil", noisy)
    assert found[0, :, 40:56, 40:56].std(dim=(1, 2)).mean() < noisy[0, :, 40:56, 40:56].std(dim=(1, 2)).mean()
    assert float(found[0, 0, 48, 40] - found[0, 1, 48, 40]) > 0.5  # the disc is as red as before

"""Cutouts: where they lie, that one warp equals many, and that chance stays in its generator."""

import pytest
import torch
from kornia.geometry.transform import homography_warp

from pixgen.recipe.cutouts import (
    EARLIER_SETS,
    Affine,
    ColourJitter,
    Crop,
    CutoutSet,
    Erasing,
    Flip,
    Noise,
    Perspective,
    Sharpness,
)
from pixgen.synthesis.cutouts.cutouts import Placement, sample_cutouts
from pixgen.synthesis.cutouts.earlier_recipes import augment, place_cutouts


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(height: int = 64, width: int = 64) -> torch.Tensor:
    rows, columns = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)[None, :]
    return torch.stack([rows.expand(height, width), columns.expand(height, width), rows * columns])[None]


@pytest.mark.parametrize("name", EARLIER_SETS)
def test_every_set_of_version_1_gives_cutouts_with_a_gradient(name):
    picture = smooth().requires_grad_()
    placed = place_cutouts(EARLIER_SETS[name], 10, aspect=1.0, generator=generator())
    seen = augment(sample_cutouts(picture, placed, size=16), EARLIER_SETS[name].augmentations, generator(1))
    assert seen.shape == (10, 3, 16, 16)
    seen.sum().backward()
    assert torch.isfinite(picture.grad).all()
    assert (picture.grad != 0).float().mean() > 0.5


def test_the_same_generator_gives_the_same_cutouts():
    def cut(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)  # the process's own generator must not matter
        chance = generator(5)
        placed = place_cutouts(EARLIER_SETS["updated"], 6, aspect=1.0, generator=chance)
        return augment(
            sample_cutouts(smooth(), placed, size=16), EARLIER_SETS["updated"].augmentations, chance
        )

    assert torch.equal(cut(1), cut(2))


def test_a_whole_crop_is_the_picture():
    placed = place_cutouts(CutoutSet(crops=(Crop(law="whole"),)), 1, aspect=1.0, generator=generator())
    assert torch.allclose(sample_cutouts(smooth(32, 32), placed, size=32), smooth(32, 32), atol=1e-5)


def test_crops_stay_inside_without_overscan():
    law = CutoutSet(crops=(Crop(smallest=0.2, largest=1.0),))
    placed = place_cutouts(law, 200, aspect=2.0, generator=generator())
    half = placed.matrices.diagonal(dim1=1, dim2=2)[:, :2]
    assert ((placed.matrices[:, :2, 2].abs() + half) <= 1 + 1e-5).all()


def test_crops_are_square_on_a_wide_picture():
    placed = place_cutouts(CutoutSet(crops=(Crop(),)), 50, aspect=2.0, generator=generator())
    half = placed.matrices.diagonal(dim1=1, dim2=2)[:, :2]
    assert torch.allclose(half[:, 0] * 2, half[:, 1], atol=1e-5)


def test_a_higher_power_makes_smaller_crops():
    def mean_size(power: float) -> float:
        law = CutoutSet(crops=(Crop(smallest=0.1, largest=1.0, power=power),))
        return float(place_cutouts(law, 500, aspect=1.0, generator=generator()).matrices[:, 0, 0].mean())

    assert mean_size(3.0) < mean_size(1.0) < mean_size(0.4)


def test_one_warp_is_the_product_of_its_matrices():
    law = CutoutSet(crops=(Crop(smallest=0.6, largest=0.9),), augmentations=(Affine(p=1), Perspective(p=1)))
    placed = place_cutouts(law, 4, aspect=1.0, generator=generator())
    expected = homography_warp(
        smooth(16, 16).expand(4, 3, 16, 16),
        placed.matrices,
        (16, 16),
        padding_mode="border",
        align_corners=False,
    )
    # kornia's grid has the corners at the middle of the corner pixels, ours at their outer edge.
    assert (sample_cutouts(smooth(16, 16), placed, size=16) - expected).abs().mean() < 0.05


def test_many_pictures_give_one_cutout_each():
    pictures = torch.cat([smooth(), 1 - smooth()])
    placed = Placement(torch.eye(3).repeat(2, 1, 1), ("border", "border"))
    assert torch.allclose(sample_cutouts(pictures, placed, size=64), pictures, atol=1e-5)


def test_large_steps_are_low_passed():
    checks = (torch.arange(128)[:, None] + torch.arange(128)[None, :]).remainder(2).float()
    placed = Placement(torch.eye(3)[None], ("border",))
    seen = sample_cutouts(checks.expand(1, 3, 128, 128), placed, size=32)
    assert (seen - 0.5).abs().max() < 0.01


def test_grey_padding_is_grey():
    law = CutoutSet(crops=(Crop(law="whole", overscan=0.5, padding="grey"),))
    seen = sample_cutouts(
        torch.ones(1, 3, 32, 32), place_cutouts(law, 1, aspect=1.0, generator=generator()), size=32
    )
    assert torch.allclose(seen[..., 0, 0], torch.tensor(0.5))


def test_a_flip_mirrors():
    law = CutoutSet(crops=(Crop(law="whole"),), augmentations=(Flip(p=1.0),))
    seen = sample_cutouts(smooth(32, 32), place_cutouts(law, 1, aspect=1.0, generator=generator()), size=32)
    assert torch.allclose(seen, smooth(32, 32).flip(-1), atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        ColourJitter(p=1, brightness=0.5),
        ColourJitter(p=1, hue=0.3),
        ColourJitter(p=1, contrast=0.5),
        Sharpness(p=1, amount=2),
        Erasing(p=1),
        Noise(amount=0.3),
    ],
)
def test_every_augmentation_changes_the_pixels_and_never_applies_at_p_zero(change):
    seen = sample_cutouts(smooth(), Placement(torch.eye(3).repeat(4, 1, 1), ("border",) * 4), size=32)
    assert not torch.allclose(augment(seen, [change], generator()), seen, atol=1e-3)
    never = change.model_copy(update={"p": 0.0})
    assert torch.allclose(augment(seen, [never], generator()), seen, atol=1e-5)


def test_grey_stays_grey_when_hue_and_saturation_change():
    grey = torch.full((5, 3, 8, 8), 0.4)
    jitter = ColourJitter(p=1, saturation=0.9, hue=0.5)
    assert torch.allclose(augment(grey, [jitter], generator()), grey, atol=1e-5)


def test_erasing_together_blanks_the_same_place():
    ones = torch.ones(4, 3, 32, 32)
    seen = augment(ones, [Erasing(p=1, together=True)], generator())
    assert all(torch.equal(seen[0], each) for each in seen)
    assert (seen == 0).any()

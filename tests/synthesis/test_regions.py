"""Regions: soft maps, cutouts of their own, and gradients that land where a prompt applies."""

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.prompts import Prompt, parse
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.cutouts.cutouts import place_crops
from pixgen.synthesis.cutouts.regions import SIDE, Regions, region_box, region_map
from pixgen.synthesis.cutouts.sampler import KorniaCutoutSampler


def painted(rows: slice, columns: slice) -> Image.Image:
    mask = np.zeros((80, 120), np.uint8)
    mask[rows, columns] = 255
    return Image.fromarray(mask)


def regions(text: str, **pictures: Image.Image) -> Regions:
    (scene,) = parse(text)
    return Regions(scene, pictures=pictures, device=torch.device("cpu"))


@pytest.mark.parametrize(
    ("word", "there", "elsewhere"),
    [
        ("left", (32, 8), (32, 56)),
        ("right", (32, 56), (32, 8)),
        ("top", (8, 32), (56, 32)),
        ("bottom", (56, 32), (8, 32)),
        ("centre", (32, 32), (2, 2)),
    ],
)
def test_a_word_is_a_soft_map(word, there, elsewhere):
    where = region_map(Prompt(text="a", region=word), {})[0, 0]
    assert where[there] > 0.95
    assert where[elsewhere] < 0.05
    assert ((where > 0.2) & (where < 0.8)).any()


def test_a_painted_region_has_soft_edges_and_a_box():
    mask = painted(slice(0, 40), slice(60, 120))  # the upper right quarter
    where = region_map(Prompt(text="a", mask="m"), {"m": mask})
    assert where[0, 0, 8, 56] > 0.95
    assert where[0, 0, 56, 8] == 0
    assert ((where > 0.2) & (where < 0.8)).any()
    assert region_box(where) == pytest.approx((0.0, -1.0, 1.0, 0.0), abs=2.5 / SIDE)


def test_a_small_box_is_no_smaller_than_clip_can_see():
    where = region_map(Prompt(text="a", mask="m"), {"m": painted(slice(0, 6), slice(0, 6))})
    left, top, right, bottom = region_box(where)
    assert (left, top) == (-1, -1)
    assert right - left >= 0.25
    assert bottom - top >= 0.25


def test_a_black_region_raises():
    with pytest.raises(RecipeError, match="The region of “a fox” is black everywhere"):
        regions("a fox @[m]", m=Image.new("L", (8, 8)))


@pytest.mark.parametrize("kind", sorted(CUTOUT_SETS))
def test_every_cutout_counts_by_what_of_it_lies_there(kind):
    found = regions("a fox @left | a cat @right | a hill")
    generator = torch.Generator().manual_seed(0)
    sampler = KorniaCutoutSampler(
        CUTOUT_SETS[kind], 30, size=16, seed=0, generator=generator, noise=generator, fused=True
    )
    placed = sampler.warp(found.place(sampler.place, 30, aspect=1.5), step=0)
    shares = found.shares(placed)
    assert shares.shape == (30, 3)
    assert torch.allclose(shares.mean(0), torch.ones(3))
    # The first are the left's own; a strong perspective may show much of the other side in some of them.
    assert shares[:10, 0].mean() > 4 * shares[:10, 1].mean()
    assert shares[10:20, 1].mean() > 4 * shares[10:20, 0].mean()
    assert torch.equal(shares[:, 2], torch.ones(30))


def test_without_regions_cutouts_are_those_of_the_whole_picture():
    found, crops = regions("a fox | a cat"), CUTOUT_SETS["gentle"].crops
    generators = [torch.Generator().manual_seed(4) for _ in range(2)]
    placed = found.place(partial(place_crops, crops, generator=generators[0]), 5, aspect=0.5)
    plain = place_crops(crops, 5, aspect=0.5, generator=generators[1])
    assert torch.equal(placed.matrices, plain.matrices)
    assert torch.equal(found.shares(placed), torch.ones(5, 2))


@pytest.mark.parametrize(
    ("region", "side"), [("left", slice(0, 32)), ("right", slice(32, 64)), ("mask", slice(32, 64))]
)
def test_gradients_land_where_the_prompt_applies(tiny_vqgan, tiny_perceptor, region, side):
    where = {"mask": "m"} if region == "mask" else {"region": region}
    recipe = make_recipe({
        "prompts": [[{"text": "a red fox", **where}]], "width": 64, "height": 48, "steps": 8,
        "cutouts": {"count": 8}, "optimizer": {"name": "SGD", "learning_rate": 1e-9}, "seed": 1,
    })  # fmt: skip
    drawer, landed = make_drawer(recipe, tiny_vqgan), torch.zeros(48, 64)
    drawn = drawer.draw

    def note(gradient: torch.Tensor) -> None:
        landed.add_(gradient[0].abs().sum(0))

    def draw(latent: torch.Tensor | None = None) -> torch.Tensor:
        picture = drawn(latent)
        if picture.requires_grad:
            picture.register_hook(note)
        return picture

    drawer.draw = draw
    pictures = {"m": painted(slice(0, 80), slice(60, 120))}
    list(Optimization(recipe, drawer, tiny_perceptor, pictures=pictures))
    assert landed[:, side].sum() > 0.85 * landed.sum()

"""How far from its picture a picture begins."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer


@pytest.fixture
def photo() -> Image.Image:
    chance = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    return Image.fromarray(chance)


@pytest.fixture
def begun(tiny_vqgan, tiny_perceptor, photo):
    """The latent from which a start begins."""

    def begin(*, drawer: str = "vqgan", **start) -> torch.Tensor:
        recipe = make_recipe(
            {
                "prompts": "a fox",
                "width": 32,
                "height": 32,
                "steps": 1,
                "drawer": drawer,
                "init": {"kind": "picture", "picture": "photo", **start},
            }
        )
        made = make_drawer(recipe, tiny_vqgan)
        Optimization(recipe, made, tiny_perceptor, pictures={"photo": photo})
        return made.latent.detach().clone()

    return begin


@pytest.mark.parametrize("drawer", ["vqgan", "pixels", "fourier"])
def test_strength_goes_from_the_picture_to_noise(begun, drawer):
    picture, half, chance = (begun(drawer=drawer, strength=part) for part in (0.0, 0.5, 1.0))
    random = begun(drawer=drawer, kind="codes", picture="")
    assert torch.equal(picture, begun(drawer=drawer))
    assert torch.allclose(chance, random, atol=1e-5)
    assert torch.equal(half, begun(drawer=drawer, strength=0.5))
    distances = [(each - picture).norm() for each in (half, chance)]
    assert 0 < distances[0] < distances[1]


def test_another_start_has_no_strength():
    with pytest.raises(RecipeError, match="a strength needs init.kind"):
        make_recipe({"prompts": "a fox", "init": {"kind": "snow", "strength": 0.5}})


def test_the_strength_of_a_repeated_recipe_goes_with_its_picture():
    first = recipe_from(Options(prompt="a fox", init="picture:a.png", strength=0.4))
    assert first.init.strength == 0.4
    assert recipe_from(Options(recipe=first)).init.strength == 0.4
    assert recipe_from(Options(recipe=first, init="snow")).init.strength == 0


@pytest.mark.parametrize(("typed", "at"), [("0.9", (0.9,)), ("0.5, 0.85", (0.5, 0.85)), ("never", ())])
def test_when_to_grow_is_typed_as_parts(typed, at):
    assert recipe_from(Options(prompt="a fox", grow=typed)).grow.at == at


def test_when_to_grow_must_be_numbers():
    with pytest.raises(RecipeError, match="“soon” does not say when to enlarge"):
        recipe_from(Options(prompt="a fox", grow="soon"))

"""Regions that move with a video, and regions that CLIP finds by words."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.recipe.prompts import Prompt, format_prompts, parse
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.cutouts.regions import SIDE, Regions, region_map, relevance_map
from tests.synthesis.resuming import pictures, same, stopped_and_resumed

CPU = torch.device("cpu")


class Sweep:
    """A video of a white half that goes from left to right; black in frame 2."""

    def __getitem__(self, frame):
        picture = np.zeros((16, 16), np.uint8)
        if frame != 2:
            picture[:, slice(0, 8) if frame == 0 else slice(8, 16)] = 255
        return Image.fromarray(picture)


class Halves:
    """A CLIP whose vectors say how red and how blue a picture is."""

    size = 8

    def embed_images(self, seen):
        colours = seen.mean((2, 3))[:, [0, 2]] + 0.1
        return torch.nn.functional.normalize(colours, dim=1)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("blue @[the sky]", {"where": "the sky"}),
        ("blue @[mask.png]", {"mask": "mask.png"}),
        ("blue @[my mask.png]", {"mask": "my mask.png"}),
        ("blue @[a b/c d]", {"mask": "a b/c d"}),
        ("blue @[walk.mp4] :2", {"mask": "walk.mp4", "weight": 2}),
        ("blue @[m]", {"mask": "m"}),
    ],
)
def test_a_region_in_brackets_is_a_path_or_words(text, fields):
    ((prompt,),) = parse(text)
    assert prompt.model_dump(exclude_defaults=True) == {"text": "blue", **fields}
    assert parse(format_prompts(((prompt,),))) == ((prompt,),)


def test_one_word_is_no_region_in_words():
    with pytest.raises(ValueError, match="at least two words"):
        Prompt(text="a", where="sky")


def test_a_region_moves_with_its_video():
    prompt = Prompt(text="a", mask="v.mp4")
    left, right, black = (region_map(prompt, {"v.mp4": Sweep()}, frame=frame)[0, 0] for frame in range(3))
    assert left[32, 8] > 0.95
    assert left[32, 56] < 0.05
    assert right[32, 56] > 0.95
    assert black.max() == 0
    regions = Regions((prompt,), pictures={"v.mp4": Sweep()}, device=CPU, frame=1)
    assert regions.boxes[0][0] == pytest.approx(0, abs=0.1)


def test_words_are_found_where_clip_sees_them():
    picture = torch.zeros(1, 3, 48, 48)
    picture[:, 0, :24] = 1  # red above
    picture[:, 2, 24:] = 1  # blue below
    red, blue = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    found = relevance_map(picture, red, torch.stack([blue]), Halves())[0, 0]
    assert found.shape == (SIDE, SIDE)
    assert found[8].min() > 0.9
    assert found[56].max() < 0.1


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def make(prompts, **fields):
        base = {
            "prompts": prompts,
            "width": 32,
            "height": 32,
            "steps": 14,
            "seed": 4,
            "cutouts": {"count": 2},
        }
        recipe = make_recipe(base, {"drawer": "pixels"}, fields)
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, pictures={"v.mp4": Sweep()})

    return make


@pytest.mark.parametrize("prompts", ["a fox @[v.mp4] | a hill", "a fox @[the left half] | a hill"])
def test_a_stopped_run_continues_to_the_same_picture(paint, prompts):
    whole = pictures(paint(prompts))
    assert same(whole, stopped_and_resumed(lambda: paint(prompts), after=13))
    assert not same(whole, pictures(paint("a fox | a hill")))

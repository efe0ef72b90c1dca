"""Starts by what paints whole pictures: words or pictures, one candidate after the other."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, UnClipModel, make_drawer
from pixgen.synthesis.sketch.session import UnClipSession


class FakeUnClip:
    """Plain colours by chance, and what was asked for."""

    def __init__(self) -> None:
        self.asked = []

    def from_text(self, text, *, guidance, generator):
        return self._paint((text, guidance), generator)

    def from_pictures(self, pictures, *, guidance, generator):
        sizes = [(picture.size, weight) for picture, weight in pictures]
        return self._paint((sizes, guidance), generator)

    def _paint(self, asked, generator):
        self.asked.append(asked)
        return torch.rand(1, 3, 1, 1, generator=generator).expand(1, 3, 48, 48)


@pytest.fixture
def unclip() -> FakeUnClip:
    return FakeUnClip()


@pytest.fixture
def paint(unclip, tiny_vqgan, tiny_perceptor):
    def start(recipe: Recipe, **options) -> Optimization:
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, sketch_model=UnClipModel(unclip), **options)

    return start


def recipe(*more, **fields) -> Recipe:
    base = {
        "prompts": "a red fox | snow :0.5 | text :-0.5",
        "width": 64,
        "height": 32,
        "steps": 1,
        "seed": 3,
        "cutouts": {"count": 2},
        "init": {"kind": "sketch", "sketch": {"model": "karlo", "candidates": 3}},
    }
    return make_recipe(base, *more, fields)


def test_every_candidate_is_seen_and_the_best_is_the_start(paint, unclip):
    frames = list(paint(recipe()))
    assert [frame.step for frame in frames] == [-3, -2, -1, 0, 1]
    assert unclip.asked == [("a red fox, snow", 8.0)] * 3
    liking = [candidate.similarity for candidate in frames[-1].candidates]
    assert liking == sorted(liking, reverse=True)
    assert frames[0].picture.shape == (32, 64, 3)
    seen = {tuple(frame.picture[0, 0]) for frame in frames[:3]}
    assert seen == {tuple(each.picture[0, 0]) for each in frames[-1].candidates}


def test_what_is_picked_is_encoded_for_the_drawer(paint, tiny_vqgan):
    frame = list(paint(recipe(steps=0, init={"sketch": {"pick": 2}})))[-1]
    sketched = torch.from_numpy(frame.candidates[2].picture.copy()).movedim(2, 0)[None] / 255
    latents = tiny_vqgan.encode(sketched)
    expected = tiny_vqgan.decode(tiny_vqgan.nearest(latents)).clamp(0, 1)[0].movedim(0, 2)
    assert np.abs(frame.picture / 255.0 - expected.numpy()).mean() < 0.02


def test_pictures_are_varied_and_mixed_by_weight(paint, unclip, red_picture):
    wanted = recipe({"init": {"kind": "idea", "idea": "[red.png]:2 | [other.png]:-0.5"}})
    other = Image.new("RGB", (8, 8))
    list(paint(wanted, pictures={"red.png": red_picture, "other.png": other}))
    assert unclip.asked[0] == ([((48, 32), 2.0), ((8, 8), -0.5)], 8.0)
    unclip.asked.clear()
    list(paint(recipe(prompts="[red.png]"), pictures={"red.png": red_picture}))
    assert unclip.asked[0] == ([((48, 32), 1.0)], 8.0)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ({"kind": "idea", "idea": "[red.png] | winter"}, "reads ideas of pictures only"),
        ({"kind": "idea", "idea": "[red.png] | [red.png]:-1"}, "The parts of this idea cancel each other"),
        ({"sketch": {"temperature": 1}}, "has no setting temperature: remove init.sketch.temperature"),
        ({"kind": "picture", "picture": "red.png", "extend": "left"}, "paints whole pictures"),
    ],
)
def test_what_it_cannot_do_is_said(red_picture, start, said):
    pictures = {"red.png": red_picture}
    with pytest.raises(RecipeError, match=said):
        UnClipSession(
            recipe({"init": start}), FakeUnClip(), similarity=None, pictures=pictures, generator=None
        )


def test_guidance_is_the_decoders(paint, unclip):
    list(paint(recipe(init={"sketch": {"guidance": 3, "candidates": 1}})))
    assert unclip.asked == [("a red fox, snow", 3.0)]

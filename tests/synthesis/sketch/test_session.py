"""Starts that are sketched: shown as they grow, picked by CLIP, resumed exactly."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.models.sketchers.pocket import Prior
from pixgen.recipe.prompts import Prompt
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, SketchModel, make_drawer
from pixgen.synthesis.sketch.samplers import mix_vectors
from tests.synthesis.resuming import pictures, resumed, same


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor, tiny_sketcher):
    def start(recipe: Recipe, **options) -> Optimization:
        sketch_model = SketchModel(tiny_sketcher, tiny_vqgan, tiny_perceptor)
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, sketch_model=sketch_model, **options)

    return start


def recipe(**fields) -> Recipe:
    base = {"prompts": "a red fox | text :-0.5", "width": 32, "height": 32, "steps": 3, "seed": 3}
    common = {
        "cutouts": {"count": 2},
        "optimizer": {"learning_rate": 0.6},
        "init": {"kind": "sketch", "sketch": {"candidates": 3}},
    }
    return make_recipe(base, common, fields)


def test_the_sketch_is_seen_growing_before_step_0(paint):
    frames = list(paint(recipe()))
    assert [frame.step for frame in frames] == [-4, -3, -2, -1, 0, 1, 2, 3]
    first = frames[0].picture
    assert (first[8:] == first[-1, -1]).all()  # paper: nothing is written there yet
    assert not (first[:8] == first[-1, -1]).all()


def test_the_best_candidate_is_the_start_and_the_others_are_shown(paint):
    frame = list(paint(recipe(steps=0)))[-1]
    liking = [candidate.similarity for candidate in frame.candidates]
    assert len(liking) == 3
    assert liking == sorted(liking, reverse=True)
    assert np.array_equal(frame.picture, frame.candidates[0].picture)


def test_another_candidate_may_be_picked(paint):
    wanted = recipe(steps=0, init={"sketch": {"pick": 2}})
    frame = list(paint(wanted))[-1]
    assert np.array_equal(frame.picture, frame.candidates[2].picture)


def test_a_canvas_of_another_shape_is_covered(paint):
    frame = list(paint(recipe(width=64, height=32, steps=1)))[-1]
    assert frame.picture.shape == (32, 64, 3)
    assert frame.candidates[0].picture.shape == (32, 64, 3)


@pytest.mark.parametrize("stopped_after", [2, 4, 5, 7])
def test_stopping_and_resuming_paints_the_same_pixels(paint, stopped_after):
    wanted = recipe(losses={"start_pixels": 1.0})
    whole = pictures(paint(wanted))
    first = paint(wanted)
    for _ in range(stopped_after):
        last = next(first)
    expected = whole[stopped_after:] if last.step >= 0 else whole
    assert same(expected, pictures(resumed(first, paint(wanted))))


@pytest.mark.parametrize("frames", [0, 2, 4])
def test_a_change_during_the_sketch_is_reproducible(paint, frames):
    live = paint(recipe())
    for _ in range(frames):
        next(live)
    live.change(prompts="a blue car")
    last = list(live)[-1]
    again = list(paint(live.recipe))[-1]
    assert np.array_equal(last.picture, again.picture)
    assert [each.similarity for each in last.candidates] == [each.similarity for each in again.candidates]


def test_a_picture_prompt_alone_is_sketched_from_its_vector(paint, red_picture):
    wanted = recipe(prompts="[red.png]", steps=0)
    assert list(paint(wanted, pictures={"red.png": red_picture}))[-1].step == 0


def test_an_idea_is_sketched_without_the_prompts(paint, red_picture):
    def last(prompt: str, idea: str) -> np.ndarray:
        start = {"kind": "idea", "idea": idea, "sketch": {"candidates": 1}}
        wanted = recipe(prompts=prompt, steps=0, init=start)
        return list(paint(wanted, pictures={"red.png": red_picture}))[-1].picture

    one = last("a fox", "[red.png] | winter | summer:-1")
    assert np.array_equal(one, last("a hen", "[red.png] | winter | summer:-1"))
    assert not np.array_equal(one, last("a fox", "[red.png]"))


def test_an_idea_adds_up_vectors_by_weight(tiny_perceptor, red_picture):
    prior = Prior(16)
    blue = Image.new("RGB", (32, 32), (20, 30, 230))
    pictures = {"red": red_picture, "blue": blue}

    def vector(*terms: Prompt) -> torch.Tensor:
        return mix_vectors(terms, reader=tiny_perceptor, prior=prior, pictures=pictures)

    red, blue = Prompt(picture="red"), Prompt(picture="blue")
    mixed = vector(red, blue)
    assert torch.allclose(mixed.norm(), torch.ones(()))
    assert torch.allclose((vector(red) * mixed).sum(), (vector(blue) * mixed).sum(), atol=1e-5)
    with pytest.raises(RecipeError, match="cancel each other"):
        vector(red, Prompt(picture="red", weight=-1))

"""Starts for prompts with regions: each is sketched by itself, in its place."""

import numpy as np
import pytest
import torch

from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, SketchModel, make_drawer
from pixgen.synthesis.init.regions import RegionSketches
from pixgen.synthesis.sketch.session import UNWRITTEN_GREY


@pytest.fixture
def sketch_model(tiny_sketcher, tiny_vqgan, tiny_perceptor) -> SketchModel:
    return SketchModel(tiny_sketcher, tiny_vqgan, tiny_perceptor)


def recipe(prompts: str, **fields) -> Recipe:
    base = {
        "prompts": prompts,
        "width": 64,
        "height": 32,
        "steps": 1,
        "seed": 3,
        "cutouts": {"count": 2},
        "init": {"kind": "sketch", "sketch": {"candidates": 2}},
    }
    return make_recipe(base, fields)


def composed(prompts: str, sketch_model: SketchModel) -> RegionSketches:
    made = RegionSketches(
        recipe(prompts),
        sketch_model,
        pictures={},
        generator=torch.Generator().manual_seed(1),
        similarity=lambda drawn, prompts: drawn.mean((1, 2, 3)),
    )
    made.stages = [picture.clone() for picture in made]
    return made


def test_each_region_has_its_own_sketch_and_they_meet_softly(sketch_model):
    made = composed("a fox @left | a cat @right", sketch_model)
    assert len(made.stages) == made.most_stages
    assert [candidate.picture.shape for candidate in made.candidates] == [(32, 64, 3)] * 2
    codes, picture = made.pick()
    assert codes is None
    first, last = made.stages[0], made.stages[-1]
    assert (first[..., 60:] - UNWRITTEN_GREY).abs().max() < 0.01
    assert not torch.allclose(first[..., 40:], last[..., 40:], atol=0.05)
    assert 0 <= float(picture.min()) <= float(picture.max()) <= 1 + 1e-5


def test_what_no_region_covers_is_what_applies_everywhere(sketch_model):
    stages = [
        composed(prompts, sketch_model).most_stages
        for prompts in (
            "a fox @left | a cat @right",
            "a fox @left | a hill",
            "a fox @left | a cat @right | a hill",
        )
    ]
    # The whole canvas is twice as long as a half, and takes more windows.
    assert stages[0] < stages[1] < stages[2]
    assert composed("a fox @left", sketch_model).most_stages == stages[1]  # nothing is left open


def test_a_run_with_regions_starts_from_their_sketches_and_is_reproducible(
    sketch_model, tiny_vqgan, tiny_perceptor
):
    def frames(**fields) -> list[np.ndarray]:
        wanted = recipe("a fox @left | a cat @right", **fields)
        drawer = make_drawer(wanted, tiny_vqgan)
        painting = Optimization(wanted, drawer, tiny_perceptor, sketch_model=sketch_model)
        found = list(painting)
        assert [len(frame.candidates) for frame in found[-2:]] == [2, 2]
        assert [frame.step for frame in found[-2:]] == [0, 1]
        return [frame.picture for frame in found]

    once = frames()
    assert all(map(np.array_equal, once, frames()))
    other = frames(init={"sketch": {"pick": 1}})
    assert not np.array_equal(once[-2], other[-2])
